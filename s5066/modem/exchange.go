package modem

// MaxTransmission is how many bytes one Key order may have: a little more than 127.5 s at the fastest rate.
const MaxTransmission = 2 << 20

// Order is what a station tells its modem: Key or Abort.
type Order interface{ order() }

// Key transmits Data as one transmission. It is answered by Keyed and then Sent, or by Lost, with the same ID; one at a time.
type Key struct {
	ID       uint32
	Waveform Waveform
	Data     []byte // the modem's from now on; at least one byte, at most MaxTransmission
}

// Abort ends the transmission with this ID as soon as the modem can; it is then Lost.
type Abort struct{ ID uint32 }

// Event is what a modem tells its station: Keyed, Sent, Lost, Carrier or Data.
type Event interface{ event() }

// Keyed says that the carrier of a transmission is on the air.
type Keyed struct{ ID uint32 }

// Sent says that a transmission has gone out whole and the station hears again.
type Sent struct{ ID uint32 }

// Lost says that a transmission did not go out, or not whole. Some of it may have been received.
type Lost struct {
	ID     uint32
	Reason Reason
}

// Carrier says that the channel became busy or free at this station. It comes on when a preamble, or energy, is noticed and goes off after the
// last Data of what was received.
type Carrier struct {
	On       bool
	Waveform Waveform // none: energy that nothing will come of, or off
	SNR      int8     // dB; SNRUnknown where not measured
}

// SNRUnknown is the SNR that was not measured.
const SNRUnknown int8 = -128

// Data is what came out of the decoder, at most one interleaver block. It may hold errors, filler after the end and noise.
type Data struct{ Bytes []byte }

func (Key) order()   {}
func (Abort) order() {}

func (Keyed) event()   {}
func (Sent) event()    {}
func (Lost) event()    {}
func (Carrier) event() {}
func (Data) event()    {}

// Reason says why a transmission was lost.
type Reason uint8

// The reasons there are. The zero value is unknown.
const (
	Unknown Reason = iota
	Busy           // the modem was keyed already
	Refused        // no such waveform, no data, or too many
	Aborted        // by order
	Fault          // of modem or radio
	Gone           // the connection to the modem ended
	Silent         // the modem did not report in time
	reasons
)

var reasonNames = [reasons]string{"unknown", "busy", "refused", "aborted", "fault", "gone", "silent"}

func (r Reason) String() string {
	if r < reasons {
		return reasonNames[r]
	}
	return "unknown"
}
