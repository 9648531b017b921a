// Package caps computes the hashes by which clients and servers name what they can do: verification strings (XEP-0115) and
// capability hash sets (XEP-0390) of a disco#info.
//
// Inside: the two computations, and [Verify], which says whether a disco#info may be told to everybody who names its hash.
// Not inside: who is asked, and what is remembered of the answers.
//
// It must never confirm a hash over something that it does not cover, or that could be read in two ways.
package caps
