package catalogue_test

import (
	"strings"
	"testing"
	"time"

	"sallyport/labels"
	"sallyport/labels/catalogue"
)

// world is a catalogue with one item of every sort, and somebody who may have all of it.
type world struct {
	reg     *labels.Registry
	c       *catalogue.Catalogue
	all     catalogue.Subject
	partner catalogue.Subject
	out     *labels.Translator
}

func newWorld(t testing.TB) world {
	t.Helper()
	w := world{reg: registry(t, guardSPIF, partnerSPIF)}
	r := w.reg
	w.c = &catalogue.Catalogue{Name: "all", Restrict: true, Items: []catalogue.Item{
		{Selector: "none"},
		{Selector: "public", Label: label(t, r, public), Default: true},
		{Selector: "five", Label: label(t, r, public, five)}, // FIVE is not allowed with PUBLIC
		{Selector: "internal", Label: label(t, r, internal)},
		{Selector: "gbr", Label: label(t, r, internal, gbr)},
		{Selector: "usa", Label: label(t, r, internal, usa)}, // has no equivalent
		{Selector: "delta", Label: label(t, r, internal, delta)},
		{Selector: "foxtrot", Label: label(t, r, internal, foxtrot)},
		{Selector: "ancient", Label: label(t, r, ancient)},
		{Selector: "secret", Label: label(t, r, secret, north, alpha)},
		{Selector: "bare", Label: label(t, r, secret)}, // needs NORTH or SOUTH, and ALPHA
		{Selector: "open", Label: labelUnder(t, r, partnerID, 1)},
		{
			Selector: "both", Label: label(t, r, public),
			Equivalents: []*labels.Label{labelUnder(t, r, partnerID, 1)},
		},
	}}
	w.c = w.c.WithSelectors("")
	w.all = judged(t, w.guard(t), w.partnerClearance(t))
	w.partner = judged(t, w.partnerClearance(t))
	tr, problems := labels.NewTranslator(r.Policies()[0], r.Policies()[1], labels.Outbound, labels.TranslatorOptions{})
	if tr == nil {
		t.Fatal(problems)
	}
	w.out = tr
	return w
}

func (w world) guard(t testing.TB) *labels.Clearance {
	return clearance(t, w.reg, guardID, []uint32{public, internal, secret, confidential, ancient}, alpha, bravo, delta, echo, foxtrot, north, five, fra, gbr, usa)
}

func (w world) partnerClearance(t testing.TB) *labels.Clearance {
	return clearance(t, w.reg, partnerID, []uint32{1, 2, 3, 4},
		labels.Value{TagSet: "2.999.258.2.1", Kind: labels.Restrictive, LACV: 3},
		labels.Value{TagSet: "2.999.258.2.2", Kind: labels.EnumPermissive, LACV: 33},
		labels.Value{TagSet: "2.999.258.2.2", Kind: labels.EnumPermissive, LACV: 44})
}

// local is a filter for a message within the service, for people cleared for everything.
func (w world) local() catalogue.Filter {
	return catalogue.Filter{At: now, Sender: w.all, Service: w.all, Peer: notConcerned, Link: notConcerned, Recipient: w.all}
}

func offered(c *catalogue.Catalogue) string {
	var out []string
	for _, i := range c.Items {
		out = append(out, i.Selector)
	}
	return strings.Join(out, " ")
}

