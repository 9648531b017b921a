package component_test

import (
	"strings"
	"testing"
)

// What a component writes into an error is said without a label, so only the condition goes on; one with a label is left to the gate, which
// drops it.
func TestErrorsOfComponents(t *testing.T) {
	t.Parallel()
	const (
		in        = "<error type='cancel'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>canary</gone><text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>canary</text><x xmlns='urn:canary'/></error>"
		label     = "<securitylabel xmlns='urn:xmpp:sec-label:0'><label/></securitylabel>"
		addresses = " type='error' id='1' to='juliet@shakespeare.lit/x'"
	)
	bubble(t, func(w *world) {
		c := w.login()
		for _, from := range []string{plays, "hall@" + plays, "hall@" + plays + "/x"} {
			for _, say := range []string{
				"<message from='" + from + "'" + addresses + "><subject>canary</subject><body>canary</body>" + in + "</message>",
				"<iq from='" + from + "'" + addresses + "><query xmlns='urn:canary'/>" + in + "</iq>",
				"<presence from='" + from + "'" + addresses + "><status>canary</status>" + in + "</presence>",
			} {
				c.says(say)
				said := strings.Join(w.gate.submitted(), "")
				if strings.Contains(said, "canary") || !strings.Contains(said, "<gone ") || !strings.Contains(said, "type='cancel'") || !strings.Contains(said, "id='1'") {
					t.Errorf("%s became %s", say, said)
				}
			}
		}
		c.says("<message from='" + plays + "'" + addresses + ">" + label + in + "</message>")
		if said := w.gate.submitted(); len(said) != 1 || !strings.Contains(said[0], "securitylabel") {
			t.Errorf("one with a label became %s", said)
		}
	})
}
