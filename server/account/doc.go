// Package account holds who may log in to the domains that this server serves: accounts with salted SCRAM secrets
// (RFC 5802, RFC 7677), groups, and the domains that keep both apart.
//
// Inside: the values [Account], [Group] and [Credential]; the interface [Store] of what keeps them, which
// server/store implements; [Directory], the operations on them that the command line, ad-hoc commands and logins share;
// the preparation of passwords and the policy for new ones.
// Not inside: SQL, mechanisms and XML (internal/sasl and the client streams use [Challenge]), what a clearance means.
//
// It must never keep, log or return a password, and never tell somebody who cannot prove a password whether an account
// exists: for a name without account a login is shown salts that are made from the name and a secret of the domain,
// the same work is done, and the answer is the same ([ErrNotAuthorized]). That an account is disabled is said only to
// who has proved its password.
//
// Decisions:
//
//   - Three credentials are kept for each account, for SHA-1, SHA-256 and SHA-512, each with a salt of its own, because a
//     client chooses the mechanism. Who can read the store can guess passwords offline against any of them.
//   - 10,000 iterations are the default, as RFC 7677 §4 has at least 4096: the client does that work at each login. An
//     account keeps the count of its last password; names without account are shown the present one.
//   - Passwords are prepared by SASLprep (RFC 4013) as clients do for SCRAM. Code points that Unicode 3.2 had not assigned
//     are taken as they are after NFKC.
//   - Clearance and catalogue of an account are names; the configuration says which files they stand for.
//   - Which domains are served is said by the configuration. The store knows a domain from its first account on, and
//     keeps the secret for that domain's names without account.
package account
