// Package sasl holds SASL mechanisms (RFC 4422) as XMPP uses them (RFC 6120
// §6): a mechanism is a value that turns the peer's message into ours. Here are
// EXTERNAL (RFC 4422 appendix A, XEP-0178), both sides; and for the side that
// serves clients SCRAM-SHA-1, -256 and -512 with and without -PLUS (RFC 5802,
// RFC 7677, RFC 9266), PLAIN (RFC 4616), and the HT-SHA-256 tokens of FAST
// (XEP-0484, draft-schmaus-kitten-sasl-ht).
//
// It never sees XML, sockets, certificates or stores: which identities the
// channel proved and what is kept of an account are told to it. A mechanism that
// needs an account says so by [Inquirer.Asks] and goes on with the [Reply]. It
// never accepts an identity that was not proven, and its zero values
// authenticate nobody. Passwords, tokens and keys are in no error and no String.
//
// # Nobody learns whether an account exists
//
// Every question is answered with something to check against, for a name without
// account with a decoy (made by server/account), and the [Standing] of the
// account is looked at only after the proof was right. What can be refused
// before (syntax, authorisation identity, channel binding) is refused without
// asking.
//
// # Decisions
//
//   - The server side of SCRAM is our own: github.com/xdg-go/scram has its
//     account at hand in a callback, while ours is asked for and waited for; it
//     knows one channel binding for each conversation, while a server offers
//     several (XEP-0440) and the client chooses; and it cannot put the hash of
//     XEP-0474 into server-first.
//   - Client nonces shorter than 8 characters are malformed. Proofs of the wrong
//     length are wrong proofs, not malformed messages.
//   - The flag y is refused wherever -PLUS was offered (RFC 5802 §6), n where the
//     policy requires binding; p needs a -PLUS mechanism and a type that we have.
//   - PLAIN hands the password up, since a directory may have to check it.
package sasl
