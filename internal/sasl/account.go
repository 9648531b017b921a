package sasl

import "fmt"

// Standing is whether somebody who proved to be an account may use it. The zero
// value is no account at all, which is told like a wrong proof.
type Standing uint8

const (
	Unknown  Standing = iota // no such account
	Good                     // may log in
	Disabled                 // account-disabled, but only to who proved to be it
	Expired                  // credentials-expired, likewise
)

// judge turns a proof and the standing into the failure, nil for none.
func (s Standing) judge(proved bool) error {
	switch {
	case !proved || s == Unknown:
		return &Failure{Condition: NotAuthorized, Why: WrongProof}
	case s == Good:
		return nil
	case s == Disabled:
		return &Failure{Condition: AccountDisabled, Why: NotInStanding}
	case s == Expired:
		return &Failure{Condition: CredentialsExpired, Why: NotInStanding}
	}
	return &Failure{Condition: NotAuthorized}
}

// Password is a secret that came in clear. It prints as nothing.
type Password string

// String hides it.
func (Password) String() string { return "[password]" }

// GoString hides it.
func (p Password) GoString() string { return p.String() }

// Format hides it from every verb.
func (p Password) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(p.String())) }

// Want is what a mechanism needs to know of an account. The zero value is nothing.
type Want uint8

const (
	Nothing      Want = iota
	WantSecret        // Reply.Secret of the mechanism's hash, a decoy for a name without account
	WantPassword      // Reply.Right: whether Question.Password is the account's
	WantTokens        // Reply.Tokens made for this mechanism (XEP-0484)
	WantStanding      // Reply.Standing only: the channel proved the identity
)

// Question is what a mechanism asks the caller.
type Question struct {
	Want     Want
	Identity string   // as Channel.Account gave it
	Password Password // with WantPassword
}

// Secret is what a server keeps for SCRAM (RFC 5802 §3).
type Secret struct {
	Salt                 []byte
	Iterations           int
	StoredKey, ServerKey []byte
}

// Token is one secret given to one client (XEP-0484).
type Token struct {
	ID    string // of the caller, to know it again
	Value string // what the client holds
	Over  bool   // it is not good any more, which is told to who proves it alone
}

// Reply answers a Question. The zero value admits nobody.
type Reply struct {
	Standing Standing
	Secret   Secret  // to WantSecret
	Right    bool    // to WantPassword
	Tokens   []Token // to WantTokens; more than MaxTokens are not looked at
}

// Inquirer is a Server that needs to know the account. When Next gives neither a
// challenge nor an end, Asks has the question, and Answer goes on as Next would.
type Inquirer interface {
	Server
	Asks() (Question, bool)
	Answer(Reply) (challenge []byte, done bool, err error)
}
