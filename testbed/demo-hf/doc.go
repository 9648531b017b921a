// Command demo-hf shows a ship and a shore station that have only HF radio between them: two STANAG 5066 nodes over a simulated channel, everything
// that is keyed as it is keyed, and a conversation crossing it. At the end it draws who keyed when.
//
//	main.go      flags, and the order of things
//	stage.go     the three programs (channel, two nodes) with their files and addresses
//	speaker.go   speaker: who talks over a node. Now a client of its own that sends RCOP; any other one can take its place
//	play.go      the conversation, and what is printed
//
// It runs the real program (build/sallyport) on free ports of the loopback network and leaves nothing running.
package main
