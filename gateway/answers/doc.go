// Package answers keeps answers to questions that are asked again and again (disco#info, disco#items, vCard, version), so that they
// need not cross a thin link each time.
//
// # In the room
//
//   - [Of]: which requests are such questions.
//   - [Cache]: [Cache.Asked] and [Cache.Answered] take what crossed, [Cache.Ask] gives back an [Answer], [Cache.Heard] forgets what
//     presence and events have made untrue.
//   - [Ver] and [Verify]: the verification string of XEP-0115 §5.
//
// # What an answer is
//
// An entry is the arrival as it came, before it was judged. An answer is that arrival again, addressed to the one who asks now, and
// the owner judges it like an answer from the peer: pair, kinds, profile, rules, labels, clearances of today and of this requester. So
// nobody gets from the cache what the policy would not let him have from the peer. The request was judged before: Ask is for what was
// released to a peer, and stands in the place of the link.
//
// # Whose answer
//
//   - An entry is for the same peer, the same domain of ours, and the same question: address, namespace, node.
//   - It is for the same requester (bare), since a far server may tell others less. Two kinds are for everybody in the domain: disco#info
//     and version of a domain, and disco#info whose hash (XEP-0115) was verified, which says of itself what it is. Of the latter any
//     client of the same domain that names the hash is answered.
//   - Only what was asked for is kept: an answer whose question did not pass through Asked is none of ours.
//   - A hash does not vouch for what it does not cover, nor for one of several readings. See [Verify] for what is shared.
//
// # What it must never do
//
// Answer something that was not released to that peer; share what was said to one; grow beyond its bounds; write into a stanza anything
// but addresses and id. It has no clock; the time comes in. One mutex inside, never held over a call out.
package answers
