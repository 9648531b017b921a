package catalogue_test

import (
	"testing"

	"sallyport/internal/xmpp/jid"
	"sallyport/labels/catalogue"
)

func TestFind(t *testing.T) {
	reg := registry(t, guardSPIF)
	pub, gb, fr := label(t, reg, public), label(t, reg, internal, gbr), label(t, reg, internal, fra)
	named := func(name string) *catalogue.Catalogue { return &catalogue.Catalogue{Name: name} }
	personal := func(items ...catalogue.Item) *catalogue.Catalogue {
		return &catalogue.Catalogue{Name: "own", Items: items}
	}
	general := &catalogue.Catalogue{Name: "general", Restrict: true, Items: []catalogue.Item{
		{Selector: "PUBLIC", Default: true, Label: pub}, {Selector: "GB", Label: gb},
	}}
	juliet, nurse := jid.MustParse("juliet@high.example/b"), jid.MustParse("nurse@high.example")
	book := &catalogue.Book{
		Domains:  map[string]*catalogue.Catalogue{"room.low.example": named("domain")},
		Peers:    map[string]*catalogue.Catalogue{"low": named("peer")},
		Services: map[string]*catalogue.Catalogue{"high.example": general},
		Default:  named("default"),
		Users:    map[jid.JID]catalogue.Personal{},
	}
	for _, row := range []struct {
		name         string
		book         *catalogue.Book
		own          catalogue.Personal
		user         jid.JID
		domain, peer string
		want         *catalogue.Catalogue
	}{
		{name: "no book", user: nurse},
		{name: "empty book", book: &catalogue.Book{}, user: nurse},
		{name: "the domain comes first", book: book, user: nurse, domain: "room.low.example", peer: "low", want: named("domain")},
		{name: "then the peer", book: book, user: nurse, domain: "low.example", peer: "low", want: named("peer")},
		{name: "then the service", book: book, user: nurse, domain: "high.example", want: general},
		{name: "then the default", book: book, user: jid.MustParse("a@b.example"), domain: "c.example", peer: "c", want: named("default")},
		{name: "own instead", book: book, user: juliet, own: catalogue.Personal{Catalogue: personal(), Use: catalogue.Replaces}, domain: "room.low.example", want: personal()},
		{name: "own without use", book: book, user: juliet, own: catalogue.Personal{Catalogue: personal()}, domain: "high.example"},
		{name: "use without own", book: book, user: juliet, own: catalogue.Personal{Use: catalogue.Replaces}, domain: "high.example", want: general},
		{
			name: "own beside", book: book, user: juliet, domain: "high.example",
			own: catalogue.Personal{Use: catalogue.Adds, Catalogue: personal(catalogue.Item{Selector: "FR", Label: fr}, catalogue.Item{Selector: "again", Label: gb})},
			want: &catalogue.Catalogue{Name: "general", Restrict: true, Items: []catalogue.Item{
				{Selector: "PUBLIC", Default: true, Label: pub}, {Selector: "GB", Label: gb}, {Selector: "FR", Label: fr},
			}},
		},
		{
			name: "own default", book: book, user: juliet, domain: "high.example",
			own: catalogue.Personal{Use: catalogue.Adds, Catalogue: personal(catalogue.Item{Label: fr, Default: true})},
			want: &catalogue.Catalogue{Name: "general", Restrict: true, Items: []catalogue.Item{
				{Selector: "PUBLIC", Label: pub}, {Selector: "GB", Label: gb}, {Selector: "INTERNAL|REL TO FRA", Default: true, Label: fr},
			}},
		},
		{
			name: "own default among the others", book: book, user: juliet, domain: "high.example",
			own: catalogue.Personal{Use: catalogue.Adds, Catalogue: personal(catalogue.Item{Selector: "x", Label: gb, Default: true})},
			want: &catalogue.Catalogue{Name: "general", Restrict: true, Items: []catalogue.Item{
				{Selector: "PUBLIC", Label: pub}, {Selector: "GB", Default: true, Label: gb},
			}},
		},
		{
			name: "one selector, two labels", book: book, user: juliet, domain: "high.example",
			own: catalogue.Personal{Use: catalogue.Adds, Catalogue: personal(catalogue.Item{Selector: "GB", Label: fr})},
			want: &catalogue.Catalogue{Name: "general", Restrict: true, Items: []catalogue.Item{
				{Selector: "PUBLIC", Default: true, Label: pub}, {Selector: "GB", Label: gb}, {Selector: "GB (2)", Label: fr},
			}},
		},
		{
			name: "own beside nothing", book: &catalogue.Book{}, user: juliet,
			own: catalogue.Personal{Use: catalogue.Adds, Catalogue: personal(catalogue.Item{Label: fr})}, want: personal(catalogue.Item{Label: fr}),
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			b := row.book
			if b != nil && row.user == juliet {
				own := *b
				own.Users = map[jid.JID]catalogue.Personal{juliet.Bare(): row.own}
				b = &own
			}
			got := b.Find(row.user, row.domain, row.peer)
			if !got.Equal(row.want) {
				t.Fatalf("got %+v, want %+v", got, row.want)
			}
			if err := got.Check(); got != nil && err != nil {
				t.Error(err)
			}
		})
	}
}

// A personal catalogue adds what it can within the limit, says what it could not, and changes neither of the two.
func TestFindKeepsLimits(t *testing.T) {
	reg := registry(t, guardSPIF)
	full, own := &catalogue.Catalogue{}, &catalogue.Catalogue{Items: []catalogue.Item{{Selector: "own", Default: true, Label: label(t, reg, internal)}}}
	for range catalogue.MaxItems {
		full.Items = append(full.Items, catalogue.Item{Label: label(t, reg, public)})
	}
	full.Items[7].Default = true
	user := jid.MustParse("a@b.example")
	b := &catalogue.Book{Default: full, Users: map[jid.JID]catalogue.Personal{user: {Catalogue: own, Use: catalogue.Adds}}}
	got := b.Find(user, "c.example", "")
	if len(got.Items) != catalogue.MaxItems || got.Left.Beyond != 1 || got.Check() != nil {
		t.Errorf("%d items, left %s, %v", len(got.Items), got.Left, got.Check())
	}
	if !full.Items[7].Default || full.Items[7].Selector != "" {
		t.Error("the catalogue in the book has changed")
	}
}

// What a personal catalogue adds is filtered like the rest.
func TestPersonalCatalogueIsFiltered(t *testing.T) {
	w := newWorld(t)
	user := jid.MustParse("a@b.example")
	own := &catalogue.Catalogue{Items: []catalogue.Item{{Label: label(t, w.reg, secret, north, alpha)}}}
	b := &catalogue.Book{Users: map[jid.JID]catalogue.Personal{user: {Catalogue: own, Use: catalogue.Replaces}}}
	f := w.local()
	f.Sender = judged(t, clearance(t, w.reg, guardID, []uint32{public}))
	if got := b.Find(user, "c.example", "").For(f); len(got.Items) > 0 {
		t.Errorf("a user not cleared for it is offered %s", offered(got))
	}
}
