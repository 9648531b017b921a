package peering_test

import (
	"testing"

	"sallyport/internal/xmpp/jid"
	"sallyport/labels"
	"sallyport/peering"
)

// subjectsOf compiles a policy with these entries.
func subjectsOf(t *testing.T, entries ...peering.SubjectClearance) *peering.Policy {
	t.Helper()
	reg := guardRegistry(t)
	def := onePolicy(t, reg)
	def.Subjects = entries
	return policy(t, def)
}

func jids(t testing.TB, list ...string) []jid.JID {
	t.Helper()
	var out []jid.JID
	for _, s := range list {
		out = append(out, jid.MustParse(s))
	}
	return out
}

func TestClearanceOf(t *testing.T) {
	t.Parallel()
	p := subjectsOf(
		t,
		peering.SubjectClearance{Domains: []peering.Pattern{"in.example", "*.in.example", "*.lab.in.example"}},
		peering.SubjectClearance{Rooms: jids(t, "ops@rooms.in.example", "both@in.example")},
		peering.SubjectClearance{Users: jids(t, "juliet@in.example", "both@in.example")},
		peering.SubjectClearance{Users: jids(t, "juliet@in.example"), Clearances: clearances(t, guardClear(t, guardRegistry(t)))},
	)
	for _, c := range []struct{ who, want string }{
		{"juliet@in.example", "user juliet@in.example"},
		{"juliet@in.example/balcony", "user juliet@in.example"},
		{"both@in.example", "user both@in.example"},
		{"ops@rooms.in.example/nick", "room ops@rooms.in.example"},
		{"other@rooms.in.example", "domain *.in.example"},
		{"nurse@in.example", "domain in.example"},
		{"in.example", "domain in.example"},
		{"x@deep.lab.in.example", "domain *.lab.in.example"},
		{"x@lab.in.example", "domain *.in.example"},
		{"romeo@out.example", ""},
		{"juliet@in.example.org", ""},
	} {
		if got := p.ClearanceOf(jid.MustParse(c.who)); got.Source != c.want || !got.Clearances.IsEmpty() {
			t.Errorf("%s: %+v, want %q without a clearance", c.who, got, c.want)
		}
	}
}

func TestSubjectsAreAddresses(t *testing.T) {
	t.Parallel()
	def := onePolicy(t, guardRegistry(t))
	def.Subjects = []peering.SubjectClearance{{Users: jids(t, "in.example"), Rooms: jids(t, "ops@in.example/x")}}
	if p, problems := peering.Compile(def); p != nil || len(problems) != 2 {
		t.Errorf("%v, want two problems", problems)
	}
}

// TestFillClearances: what is filled in, for which stanzas, and what a directory knows stays.
func TestFillClearances(t *testing.T) {
	t.Parallel()
	reg := guardRegistry(t)
	def := onePolicy(t, reg)
	def.Peers[0].DomainMap = []peering.DomainMapping{{Far: domain("in.example"), Near: domain("near.example")}}
	def.Subjects = []peering.SubjectClearance{{Users: jids(t, "juliet@near.example", "romeo@out.example", "juliet@in.example")}}
	p := policy(t, def)
	public := wire(t, made(t, reg, guardID, 1))
	directory := peering.ClearanceFact{Source: "directory", Clearances: clearances(t, guardClear(t, reg))}
	for _, c := range []struct {
		name, text        string
		known             peering.ClearanceFact
		sender, recipient string
	}{
		{"message, near name of the sender", outward(public), peering.ClearanceFact{}, "user juliet@near.example", "user romeo@out.example"},
		{"a directory knows", outward(public), directory, "directory", "user romeo@out.example"},
		{"published", publish(item("1", "") + public), peering.ClearanceFact{}, "user juliet@near.example", "user romeo@out.example"},
		{"presence", `<presence` + toOut + `/>`, peering.ClearanceFact{}, "", ""},
		{"other iq", `<iq` + toOut + `type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq>`, peering.ClearanceFact{}, "", ""},
	} {
		a := arrival(t, "in", c.text)
		a.Facts.Sender = c.known
		p.FillClearances(&a)
		if a.Facts.Sender.Source != c.sender || a.Facts.Recipient.Source != c.recipient {
			t.Errorf("%s: %q to %q, want %q to %q", c.name, a.Facts.Sender.Source, a.Facts.Recipient.Source, c.sender, c.recipient)
		}
	}
	a := arrival(t, "in", outward(public))
	p.FillClearances(&a)
	if v := p.Judge(&a); v.Refusal.Reason != peering.SenderClear || v.Refusal.Rule != "user juliet@near.example" {
		t.Errorf("%+v, want the sender refused: he is listed without a clearance", v.Refusal)
	}
}

