// Package cable is a piece of network that a test can cut: a relay of TCP connections or of datagrams on loopback, which passes on what
// it gets, or lets it vanish, or breaks.
//
// A silent cable keeps its connections and holds what is on the way, as a network does whose packets get lost and are sent again. A
// broken one ends its connections and takes no new ones, as a modem does that loses its power. Datagrams vanish in both states.
//
// It ends TCP on both sides, so it is of no use for measuring loss: package badnet is for that. It must never wait for a fixed time.
package cable