func TestFilter(t *testing.T) {
	w := newWorld(t)
	only := func(classes []uint32, values ...labels.Value) catalogue.Subject {
		return judged(t, clearance(t, w.reg, guardID, classes, values...))
	}
	low := only([]uint32{public})
	britain := only([]uint32{public, internal, secret}, gbr)
	const everything = "public internal gbr usa secret open both"
	for _, row := range []struct {
		name   string
		change func(*catalogue.Filter)
		want   string
	}{
		{"everybody may have everything", func(*catalogue.Filter) {}, everything},
		{"no time", func(f *catalogue.Filter) { f.At = time.Time{} }, ""},
		{"in 2019 a value was not over", func(f *catalogue.Filter) { f.At = time.Date(2019, 1, 1, 0, 0, 0, 0, time.UTC) }, "public internal gbr usa foxtrot secret open both"},
		{"sender has no clearance", func(f *catalogue.Filter) { f.Sender = catalogue.Subject{} }, ""},
		{"service has none", func(f *catalogue.Filter) { f.Service = catalogue.Subject{} }, ""},
		{"peer has none", func(f *catalogue.Filter) { f.Peer = catalogue.Subject{} }, ""},
		{"link has none", func(f *catalogue.Filter) { f.Link = catalogue.Subject{} }, ""},
		{"recipient has none", func(f *catalogue.Filter) { f.Recipient = catalogue.Subject{} }, ""},
		{"sender is low", func(f *catalogue.Filter) { f.Sender = low }, "public both"},
		{"service is low", func(f *catalogue.Filter) { f.Service = low }, "public both"},
		{"peer is low", func(f *catalogue.Filter) { f.Peer = low }, "public both"},
		{"link is low", func(f *catalogue.Filter) { f.Link = low }, "public both"},
		{"recipient is low", func(f *catalogue.Filter) { f.Recipient = low }, "public both"},
		{"no dominance: internal alone", func(f *catalogue.Filter) { f.Recipient = only([]uint32{internal}) }, "internal"},
		{"restrictive and permissive values", func(f *catalogue.Filter) { f.Recipient = britain }, "public internal gbr both"},
		{"two, each with what the other lacks", func(f *catalogue.Filter) { f.Recipient, f.Sender = britain, only([]uint32{internal}, usa) }, "internal"},
		{"recipient is unknown", func(f *catalogue.Filter) { f.Recipient = unknown }, everything},
		{"a clearance is not looked at in somebody unknown", func(f *catalogue.Filter) { f.Recipient.Standing = catalogue.Unknown }, everything},
		{"all are unknown", func(f *catalogue.Filter) {
			f.Sender, f.Service, f.Peer, f.Link, f.Recipient = unknown, unknown, unknown, unknown, unknown
		}, ""},
		{"nobody is concerned", func(f *catalogue.Filter) {
			f.Sender, f.Service, f.Recipient = notConcerned, notConcerned, notConcerned
		}, ""},
		{"a standing that nobody defined", func(f *catalogue.Filter) { f.Recipient.Standing = 9 }, ""},
		{"a default label for what has none", func(f *catalogue.Filter) { f.Unlabelled = label(t, w.reg, public) }, "none " + everything},
		{"one that the recipient is not cleared for", func(f *catalogue.Filter) { f.Unlabelled, f.Recipient = label(t, w.reg, internal), low }, "public both"},
		{"one that is not valid", func(f *catalogue.Filter) { f.Unlabelled = label(t, w.reg, secret) }, everything},
		{"a clearance under another policy does not count", func(f *catalogue.Filter) { f.Recipient = w.partner }, "open"},
		{"who may not have the equivalent may not have the item", func(f *catalogue.Filter) {
			f.Recipient = judged(t, w.guard(t), clearance(t, w.reg, partnerID, []uint32{2}))
		}, "public internal gbr usa secret"},
		{"translated for a peer", func(f *catalogue.Filter) { f.Translate, f.Peer, f.Link = w.out, w.partner, w.all }, "public internal gbr open both"},
		{"translated, and the peer is open only", func(f *catalogue.Filter) {
			f.Translate, f.Peer = w.out, judged(t, clearance(t, w.reg, partnerID, []uint32{1}))
		}, "public open both"},
		{"translated, and the peer is cleared under our policy alone", func(f *catalogue.Filter) { f.Translate, f.Peer = w.out, judged(t, w.guard(t)) }, ""},
		{"translated, and the peer may not have ours", func(f *catalogue.Filter) {
			f.Translate, f.Peer = w.out, judged(t, w.partnerClearance(t), clearance(t, w.reg, guardID, []uint32{public}))
		}, "public open both"},
		{"translated, and the recipient is cleared under our policy", func(f *catalogue.Filter) {
			f.Translate, f.Peer, f.Recipient = w.out, w.partner, judged(t, w.guard(t))
		}, "public internal gbr both"},
		{"translated, and the recipient may not have the translation", func(f *catalogue.Filter) {
			f.Translate, f.Peer, f.Recipient = w.out, w.partner, judged(t, w.guard(t), clearance(t, w.reg, partnerID, []uint32{1}))
		}, "public open both"},
		{"translated, peer unknown", func(f *catalogue.Filter) { f.Translate, f.Peer = w.out, unknown }, "public internal gbr open both"},
		{"a default label that does not translate", func(f *catalogue.Filter) {
			f.Translate, f.Peer, f.Unlabelled = w.out, w.partner, label(t, w.reg, internal, usa)
		}, "public internal gbr open both"},
		{"a translator that has no policies", func(f *catalogue.Filter) { f.Translate, f.Peer = &labels.Translator{}, w.partner }, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			f := w.local()
			row.change(&f)
			got := w.c.For(f)
			if offered(got) != row.want {
				t.Errorf("offers %q, want %q", offered(got), row.want)
			}
			if len(got.Items)+got.Left.Total() != len(w.c.Items) {
				t.Errorf("%d offered and %d counted (%s) of %d", len(got.Items), got.Left.Total(), got.Left, len(w.c.Items))
			}
			if !got.Restrict || got.Name != "all" || got.ID != got.Digest() {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestZeroFilterOffersNothing(t *testing.T) {
	w := newWorld(t)
	for _, f := range []catalogue.Filter{{}, {At: now}, {At: now, Unlabelled: label(t, w.reg, public)}} {
		if got := w.c.For(f); len(got.Items) > 0 {
			t.Errorf("%+v offers %q", f, offered(got))
		}
	}
	var none *catalogue.Catalogue
	if got := none.For(w.local()); got == nil || len(got.Items) > 0 || !got.Restrict {
		t.Errorf("no catalogue offers %+v", got)
	}
}

// What is left out is counted by reason.
func TestFilterCounts(t *testing.T) {
	w := newWorld(t)
	f := w.local()
	f.Translate, f.Peer = w.out, judged(t, clearance(t, w.reg, partnerID, []uint32{1}))
	got := w.c.For(f)
	want := catalogue.Left{Obsolete: 2, Invalid: 3, NotCleared: 2, NotTranslated: 2, Unlabelled: 1}
	if got.Left != want {
		t.Errorf("left %q, want %q", got.Left, want)
	}
	if got.Left.String() != "2 obsolete, 3 not valid, 2 not cleared, 2 without translation, 1 without label" {
		t.Errorf("says %q", got.Left)
	}
}

// An equivalent label has to be one to use, too.
func TestFilterLooksAtEquivalents(t *testing.T) {
	w := newWorld(t)
	noCopy := labels.Value{TagSet: "2.999.258.2.1", Kind: labels.Restrictive, LACV: 3} // not with OPEN
	for _, row := range []struct {
		name   string
		beside *labels.Label
		want   int
	}{
		{"valid", labelUnder(t, w.reg, partnerID, 2, noCopy), 1},
		{"not valid", labelUnder(t, w.reg, partnerID, 1, noCopy), 0},
	} {
		c := &catalogue.Catalogue{Items: []catalogue.Item{{Label: label(t, w.reg, public), Equivalents: []*labels.Label{row.beside}}}}
		if got := c.For(w.local()); len(got.Items) != row.want || got.Left.Invalid != 1-row.want {
			t.Errorf("%s: offers %d, left %s", row.name, len(got.Items), got.Left)
		}
	}
	c := &catalogue.Catalogue{Items: []catalogue.Item{{Label: labelUnder(t, w.reg, partnerID, 1), Equivalents: []*labels.Label{label(t, w.reg, internal, delta)}}}}
	if got := c.For(w.local()); len(got.Items) > 0 || got.Left.Obsolete != 1 {
		t.Errorf("obsolete: offers %d, left %s", len(got.Items), got.Left)
	}
}

// A filtered catalogue has at most the default that the whole one has, and none in its place.
func TestFilterDefault(t *testing.T) {
	w := newWorld(t)
	f := w.local()
	if i, ok := w.c.For(f).Default(); !ok || i.Selector != "public" {
		t.Errorf("default %+v", i)
	}
	f.Recipient = judged(t, clearance(t, w.reg, guardID, []uint32{internal}))
	if i, ok := w.c.For(f).Default(); ok {
		t.Errorf("default %+v took the place of one that is not offered", i)
	}
}
