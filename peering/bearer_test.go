package peering_test

import (
	"errors"
	"testing"

	"sallyport/internal/xmpp/stanza"
	"sallyport/labels"
	"sallyport/peering"
)

// twoLinks is the test policy with two links to the outside: sat is the better one, and hf is cleared for nothing that has a label but
// unclassified.
func twoLinks(t testing.TB, low string) peering.Definition {
	def := definition(t)
	def.Peers[1].Links = []string{"sat", "hf"}
	def.Peers[0].Clearances = clearance(t, def.Labels, "inside.clearance.xml")
	def.Peers[1].Clearances = clearance(t, def.Labels, "inside.clearance.xml")
	def.LinkClear = map[string]labels.ClearanceSet{low: clearance(t, def.Labels, "outside.clearance.xml")}
	return def
}

func TestReleasedForTheBestClearedLink(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		low, class string
		want       string // link, "" for refused
		links      peering.LinkSet
	}{
		"both cleared":            {"hf", "UNCLASSIFIED", "sat", 3},
		"the second is not":       {"hf", "SECRET", "sat", 1},
		"the best is not":         {"sat", "SECRET", "hf", 2},
		"a bound on another link": {"elsewhere", "SECRET", "sat", 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := policy(t, twoLinks(t, tt.low))
			a := arrival(t, "in", "<message from='a@in.example' to='b@out.example'>"+label(tt.class, "")+"</message>")
			v := p.Judge(&a)
			r, ok := v.Released()
			if !ok || r.Link() != tt.want || v.Links != tt.links {
				t.Errorf("released %v for %q, links %b; want %q, %b: %+v", ok, r.Link(), v.Links, tt.want, tt.links, v.Refusal)
			}
		})
	}
}

func TestNoClearedLinkRefuses(t *testing.T) {
	t.Parallel()
	def := twoLinks(t, "hf")
	def.LinkClear["sat"] = def.LinkClear["hf"]
	a := arrival(t, "in", "<message from='a@in.example' to='b@out.example'>"+label("SECRET", "")+"</message>")
	v := policy(t, def).Judge(&a)
	if v.Outcome != peering.Refuse || v.Refusal.Reason != peering.Clearance || v.Refusal.Rule != "sat" || v.Links != 0 {
		t.Errorf("%s, %+v, links %b", v.Outcome, v.Refusal, v.Links)
	}
}

func TestWrappedLabelsBoundTheLinkToo(t *testing.T) {
	t.Parallel()
	inner := "<message from='a@in.example' to='b@out.example'>" + label("SECRET", "") + "</message>"
	a := arrival(t, "in", forwarding(label("UNCLASSIFIED", ""), inner))
	v := policy(t, twoLinks(t, "sat")).Judge(&a)
	if r, ok := v.Released(); ok && r.Link() != "hf" {
		t.Errorf("a wrapped SECRET goes by %s", r.Link())
	}
}

func TestRejudgeForOneLink(t *testing.T) {
	t.Parallel()
	e := peering.NewEngine(policy(t, twoLinks(t, "hf")))
	a := arrival(t, "in", "<message from='a@in.example' to='b@out.example'>"+label("SECRET", "")+"</message>")
	stored, err := peering.AppendArrival(nil, &a)
	if err != nil {
		t.Fatal(err)
	}
	for link, want := range map[string]peering.Reason{"sat": "", "hf": peering.Clearance, "smoke": peering.NoRoute, "": ""} {
		v, err := e.RejudgeFor(stored, nil, link)
		if err != nil {
			t.Fatal(err)
		}
		r, ok := v.Released()
		if v.Refusal.Reason != want || ok != (want == "") {
			t.Errorf("link %q: %s %q, want %q", link, v.Outcome, v.Refusal.Reason, want)
		}
		if ok && link != "" && r.Check(link, r.Remote()) != nil {
			t.Errorf("released for %q instead of %q", r.Link(), link)
		}
	}
}

func TestFloorOfALink(t *testing.T) {
	t.Parallel()
	def := definition(t)
	def.LinkFloor = map[string]*peering.Floor{"sat": {Methods: []peering.Method{peering.SharedKey}}}
	p := policy(t, def)
	for _, tt := range []struct {
		link   string
		method peering.Method
		want   bool
	}{
		{"s2s", peering.External, true},
		{"s2s", peering.SharedKey, false},
		{"sat", peering.SharedKey, true},
		{"sat", peering.External, false},
	} {
		a := arrival(t, "in", "<presence from='a@in.example' to='b@out.example'/>")
		a.Link, a.Proof.Method = tt.link, tt.method
		if v := p.Judge(&a); (v.Outcome == peering.Release) != tt.want {
			t.Errorf("%s by %s: %s", tt.link, tt.method, v.Outcome)
		}
	}
}

