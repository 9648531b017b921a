package server_test

import (
	"context"
	"strings"
	"testing"

	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/tree"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/server"
)

// What an account says to all who see it is shown to the features first, as what it says to one: the hash of its picture has to be in it
// (XEP-0398 §5), and its last words are kept (XEP-0012 §3).
func TestFeaturesSeeWhatIsSaidToAll(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var said []string
		f := server.Feature{Name: "marks", Sends: func(_ context.Context, p *server.Passing) error {
			said = append(said, p.Stanza.Type().String())
			e := p.Stanza.Element()
			if e.Child(e.Space(), "show") != nil {
				return &server.Bounce{Condition: stanza.NotAcceptable}
			}
			var err error
			p.Stanza, err = p.Stanza.WithElement(e.WithNodes(xmlstream.ElementNode(tree.New(nsTest, "mark"))))
			return err
		}}
		b := newBed(t, with(f), "juliet", "romeo")
		juliet, romeo := b.online("juliet@im.example/balcony"), b.online("romeo@im.example/garden")
		friends(juliet, romeo)
		said = nil
		juliet.say("<presence/>")
		juliet.gets("<presence…<mark")
		romeo.gets("<presence from='juliet@im.example/balcony'…<mark")
		juliet.say("<presence><show>away</show></presence>")
		juliet.gets("type='error'…not-acceptable")
		romeo.gets()
		juliet.say("<presence type='unavailable'/>")
		romeo.gets("type='unavailable'…<mark")
		juliet.say("<presence type='unavailable'/>") // it is gone already
		if got := strings.Join(said, " "); got != "available available unavailable" {
			t.Errorf("shown: %s", got)
		}
	})
}

// Who goes but stays connected is told so himself (RFC 6121 §4.5.2).
func TestOwnFarewell(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBed(t, nil, "juliet")
		juliet := b.online("juliet@im.example/balcony")
		juliet.say("<presence type='unavailable'><status>bye</status></presence>")
		juliet.gets("<presence from='juliet@im.example/balcony' to='juliet@im.example/balcony' type='unavailable'><status>bye")
		juliet.say("<presence type='unavailable'/>")
		juliet.gets()
	})
}
