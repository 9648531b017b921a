// Package precedence says how urgent a stanza is where it has to wait for a link: what a rule said of it, else what its label says,
// else what its kind says.
//
// Inside: the table that an operator may write ([Spec], [Compile]) and the one question ([Table.Of]).
//
// It never reads or writes a stanza's content: precedence travels in link framing and in the spool, never in the stanza, so that no
// sender can buy himself a place at the front. It never refuses, and never looks at a clock.
//
// # Order
//
// Order holds within a lane, and each precedence is a lane: what has another precedence may overtake. So everything is routine until
// the operator says otherwise. Presence and groupchat should stay alike (a message must not reach a room before its sender does);
// [Compile] warns where they are set apart.
//
// Not inside: what a rule matches (package rules), lanes and queues (gateway/spool, links).
package precedence
