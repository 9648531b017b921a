// Package s5066 is the root of the STANAG 5066 (Edition 3) stack: the words that more than
// one of its layers says, and the map of the rest.
//
//	client            links/hf, or any program that speaks S_primitives
//	  │ S_primitives over TCP, port 5066              s5066/sis    Annex A
//	  ▼
//	subnetwork interface: SAPs, ranks, hard links     s5066/sis (to clients), s5066/spdu (to peer nodes)
//	  │ S_PDU = S_PCI + U_PDU
//	  ▼
//	channel access: making and breaking links         s5066/cas    Annex B
//	  │ C_PDU = C_PCI + S_PDU
//	  ▼
//	data transfer: ARQ, non-ARQ, management           s5066/dts, s5066/dpdu    Annex C
//	  │ D_PDUs, keyed in trains
//	  ▼
//	modem                                             s5066/modem; s5066/channel simulates the air
//
// s5066/node puts the layers together, s5066/rcop is the RCOP and UDOP header that several
// clients use (Annex F), s5066/manage is what our nodes and their managers say to each other,
// s5066/capture writes what Wireshark reads.
//
// Every layer is a plain type without goroutines, I/O or clock: inputs carry the time, what
// has to happen comes out as values, and Deadline says when it wants to be told the time
// next. Sockets and goroutines are in functions called Dial, Listen, Serve and Run only. So
// the whole stack, with its channel, runs in virtual time.
//
// What this package must never do: know a byte layout other than that of an address, or
// anything about XMPP. What is not inside: enumerations of one layer alone (they are in that layer).
package s5066
