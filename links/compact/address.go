package compact

import (
	"slices"
	"strings"

	"sallyport/internal/xmpp/jid"
)

// addresses is the table of a link. The zero value is empty.
type addresses struct {
	list    []string
	regions []uint64 // of their domains, beside list
}

func (a *addresses) add(s string) {
	a.list = append(a.list, s)
	a.regions = append(a.regions, hashValue(domainOf(s)))
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

// How likely the sender or recipient of a stanza is in the table, and another address, both of 65536; and how much likelier an address of
// the table is whose domain is not that of the address before: stanzas go from one side to the other.
const (
	tableEnds   = chanceOne * 7 / 8
	tableElse   = chanceOne / 2
	tableAcross = 15
)

// endpoint codes the value of from or to: the table of the link is looked at before anything that was learnt.
func (x *walk) endpoint(s string, of uint64) string {
	if len(x.link.list) == 0 || x.mode == learning {
		return x.value(s, classValue, of)
	}
	out, ok := x.tabled(s, of, tableEnds)
	if ok {
		x.remember(out)
		return out
	}
	x.missed = true
	out = x.value(s, classValue, of)
	x.missed = false
	return out
}

// address codes an address: one of the table of the link, or by its parts.
func (x *walk) address(s string, of uint64) string {
	if len(x.link.list) > 0 && x.mode != learning && !x.missed {
		if out, ok := x.tabled(s, of, tableElse); ok {
			return out
		}
	}
	return x.parts(s, of)
}

// tabled codes an address of the table, or a bare one of the table with a resource; not ok says that it is neither.
func (x *walk) tabled(s string, of uint64, chance uint32) (out string, ok bool) {
	at, full, in := -1, uint32(0), uint32(0)
	if x.mode == encoding {
		at, full = x.link.find(s)
	}
	if at >= 0 {
		in = 1
	}
	if x.bit(chance, in) == 0 {
		return s, false
	}
	entry := x.link.list[x.entry(max(at, 0))]
	if !strings.Contains(entry, "/") {
		full = x.pick(full, 2, key(ctxPart, of, 1))
	}
	x.spend(len(entry))
	x.within(domainOf(entry))
	if full == 0 {
		x.remember(bareOf(entry))
		return entry, true
	}
	_, resource, _ := strings.Cut(s, "/")
	x.remember(entry)
	return entry + "/" + x.part(resource, key(ctxResourceOf, hashValue(entry)), key(ctxResource)), true
}

// find returns the place of s, or of its bare address with full 1; -1 for neither.
func (a *addresses) find(s string) (at int, full uint32) {
	if at = slices.Index(a.list, s); at >= 0 {
		return at, 0
	}
	bare, resource, _ := strings.Cut(s, "/")
	if resource == "" {
		return -1, 0
	}
	return slices.Index(a.list, bare), 1
}

// entry codes a place in the table.
func (x *walk) entry(at int) int {
	total, below := uint32(0), uint32(0)
	weight := func(i int) uint32 {
		if x.link.regions[i] == x.region {
			return 1
		}
		return tableAcross
	}
	for i := range x.link.list {
		if i == at {
			below = total
		}
		total += weight(i)
	}
	if x.mode == encoding {
		x.enc.put(below, weight(at), total)
		return at
	}
	aim := x.dec.get(total)
	for at, below = 0, 0; aim >= below+weight(at); at++ {
		below += weight(at)
	}
	x.dec.take(below, weight(at), total)
	return at
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
