// Package fanout is one groupchat message for several recipients behind one gateway of our own: it crosses once, with a list, and the
// far gateway makes the copies again.
//
// Inside: what may be merged ([Mergeable], [Digest]), the carried form ([Elements], [Parse]), and the copies ([Expand]).
//
// It never decides who may have a copy. Before the merge each copy was released on its own; behind it each is an arrival of its own,
// judged for its own recipient. And it never holds anything back: windows and queues are gateway/thin's and gateway/spool's.
//
// # Carried form
//
// In the custody frame, after the stanza, one element for each recipient but the first, who stands in the stanza's to:
//
//	<c xmlns='urn:sallyport:custody:0' e='…' l='0' n='17'><message to='a@b.example/x' …/><t>c@b.example/y</t><t>d@b.example/z</t></c>
//
// One frame, one number: the receiver commits all copies, or their refusals, together with the one mark. The sender must not put
// another list under a number that it has sent before: a list is durable with its entry, or it is not merged.
//
// # Refusals
//
// A list is refused whole, and with it its stanza: on anything that is not a groupchat message; an address that is not canonical, is in
// another domain than the stanza's to, or is there twice; above MaxRecipients or MaxBytes.
package fanout
