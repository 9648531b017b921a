// Command demo-hf shows a ship and a shore station that have only HF radio between them: two gateways with a domain behind each, two STANAG 5066 nodes,
// and a simulated channel. It prints everything that is keyed as it is keyed, a conversation crossing it in both directions, and a ship under radio
// silence that is warned all the same. At the end it draws who keyed when.
//
//	main.go     flags, and the order of things
//	files.go    the configuration: examples/hf with free addresses, certificates, and times of a channel that runs faster
//	stage.go    what runs: the channel here, nodes and gateways as programs, a domain on either side
//	script.go   what is said
//	play.go     how it is said
//	show.go     what is printed around it
//	ask.go      what the programs are asked
//
// It runs the real program (build/sallyport) on free ports of the loopback network and leaves nothing running. What it prints it has seen: what the other
// domain received, what the channel carried, what the gateways count.
package main
