package peering_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sallyport/internal/xmpp/jid"
	"sallyport/labels"
	"sallyport/labels/catalogue"
	"sallyport/peering"
)

// guardCatalogue lists all of a policy.
func catalogueOf(t testing.TB, reg *labels.Registry, id string) *catalogue.Catalogue {
	t.Helper()
	p, _ := reg.Policy(id)
	c, err := catalogue.FromPolicy(p, catalogue.Generate{At: noon, Unlabelled: true})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// What is offered crosses, and what is left out does not: the filter and the engine agree on every label of both policies.
func TestChoicesAreWhatTheEngineLetsThrough(t *testing.T) {
	t.Parallel()
	reg := guardRegistry(t)
	public := made(t, reg, guardID, 1)
	for _, c := range []struct {
		name     string
		one      bool
		from, to string
		change   func(*peering.Definition)
	}{
		{"one policy", true, "in", "out", nil},
		{"translated outwards", false, "in", "out", nil},
		{"translated inwards", false, "out", "in", nil},
		{"users", true, "in", "out", func(d *peering.Definition) {
			d.Subjects = []peering.SubjectClearance{
				{Users: jids(t, "juliet@in.example"), Clearances: clearances(t, cleared(t, reg, guardID, []uint32{1, 2}))},
				{Domains: []peering.Pattern{"out.example"}, Clearances: clearances(t, cleared(t, reg, guardID, []uint32{1}, countries(826)...))},
			}
		}},
		{"user without a clearance", true, "in", "out", func(d *peering.Definition) {
			d.Subjects = []peering.SubjectClearance{{Users: jids(t, "juliet@in.example")}}
		}},
		{"recipient cleared under the other policy", false, "in", "out", func(d *peering.Definition) {
			d.Subjects = []peering.SubjectClearance{{Users: jids(t, "romeo@out.example"), Clearances: clearances(t, cleared(t, reg, partnerID, []uint32{1}))}}
		}},
		{"link", true, "in", "out", func(d *peering.Definition) {
			d.LinkClear = map[string]labels.ClearanceSet{"s2s": clearances(t, cleared(t, reg, guardID, []uint32{1}))}
		}},
		{"a second link is cleared for more", true, "in", "out", func(d *peering.Definition) {
			d.Peers[1].Links = []string{"s2s", "hf"}
			d.Peers[1].Clearances = clearances(t, guardClear(t, reg))
			d.LinkClear = map[string]labels.ClearanceSet{"s2s": clearances(t, guardClear(t, reg)), "hf": clearances(t, cleared(t, reg, guardID, []uint32{1}))}
		}},
		{"default label", true, "in", "out", func(d *peering.Definition) {
			d.Peers[0].Unlabelled, d.Peers[0].DefaultLabel = peering.UnlabelledDefault, public
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			def := twoPolicies(t, reg)
			if c.one {
				def = onePolicy(t, reg)
			}
			if c.change != nil {
				c.change(&def)
			}
			p := policy(t, def)
			sender, recipient, wrap := jid.MustParse("juliet@in.example"), jid.MustParse("romeo@out.example"), outward
			if c.from == "out" {
				sender, recipient, wrap = recipient, sender, inward
			}
			both := 0
			for _, id := range []string{guardID, partnerID} {
				base := catalogueOf(t, reg, id)
				got, err := p.Choices(base, peering.ChoiceQuestion{From: c.from, To: c.to, Sender: sender, Recipient: recipient, At: noon})
				if err != nil {
					t.Fatal(err)
				}
				if total := len(got.Items) + got.Left.Total() - base.Left.Total(); total != len(base.Items) {
					t.Errorf("%d offered and counted, want %d", total, len(base.Items))
				}
				offered := map[string]bool{}
				for _, i := range got.Items {
					offered[i.Selector] = true
				}
				both += len(got.Items)
				for _, i := range base.Items {
					label := ""
					if i.Label != nil {
						label = wire(t, i.Label)
					}
					a := arrival(t, c.from, wrap(label))
					p.FillClearances(&a)
					if v := p.Judge(&a); (v.Outcome == peering.Release) != offered[i.Selector] {
						t.Errorf("%s: offered %v, the engine: %v %s", i.Selector, offered[i.Selector], v.Outcome, v.Refusal.Detail)
					}
				}
			}
			if (both == 0) != strings.HasSuffix(c.name, "without a clearance") {
				t.Errorf("%d offered", both)
			}
		})
	}
}

func TestChoicesSayWhy(t *testing.T) {
	t.Parallel()
	reg := guardRegistry(t)
	def := onePolicy(t, reg)
	def.Subjects = []peering.SubjectClearance{
		{Users: jids(t, "juliet@in.example"), Clearances: clearances(t, cleared(t, reg, guardID, []uint32{1}))},
	}
	p := policy(t, def)
	item := func(selector string, l *labels.Label) catalogue.Item {
		return catalogue.Item{Selector: selector, Label: l}
	}
	base := &catalogue.Catalogue{Name: "GUARD", Items: []catalogue.Item{
		item("public", made(t, reg, guardID, 1)),
		item("internal", made(t, reg, guardID, 2)),
		item("internal fra", made(t, reg, guardID, 2, countries(250)...)),
		item("secret", made(t, reg, guardID, 5)),
		item("confidential", made(t, reg, guardID, 6)),
		item("internal usa", made(t, reg, guardID, 2, countries(840)...)),
		item("none", nil),
	}}
	q := peering.ChoiceQuestion{From: "in", To: "out", Sender: jid.MustParse("juliet@in.example/b"), At: noon}
	got, err := p.Choices(base, q)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Items) != 1 || got.Items[0].Selector != "public" {
		t.Errorf("offered %+v", got.Items)
	}
	want := []peering.Denial{{Who: "sender user juliet@in.example", N: 2}, {Who: "peer in", N: 1}}
	if d := cmp.Diff(want, got.Denied); d != "" || got.Left.NotCleared != 3 || got.Left.Invalid != 2 || got.Left.Unlabelled != 1 {
		t.Errorf("left out %+v, denied (-want +got):\n%s", got.Left, d)
	}
	if all, err := p.Choices(nil, q); err != nil || len(all.Items) != 0 || !all.Restrict {
		t.Errorf("no catalogue: %+v %v, want one that offers nothing", all, err)
	}
	for _, bad := range []peering.ChoiceQuestion{{From: "in", To: "nobody"}, {To: "out"}, {From: "in", To: "in"}} {
		if c, err := p.Choices(base, bad); err == nil || c.Catalogue != nil {
			t.Errorf("%+v: %+v, want an error", bad, c)
		}
	}
}
