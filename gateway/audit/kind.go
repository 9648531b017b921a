package audit

import "fmt"

// Kind says what a record tells.
type Kind uint8

// The kinds. Their numbers are part of the encoding.
const (
	NoKind         Kind = iota
	Decision            // a verdict on one stanza for one destination
	Settlement          // what became of a released stanza: bounced, in doubt, expired, failed; Of is the decision
	Start               // the node began to work
	Stop                // the node ended in order
	Reload              // a new policy or configuration became active, or was refused
	Alarm               // something an operator must look at
	ControlCommand      // an operator's command that changed something
	PeerEvent           // a peer appeared, disappeared or changed its standing
	SecurityEvent       // hostile or broken input below the level of stanzas; rate limited with Throttle
	endOfKinds
)

var kindNames = [endOfKinds]string{
	"none", "decision", "settlement", "start", "stop", "reload", "alarm", "control-command", "peer-event", "security-event",
}

// String returns the word for the kind, as ParseKind reads it.
func (k Kind) String() string {
	if k < endOfKinds {
		return kindNames[k]
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// ParseKind is the inverse of String for the kinds a record can have.
func ParseKind(s string) (Kind, error) {
	for k := NoKind + 1; k < endOfKinds; k++ {
		if kindNames[k] == s {
			return k, nil
		}
	}
	return NoKind, fmt.Errorf("unknown kind of audit record %q", s)
}
