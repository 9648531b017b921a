// Package role says how much somebody may do with a node: look, act, or change what may cross.
//
// Inside: [Role], its words. Not inside: who has one, which is the configuration's and the store's, and what a verb needs, which the desk
// of the gateway checks.
//
// It must never have a zero value, or a word, that permits what nobody named.
package role

// Role is what somebody may do. Each includes the ones before it; the zero value nothing.
type Role uint8

// The roles.
const (
	None    Role = iota
	View         // look
	Operate      // act on connections, queues and accounts
	Policy       // change what is allowed to cross; nobody's over XMPP
)

// String is the word of the configuration and the command line.
func (r Role) String() string {
	switch r {
	case None:
		return "none"
	case View:
		return "view"
	case Operate:
		return "operate"
	case Policy:
		return "policy"
	}
	return "none"
}

// ParseGiven reads a role that can be given to an account, which Policy cannot.
func ParseGiven(s string) (Role, bool) {
	for _, r := range []Role{None, View, Operate} {
		if r.String() == s {
			return r, true
		}
	}
	return None, false
}