func TestFillClearancesAllocates(t *testing.T) {
	p := subjectsOf(t, peering.SubjectClearance{Users: jids(t, "juliet@in.example"), Domains: []peering.Pattern{"*.example"}})
	a := arrival(t, "in", outward(""))
	if n := testing.AllocsPerRun(100, func() {
		a.Facts = peering.Facts{}
		p.FillClearances(&a)
	}); n > 0 {
		t.Errorf("%v allocations to find clearances, want 0", n)
	}
	if a.Facts.Sender.Source != "user juliet@in.example" || a.Facts.Recipient.Source != "domain *.example" {
		t.Errorf("found %+v", a.Facts)
	}
}

// A domain's clearance does not help who is listed with a lower one of his own.
func TestNearerEntryBounds(t *testing.T) {
	t.Parallel()
	reg := guardRegistry(t)
	p := subjectsOf(
		t,
		peering.SubjectClearance{Domains: []peering.Pattern{"in.example"}, Clearances: clearances(t, guardClear(t, reg))},
		peering.SubjectClearance{Users: jids(t, "juliet@in.example"), Clearances: clearances(t, cleared(t, reg, guardID, []uint32{1}))},
	)
	label := wire(t, made(t, reg, guardID, 2, countries(826)...))
	for from, want := range map[string]peering.Outcome{"juliet@in.example": peering.Refuse, "nurse@in.example": peering.Release} {
		a := arrival(t, "in", `<message xmlns='jabber:server' from='`+from+`' to='romeo@out.example'><body>x</body>`+label+`</message>`)
		p.FillClearances(&a)
		if v := p.Judge(&a); v.Outcome != want {
			t.Errorf("%s: %v %+v, want %v", from, v.Outcome, v.Refusal, want)
		}
	}
	var none labels.ClearanceSet
	if f := p.ClearanceOf(jid.JID{}); f.Source != "" || f.Clearances.Len() != none.Len() {
		t.Errorf("nobody is %+v", f)
	}
}

// What was stored while somebody was cleared does not cross once he is not, and the other way round; what a directory
// said then stays.
func TestStoredIsJudgedUnderTodaysClearances(t *testing.T) {
	t.Parallel()
	reg := guardRegistry(t)
	juliet := jids(t, "juliet@in.example")
	cleared, not := peering.SubjectClearance{Users: juliet, Clearances: clearances(t, guardClear(t, reg))}, peering.SubjectClearance{Users: juliet}
	for _, c := range []struct {
		name        string
		then, today []peering.SubjectClearance
		directory   bool
		want        peering.Outcome
	}{
		{"cleared, and still is", []peering.SubjectClearance{cleared}, []peering.SubjectClearance{cleared}, false, peering.Release},
		{"cleared, no longer", []peering.SubjectClearance{cleared}, []peering.SubjectClearance{not}, false, peering.Refuse},
		{"not cleared, now is", []peering.SubjectClearance{not}, []peering.SubjectClearance{cleared}, false, peering.Release},
		{"not listed, now without a clearance", nil, []peering.SubjectClearance{not}, false, peering.Refuse},
		{"not cleared, no longer listed", []peering.SubjectClearance{not}, nil, false, peering.Release},
		{"the directory said so", nil, []peering.SubjectClearance{not}, true, peering.Release},
	} {
		a := arrival(t, "in", outward(wire(t, made(t, reg, guardID, 1))))
		if c.directory {
			a.Facts.Sender = peering.ClearanceFact{Source: "directory", Clearances: clearances(t, guardClear(t, reg))}
		}
		subjectsOf(t, c.then...).FillClearances(&a)
		stored, err := peering.AppendArrival(nil, &a)
		if err != nil {
			t.Fatal(err)
		}
		e := peering.NewEngine(subjectsOf(t, c.today...))
		v, err := e.Rejudge(stored, nil)
		again, err2 := e.RejudgeFor(stored, nil, "")
		if err != nil || err2 != nil || v.Outcome != c.want || again.Outcome != c.want {
			t.Errorf("%s: %v and %v (%v, %v) %+v, want %v", c.name, v.Outcome, again.Outcome, err, err2, v.Refusal, c.want)
		}
	}
}
