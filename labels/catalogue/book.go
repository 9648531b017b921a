package catalogue

import (
	"strconv"

	"sallyport/internal/xmpp/jid"
	"sallyport/labels"
)

// Use says what becomes of the general catalogue of a user who has one of his own. The zero value uses neither.
type Use uint8

const (
	NoUse    Use = iota
	Adds         // the user's items stand behind the others; his default item takes the place of theirs
	Replaces     // the user's catalogue is all there is
)

var useNames = [...]string{NoUse: "none", Adds: "adds", Replaces: "replaces"}

func (u Use) String() string {
	if int(u) < len(useNames) {
		return useNames[u]
	}
	return "unknown"
}

// ParseUse is the inverse of String.
func ParseUse(s string) (Use, bool) {
	for i, n := range useNames {
		if n == s && Use(i) != NoUse {
			return Use(i), true
		}
	}
	return NoUse, false
}

// Personal is the catalogue of one user. Like every other it is filtered: it can name labels that the user may not use,
// and they will not be offered.
type Personal struct {
	Catalogue *Catalogue
	Use       Use
}

// Book says which catalogue is for whom. The zero value has none.
type Book struct {
	// Domains are for destinations in a domain: another organisation, a room service.
	Domains map[string]*Catalogue
	// Peers are for all destinations behind a peer, by its name in the configuration.
	Peers map[string]*Catalogue
	// Services are for the users of a local domain, whatever the destination.
	Services map[string]*Catalogue
	// Default is for everything else.
	Default *Catalogue
	// Users are the personal catalogues, by bare address.
	Users map[jid.JID]Personal
}

// Find returns the catalogue for messages of a user to a domain that is reached through a peer ("" inside): the first
// there is of the domain's, the peer's, the user's service's and the default, with the user's own as Use says. Nil when
// there is none. It still has to be filtered.
func (b *Book) Find(user jid.JID, domain, peer string) *Catalogue {
	if b == nil {
		return nil
	}
	general := b.general(user.Domain(), domain, peer)
	own, ok := b.Users[user.Bare()]
	if !ok || own.Catalogue == nil {
		return general
	}
	switch own.Use {
	case Replaces:
		return own.Catalogue
	case Adds:
		if general == nil {
			return own.Catalogue
		}
		return general.with(own.Catalogue)
	case NoUse:
	}
	return nil
}

func (b *Book) general(service, domain, peer string) *Catalogue {
	for _, c := range [...]*Catalogue{b.Domains[domain], b.Peers[peer], b.Services[service]} {
		if c != nil {
			return c
		}
	}
	return b.Default
}

// with appends the items of o whose label is not offered yet. A default among them becomes the default. What has no
// place within the limits is counted.
func (c *Catalogue) with(o *Catalogue) *Catalogue {
	out := &Catalogue{Name: c.Name, Desc: c.Desc, Restrict: c.Restrict, Left: c.Left}
	own, hasDefault := o.Default()
	have := make(map[string]bool, len(c.Items))
	for _, i := range c.Items {
		have[key(i.Label)] = true
		i.Default = i.Default && !hasDefault || hasDefault && i.Label.Equal(own.Label)
		out.Items = append(out.Items, i)
	}
	for _, i := range o.Items {
		if have[key(i.Label)] {
			continue
		}
		if len(out.Items) == MaxItems {
			out.Left.Beyond++
			continue
		}
		out.Items = append(out.Items, i)
	}
	out = out.oneDefault().WithSelectors("")
	out.ID = out.Digest()
	return out
}

// oneDefault keeps the first default: two menu paths may lead to the label of a personal default.
func (c *Catalogue) oneDefault() *Catalogue {
	found := false
	for n := range c.Items {
		c.Items[n].Default = c.Items[n].Default && !found
		found = found || c.Items[n].Default
	}
	return c
}

// Labels returns the labels of the catalogue, each once.
func (c *Catalogue) Labels() []*labels.Label {
	if c == nil {
		return nil
	}
	var out []*labels.Label
	seen := make(map[string]bool, len(c.Items))
	for _, i := range c.Items {
		if k := key(i.Label); i.Label != nil && !seen[k] {
			seen[k] = true
			out = append(out, i.Label)
		}
	}
	return out
}

// key is equal for equal labels and for nothing else; "" is for no label.
func key(l *labels.Label) string {
	f := l.Form()
	if f.Policy == "" {
		return ""
	}
	k := append([]byte(f.Policy), ' ')
	k = strconv.AppendUint(k, uint64(f.Class), 10)
	for _, v := range f.Values {
		k = append(append(k, ' '), v.TagSet...)
		k = strconv.AppendUint(append(k, ' '), uint64(v.Kind), 10)
		k = strconv.AppendUint(append(k, ' '), uint64(v.LACV), 10)
	}
	return string(k) + "\x00" + f.PrivacyMark
}
