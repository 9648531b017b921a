// Package channel simulates an HF channel between modems, byte by byte and block by block, without a sample of signal: who hears whom, fading,
// bit errors, collisions, outages and jamming, for any number of half-duplex stations.
//
// # What is inside
//
//	sim.go, agenda.go             Sim: the machine in virtual time, and what it has planned
//	transmission.go, medium.go    what is on the air, and what each station makes of it
//	config.go                     Config, Path, Window: who hears whom, and when nobody does
//	profile.go, fading.go         Profile: a Gilbert-Elliott process; the presets, and profiles for a wanted loss
//	noise.go                      which bits a block loses
//	snr.go                        what a rate needs in dB, and what happens below
//	log.go                        Transmission, Reception: what happened, for pictures and tests
//	serve.go                      Serve: the simulator behind modem TCP connections, driven by the wall clock
//	timeline                      draws the log
//
// # What it must never do
//
//   - Depend on anything but its seed, its configuration and the orders it is given with their times: the same give the same events.
//   - Deliver to a station anything that was on the air while that station was keyed.
//   - Let one pair's fading depend on traffic: each path draws from a generator of its own, its states follow from time alone.
//     (Only after a silence of dozens of state changes it is drawn anew instead of step by step.)
//   - Keep an unbounded log.
//
// # The model
//
// The medium is busy from the end of key-up to the end of the last block. Per path and block the share of time that the path was bad gives a bit error
// rate; with blocks of 4 s and more it is averaged first, as a deep interleaver does: below 1e-2 the decoder leaves 1e-6, above the block is noise.
// The short ones follow it directly. A preamble is missed with the profile's chance for the state it found; the receiver then knows of energy and gets
// nothing. Two transmissions at one receiver: both are lost from then on, or, with Config.Capture, the one stronger by that many dB lives. A receiver
// that keys, or whose path is cut, has lost the rest: there is one preamble, and no way to join later.
//
// Bytes come out as s5066/modem says, filler is taken away. A station hears its carrier end after its decoder is empty. Propagation takes no
// time, and fading of the two directions of a pair is independent.
//
// # Decisions where sources are silent
//
//   - The presets' chances per second are rates of a continuous process; it is not stepped.
//   - The chance to miss a preamble per preset and state, and what 3200 bit/s and more need in dB, are ours. Presets: Presets; figures: Needs.
//   - SNR below what a rate needs costs a factor of ten in bit errors for each dB, from 1e-5 on; 5 dB below, the preamble is missed.
//   - An outage is silence: no energy. Jamming is energy that collides with everything.
//
// Not in the room: D_PDUs, and what a station makes of what it hears.
package channel
