// Package delivery says what a user learns of the delivery of his stanza, in standard elements only: nothing while it is on its way, a
// delay on what was late (XEP-0203), the receipt that its recipient sends (XEP-0184), an error with a sentence when it was not delivered
// (RFC 6120 §8.3).
//
// # What is seen in each state
//
//	state       message to a person        groupchat from a room         iq                      presence
//	sent        nothing                    nothing                       nothing                 nothing
//	relayed     nothing                    nothing                       nothing                 nothing
//	delivered   the recipient's receipt    nothing                       the answer              nothing
//	late        delay, at the recipient    delay, at the recipient       nothing                 delay, at the recipient
//	expired     remote-server-timeout      resource-constraint, to the   remote-server-timeout   nothing; subscriptions:
//	                                       room, which keeps the                                 remote-server-timeout
//	                                       occupant
//	link down   remote-server-timeout      remote-server-timeout: the    remote-server-timeout   as expired
//	                                       room lets the occupant go,
//	                                       and he joins again
//	taken out   remote-server-timeout      policy-violation              remote-server-timeout   as expired
//	too big     policy-violation           policy-violation              policy-violation        as expired
//	no room     resource-constraint        resource-constraint           resource-constraint     as expired
//	uncertain   remote-server-timeout      resource-constraint           remote-server-timeout   nothing
//	no answer   nothing                    nothing                       remote-server-timeout   nothing
//	superseded  nothing                    nothing                       nothing                 nothing
//
// Nobody hears of what is only decoration (chat states, receipts, markers), and nothing here answers errors, answers, or unavailable
// presence.
//
// # What it must never do
//
// Invent a receipt: that a gateway has something says nothing of its recipient. Put a stamp of somebody else on anything. Say in an
// error what the way to a domain is made of. It is pure: no clock, no lock, no I/O; the errors themselves are made by peering, from
// fixed sentences.
package delivery
