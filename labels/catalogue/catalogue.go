package catalogue

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"sallyport/labels"
)

// NS is the namespace of catalogues (XEP-0258 §4).
const NS = "urn:xmpp:sec-label:catalog:2"

// Limits of a catalogue.
const (
	MaxItems       = 1000 // also the most that is generated
	MaxEquivalents = 8    // of one item
	MaxSelector    = 256  // bytes
	MaxMenu        = 8    // parts of a selector; XEP-0258 §4 warns of deep ones without a number
	MaxText        = 256  // bytes of name and description
)

// Item is one choice. The labels belong to policies; they are never changed.
type Item struct {
	// Selector is the place in a menu: "X|Y|Z" is Z in Y in X. All items of a catalogue have one, or none.
	Selector string
	// Default marks the item that counts when the user has chosen nothing; at most one.
	Default bool
	// Label is what the message will carry; nil is the offer to send without a label.
	Label *labels.Label
	// Equivalents say the same under other policies.
	Equivalents []*labels.Label
}

// Equal says whether two items mean the same.
func (i Item) Equal(o Item) bool {
	return i.Selector == o.Selector && i.Default == o.Default && i.Label.Equal(o.Label) &&
		slices.EqualFunc(i.Equivalents, o.Equivalents, (*labels.Label).Equal)
}

// Catalogue is a list of choices. It is a value: what is done to it makes another one.
type Catalogue struct {
	Name, Desc string
	// ID is the version that a client may compare: see Digest. Parse, FromPolicy, For and Find set it.
	ID string
	// Restrict asks the client to offer nothing else.
	Restrict bool
	Items    []Item
	// Left counts what FromPolicy and For did not offer, and why. It is for the operator and is never written.
	Left Left
}

// Left counts items that are not offered, by reason.
type Left struct {
	Obsolete      int // a part of the label is obsolete
	Invalid       int // the label breaks a rule of its policy now
	NotCleared    int // somebody concerned is not cleared for it
	NotTranslated int // it has no equivalent under the policy of the peer
	Unlabelled    int // sending without label, where nothing would stand in for the label
	Beyond        int // generated beyond the limit on items; more may not have been tried
}

// Total returns the sum.
func (l Left) Total() int {
	return l.Obsolete + l.Invalid + l.NotCleared + l.NotTranslated + l.Unlabelled + l.Beyond
}

// Equal says whether two catalogues mean the same. What was left out does not count, and neither does the ID, which
// follows from the rest.
func (c *Catalogue) Equal(o *Catalogue) bool {
	if c == nil || o == nil {
		return c == o
	}
	return c.Name == o.Name && c.Desc == o.Desc && c.Restrict == o.Restrict && slices.EqualFunc(c.Items, o.Items, Item.Equal)
}

// Default returns the item that counts when the user has chosen nothing.
func (c *Catalogue) Default() (Item, bool) {
	if c != nil {
		for _, i := range c.Items {
			if i.Default {
				return i, true
			}
		}
	}
	return Item{}, false
}

// Check reports the first rule of XEP-0258 §4 that the catalogue breaks; the error names the item, counted from 1.
func (c *Catalogue) Check() error {
	if c == nil {
		return errorf(0, "no catalogue")
	}
	if len(c.Items) > MaxItems {
		return errorf(0, "%d items, at most %d", len(c.Items), MaxItems)
	}
	for _, s := range [...]string{c.Name, c.Desc} {
		if len(s) > MaxText || !printable(s) {
			return errorf(0, "name or description of more than %d bytes or with control characters", MaxText)
		}
	}
	defaults := 0
	seen := make(map[string]int, len(c.Items))
	for n, i := range c.Items {
		if i.Default {
			if defaults++; defaults > 1 {
				return errorf(n+1, "a second default item: at most one")
			}
		}
		if (i.Selector == "") != (c.Items[0].Selector == "") {
			return errorf(n+1, "items with and without selector: all have one, or none")
		}
		if first := seen[i.Selector]; first > 0 && i.Selector != "" {
			return errorf(n+1, "the selector %s of item %d again: a client would show one of the two", labels.Quote(i.Selector), first)
		}
		seen[i.Selector] = n + 1
		if err := i.check(n + 1); err != nil {
			return err
		}
	}
	return nil
}

func (i Item) check(n int) error {
	if err := checkSelector(n, i.Selector); err != nil {
		return err
	}
	if i.Label == nil {
		if len(i.Equivalents) > 0 {
			return errorf(n, "equivalent labels without a label")
		}
		return nil
	}
	if i.Label.Policy() == nil {
		return errorf(n, "a label without policy")
	}
	if len(i.Equivalents) > MaxEquivalents {
		return errorf(n, "%d equivalent labels, at most %d", len(i.Equivalents), MaxEquivalents)
	}
	if i.Label.Policy().Contradicts(i.Label, lastPart(i.Selector)) {
		return errorf(n, "the selector %s names a higher classification than the label %s", labels.Quote(i.Selector), i.Label)
	}
	policies := []string{i.Label.PolicyID()}
	for _, e := range i.Equivalents {
		if e.Policy() == nil || slices.Contains(policies, e.PolicyID()) {
			return errorf(n, "an equivalent label must be under a policy of its own")
		}
		policies = append(policies, e.PolicyID())
	}
	return nil
}

// checkSelector holds the production of XEP-0258 §4; empty parts, which it allows, would be menus without a name.
func checkSelector(n int, s string) error {
	if s == "" {
		return nil
	}
	if len(s) > MaxSelector || !printable(s) {
		return errorf(n, "selector of more than %d bytes or with control characters", MaxSelector)
	}
	parts := strings.Split(s, "|")
	if len(parts) > MaxMenu {
		return errorf(n, "selector %s of %d parts, at most %d", labels.Quote(s), len(parts), MaxMenu)
	}
	for _, p := range parts {
		if p == "" || strings.TrimSpace(p) != p {
			return errorf(n, "selector %s has an empty part or space around one", labels.Quote(s))
		}
	}
	return nil
}

func lastPart(selector string) string { return selector[strings.LastIndexByte(selector, '|')+1:] }

// printable says whether the text shows as what it is: no control or formatting characters, which can hide and reorder
// what people read.
func printable(s string) bool {
	return utf8.ValidString(s) && strings.IndexFunc(s, func(r rune) bool {
		return unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp)
	}) < 0
}
