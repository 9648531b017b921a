package thin

import (
	"fmt"

	"sallyport/internal/xmpp/xmlstream"
)

// Reason is why something was not sent as it came. The zero value is none.
type Reason uint8

// The reasons.
const (
	NoReason           Reason = iota
	ChatState                 // XEP-0085
	Receipt                   // XEP-0184
	Marker                    // XEP-0333
	Typing                    // XEP-0022, XEP-0301
	XHTML                     // XEP-0071
	Avatar                    // XEP-0084, XEP-0153, XEP-0008
	CapsUnchanged             // XEP-0115
	PresenceFolded            // all of a presence but availability
	PresenceUnchanged         // it says what the far side has heard already
	PresenceSuperseded        // another one came before its time
	PresenceOff               // presence is off
	CopyMerged                // one of several copies of a groupchat message
	numReasons
)

var reasonWords = [numReasons]string{
	"none", "chat-state", "receipt", "marker", "typing", "xhtml", "avatar", "caps-unchanged", "presence-folded", "presence-unchanged",
	"presence-superseded", "presence-off", "copy-merged",
}

// String returns the word for metrics and reports.
func (r Reason) String() string {
	if r >= numReasons {
		return fmt.Sprintf("reason(%d)", uint8(r))
	}
	return reasonWords[r]
}

// Reasons are all of them, for whoever shows a table.
func Reasons() []Reason {
	var out []Reason
	for r := ChatState; r < numReasons; r++ {
		out = append(out, r)
	}
	return out
}

// Tally counts one reason: how often, and how many bytes did not go out.
type Tally struct {
	Times uint64 `json:"times"`
	Bytes uint64 `json:"bytes"`
}

// Stats count what was done. In = Sent + Merged + Dropped + what still waits.
type Stats struct {
	In, Sent, Merged, Dropped uint64
	tallies                   [numReasons]Tally
}

// Of returns the tally of one reason.
func (s *Stats) Of(r Reason) Tally {
	if r >= numReasons {
		return Tally{}
	}
	return s.tallies[r]
}

// Saved is how many bytes did not go out, for all reasons.
func (s *Stats) Saved() (bytes uint64) {
	for _, t := range s.tallies {
		bytes += t.Bytes
	}
	return bytes
}

// Add counts something saved.
func (s *Stats) add(r Reason, bytes int) {
	s.tallies[r].Times++
	s.tallies[r].Bytes += uint64(max(bytes, 0))
}

// Cut counts what owners who do the steps themselves have cut from one stanza.
func (s *Stats) Cut(c Cuts) { s.addAll(c) }

// Spare counts what such an owner did not send.
func (s *Stats) Spare(r Reason, bytes int) { s.add(r, bytes) }

// addAll takes over what was cut.
func (s *Stats) addAll(c Cuts) {
	for r, t := range c {
		s.tallies[r].Times += t.Times
		s.tallies[r].Bytes += t.Bytes
	}
}

// size is how long e is on the wire inside something of the namespace inside.
func size(e *xmlstream.Element, inside string) int {
	b, err := xmlstream.AppendElement(nil, e, inside)
	if err != nil {
		return 0
	}
	return len(b)
}
