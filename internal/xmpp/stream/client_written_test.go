package stream_test

import (
	"testing"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stream"
	"sallyport/internal/xmpp/xmlstream"
)

// What was written of an element already is the same as what is written now, or is not used.
func TestAppendWritten(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"the same", "<message to='a@b.example' from='c@d.example'><body>x</body></message>", "<message from='c@d.example' to='a@b.example'><body>x</body></message>"},
		{"without what nobody has judged", "<message to='a@b.example'><x xmlns='jabber:client'/><body>x</body></message>", "<message to='a@b.example'><body>x</body></message>"},
	}
	for _, framing := range []stream.Framing{stream.Stream, stream.WebSocket} {
		m := stream.NewClient(stream.ClientConfig{Local: jid.MustParse("b.example"), Framing: framing})
		for _, tt := range tests {
			e, err := xmlstream.ParseDocument([]byte(tt.in), xmlstream.Options{ContentNS: xmlstream.NSServer})
			if err != nil {
				t.Fatal(err)
			}
			var form, other xmlstream.Written
			if _, err := form.Digest(e, xmlstream.NSServer); err != nil {
				t.Fatal(err)
			}
			if _, err := other.Digest(e.WithNodes(), xmlstream.NSServer); err != nil {
				t.Fatal(err)
			}
			plain, err := m.AppendStanza(nil, e)
			if err != nil {
				t.Fatal(err)
			}
			if framing == stream.Stream && string(plain) != tt.want {
				t.Errorf("%s: %s", tt.name, plain)
			}
			for how, w := range map[string]*xmlstream.Written{"of it": &form, "of another": &other, "none": nil} {
				if got, err := m.AppendWritten([]byte("<r/>"), e, w); err != nil || string(got) != "<r/>"+string(plain) {
					t.Errorf("%s, a form %s: %s, %v", tt.name, how, got, err)
				}
			}
		}
	}
}
