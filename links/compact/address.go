package compact

import (
	"slices"
	"strings"

	"sallyport/internal/xmpp/jid"
)

// addresses is the table of a link. The zero value is empty.
type addresses struct {
	list []string
}

// isAddress reports whether s can be put together again from its parts. Whether it is a good address is not asked.
func isAddress(s string) bool {
	local, domain, _, _ := splitAddress(s)
	return local != "" && domain != "" && !strings.HasSuffix(s, "/")
}

func splitAddress(s string) (local, domain, resource string, full bool) {
	bare, resource, full := strings.Cut(s, "/")
	local, domain, ok := strings.Cut(bare, "@")
	if !ok {
		return "", "", "", false
	}
	return local, domain, resource, full
}

func bareOf(s string) string {
	bare, _, _ := strings.Cut(s, "/")
	return bare
}

func domainOf(s string) string {
	_, domain, _, _ := splitAddress(s)
	return domain
}

// address codes an address: one of the table of the link, one of them with another resource, or by its parts.
func (x *walk) address(s string, of uint64) string {
	n := uint32(len(x.link.list)) //nolint:gosec // at most MaxAddresses
	if n > 0 && x.mode != learning {
		whole, bare := slices.Index(x.link.list, s), slices.Index(x.link.list, bareOf(s))
		const parts, wholly, barely = 0, 1, 2
		how := uint32(parts)
		switch {
		case whole >= 0:
			how = wholly
		case bare >= 0:
			how = barely
		}
		switch x.uniform(how, 3) {
		case wholly:
			s = x.link.list[x.uniform(uint32(max(whole, 0)), n)] //nolint:gosec // small
			x.spend(len(s))
			x.within(domainOf(s))
			x.remember(bareOf(s))
			return s
		case barely:
			bare := x.link.list[x.uniform(uint32(max(bare, 0)), n)] //nolint:gosec // small
			_, _, resource, _ := splitAddress(s)
			x.spend(len(bare))
			x.remember(bare)
			x.within(domainOf(bare))
			return bare + "/" + x.part(resource, key(ctxResourceOf, hashValue(bare)), key(ctxResource))
		}
	}
	return x.parts(s, of)
}

// within says that the last value was an address of that domain.
func (x *walk) within(domain string) {
	x.region = hashValue(domain)
	x.known = x.region
}

func (x *walk) parts(s string, of uint64) string {
	local, domain, resource, isFull := splitAddress(s)
	domain = x.part(domain, key(ctxDomain, of, x.region), key(ctxDomain, of), key(ctxDomain))
	local = x.part(local, key(ctxLocalAt, hashValue(domain)), key(ctxLocal))
	full := uint32(0)
	if isFull {
		full = 1
	}
	bare := local + "@" + domain
	full = x.pick(full, 2, key(ctxPart, of))
	x.within(domain)
	if full == 0 {
		return bare
	}
	if x.mode != learning {
		x.remember(bare)
	}
	return bare + "/" + x.part(resource, key(ctxResourceOf, hashValue(bare)), key(ctxResource))
}

// part codes a part of an address.
func (x *walk) part(s string, keys ...uint64) string {
	sym, ok := x.choose(x.orNone(x.m.valueSymbol(s)), keys...)
	if !ok {
		return x.spell(classAddress, s)
	}
	if x.mode == decoding {
		s = x.m.value(sym)
	}
	x.spend(len(s))
	return s
}

// also codes who else gets a stanza.
func (x *walk) also(list []jid.JID) (out []jid.JID) {
	for i := 0; !x.failed; i++ {
		more, s := uint32(0), ""
		if i < len(list) {
			more, s = 1, list[i].String()
		}
		if x.pick(more, 2, key(ctxAlso, uint64(min(i, 1)))) == 0 {
			return out
		}
		if i >= MaxAlso {
			break
		}
		s = x.address(s, key(ctxAlso))
		x.spend(1)
		if x.mode != decoding {
			continue
		}
		j, err := jid.Parse(s)
		if err != nil || j.String() != s {
			break
		}
		out = append(out, j.Clone())
	}
	x.failed = true
	return nil
}