// refused is the error that the sender of something refused gets.
func refused(t *testing.T, e *peering.Engine, told peering.Told) peering.Released {
	t.Helper()
	a := arrival(t, "in", "<message id='m1' from='a@in.example/r' to='b@nowhere.example'><body>x</body></message>")
	v := e.Judge(&a)
	r, ok := e.ReplyTold(&v, peering.Expired, told)
	if !ok {
		t.Fatal("no reply")
	}
	return r
}

func TestStoredReplyComesBack(t *testing.T) {
	t.Parallel()
	def := definition(t)
	def.Peers[0].Links = []string{"s2s", "hf"}
	e := peering.NewEngine(policy(t, def))
	for _, told := range []peering.Told{peering.ToldNothing, peering.ToldExpired, peering.ToldUncertain} {
		r := refused(t, e, told)
		stored, err := peering.StoreReply(&r)
		if err != nil || !stored.IsReply() {
			t.Fatalf("%v, %v", stored.IsReply(), err)
		}
		back, err := e.Restore(stored, "hf")
		if err != nil {
			t.Fatal(err)
		}
		if canonical(t, back.Element()) != canonical(t, r.Element()) || back.Link() != "hf" || back.Peer() != "in" {
			t.Errorf("got %s for %s", canonical(t, back.Element()), back.Link())
		}
		if _, err := e.Restore(stored, "smoke"); !errors.Is(err, peering.ErrNotReleased) {
			t.Errorf("for another link: %v", err)
		}
	}
}

// TestNothingElseIsRestored: the disk cannot make a release of anything but an error of ours.
func TestNothingElseIsRestored(t *testing.T) {
	t.Parallel()
	e := peering.NewEngine(policy(t, definition(t)))
	r := refused(t, e, peering.ToldNothing)
	good, err := peering.StoreReply(&r)
	if err != nil {
		t.Fatal(err)
	}
	head := string(good[:len(good)-len(canonicalAlone(t, r.Stanza()))])
	const ref = "<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>reference 0123456789abc</text>"
	const cond = "<gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
	message := func(inside string) string {
		return "<message xmlns='jabber:server' from='b@out.example' to='a@in.example' type='error'>" + inside + "</message>"
	}
	for name, text := range map[string]string{
		"a message":       "<message xmlns='jabber:server' from='b@out.example' to='a@in.example'><body>x</body></message>",
		"a body beside":   message("<body>x</body><error type='cancel'>" + cond + ref + "</error>"),
		"another text":    message("<error type='cancel'>" + cond + "<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>reference secret</text></error>"),
		"no reference":    message("<error type='cancel'>" + cond + "</error>"),
		"more inside":     message("<error type='cancel'>" + cond + ref + "<x xmlns='urn:x'/></error>"),
		"another domain":  "<message xmlns='jabber:server' from='b@out.example' to='a@elsewhere.example' type='error'><error type='cancel'>" + cond + ref + "</error></message>",
		"not XML":         "<message",
		"something after": message("<error type='cancel'>"+cond+ref+"</error>") + "<x/>",
	} {
		if back, err := e.Restore(peering.Stored(head+text), "s2s"); err == nil {
			t.Errorf("%s: restored %s", name, canonical(t, back.Element()))
		}
	}
	if _, err := e.Restore(peering.Stored(head+message("<error type='cancel'>"+cond+ref+"</error>")), "s2s"); err != nil {
		t.Errorf("an error as ours: %v", err)
	}
	a := arrival(t, "in", "<presence from='a@in.example' to='b@out.example'/>")
	arrived, err := peering.AppendArrival(nil, &a)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Restore(arrived, "s2s"); !errors.Is(err, peering.ErrNotReply) {
		t.Errorf("an arrival: %v", err)
	}
	if _, err := e.RejudgeFor(good, nil, "s2s"); !errors.Is(err, peering.ErrEncoding) {
		t.Errorf("a reply as an arrival: %v", err)
	}
}

func canonicalAlone(t *testing.T, s stanza.Stanza) string {
	t.Helper()
	r := s.Element()
	b := canonical(t, r)
	return "<" + r.Local() + " xmlns='jabber:server'" + b[1+len(r.Local()):]
}
