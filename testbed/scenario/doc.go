// Package scenario proves Sallyport against programs we did not write: users of a Prosody and of an ejabberd
// do what people do, through slixmpp, and the package looks at what arrives.
//
// Every scenario is a function of a World: two servers, what stands between them, and clients. The same
// scenarios run with nothing between (the servers federate directly; that proves the bed) and with the
// gateway between, where those that are about being refused run too.
//
// It must never wait for a fixed time: it waits for events, with a limit.
package scenario
