// Package radio is what an operator has of the HF stack: the configuration files of a node and of a simulated channel, both running with a log, the
// control socket of a node, and the words in which all of it is told.
//
//	nodeconfig.go     Node: hf-node.toml
//	channelconfig.go  Channel: hf-channel.toml
//	run.go            RunNode: the node with its modem, clients and control socket
//	verbs.go          what can be asked of it: hf.status, hf.capture, hf.emcon, hf.rate, hf.message
//	status.go         Status, as it is asked
//	silence.go        radio silence by order outlives the process
//	story.go          the latest changes of a running node
//	sky.go            RunChannel: the channel, with a line for each transmission, and a log and a picture at the end
//	tell.go           what a transmission carried, and what became of it, in words and in marks
//	roll.go           a terminal with rows that change in place: what is on the air now
//
// It must never tell or log what a frame carries for clients, only what frames there were; only a capture, which an operator has to order, holds it.
// It adds nothing to what the layers decide (s5066/...).
//
// Files of nodes and channels are read as strictly as a gateway's (gateway/config), and the control socket is that of a gateway (gateway/control),
// mode 0600.
package radio
