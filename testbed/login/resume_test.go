package login_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os/exec"
	"slices"
	"testing"
	"time"

	"sallyport/internal/sasl"
	"sallyport/internal/xmpp/stream"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/server/c2s"
)

// sender is a home that says something to who has just lost the connection.
type sender struct{ home }

func (h sender) Event(s *c2s.Session, o stream.Output) {
	if end, ok := o.(stream.Closed); !ok || end.Resume == nil {
		return
	}
	go func() { // not under the lock of the session
		raw := `<message from='romeo@im.example/r' to='` + s.Address().String() + `' type='chat'><body>meanwhile</body></message>`
		e, err := xmlstream.ParseDocument([]byte(raw), xmlstream.Options{ContentNS: xmlstream.NSServer})
		if err != nil {
			h.t.Error(err)
			return
		}
		if v := s.Send(e, 2); v != stream.SendKept && v != stream.SendNow { // it may be back already
			h.t.Errorf("send to who is away: %v", v)
		}
	}()
}

// slixmpp loses its connection and resumes: the same session, with what was said in between (XEP-0198 §5).
func TestSlixmppResumes(t *testing.T) {
	authority, ports := serveFor(t, sender{home{t}}, false, sasl.Plain)
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, python, "resume.py", ports["direct"], "juliet@im.example/balcony", "r0m30", authority)
	var problems bytes.Buffer
	cmd.Stderr = &problems
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v (Debian package python3-slixmpp)\n%s", err, problems.Bytes())
	}
	var said struct {
		Bound            string
		Came             []string
		Started, Resumed int
	}
	if err := json.Unmarshal(out, &said); err != nil {
		t.Fatalf("%v in %s\n%s", err, out, problems.Bytes())
	}
	if said.Bound != "juliet@im.example/balcony" || said.Started != 1 || said.Resumed != 1 || !slices.Contains(said.Came, "after") ||
		!slices.Contains(said.Came, "meanwhile") || slices.Index(said.Came, "before") < 0 {
		t.Errorf("got %+v\n%s", said, problems.Bytes())
	}
}
