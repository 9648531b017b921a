package gateway

import (
	"reflect"
	"slices"
	"time"

	"sallyport/gateway/config"
	"sallyport/gateway/dispatch"
)

// plan is what a dispatcher works by: the links that reach its peer, best first.
type plan struct {
	names   []string
	bearers []bearer
	custody bool
	resend  bool
	hold    time.Duration
}

// planFor makes the plan for a peer. One that the configuration does not have any more has no links.
func planFor(g *Gateway, cfg *config.Config, name string) plan {
	p := cfg.Peer(name)
	if p == nil || p.Refuse {
		return plan{}
	}
	out := plan{custody: cfg.HasCustody(p), resend: p.InDoubt == config.Resend}
	for _, link := range cfg.LinksOf(p) {
		var b bearer
		if link == linkS2S {
			b = streams{g.link}
		} else if own, l := g.carriers.named(link), cfg.Link(link); own != nil && l != nil {
			b = zeroHandshake{own, l.InboundOnly, profileOf(l)}
		}
		if b != nil {
			out.names, out.bearers = append(out.names, link), append(out.bearers, b)
		}
	}
	return out
}

// same reports whether a dispatcher of one plan does as well for the other.
func (p *plan) same(o *plan) bool {
	return slices.Equal(p.names, o.names) && p.custody == o.custody && p.resend == o.resend && reflect.DeepEqual(p.options(), o.options()) &&
		slices.Equal(p.bearersAt(), o.bearersAt())
}

// bearersAt are the links themselves, to be told apart.
func (p *plan) bearersAt() (out []any) {
	for _, b := range p.bearers {
		if z, ok := b.(zeroHandshake); ok {
			out = append(out, z.ownLink)
		}
	}
	return out
}

func (p *plan) uses(link string) bool { return slices.Contains(p.names, link) }

// options are those of the scheduler.
func (p *plan) options() dispatch.Options {
	o := dispatch.Options{Custody: p.custody, Resend: p.resend, Hold: p.hold}
	for i, b := range p.bearers {
		o.Links = append(o.Links, dispatch.Link{Name: p.names[i], Priority: i, Profile: b.profile(), InboundOnly: b.inboundOnly()})
	}
	return o
}

// set translates the links that a policy allows into places of the plan.
func (p *plan) set(names []string, allowed func(i int) bool) (s dispatch.Set) {
	for i, name := range names {
		if at := slices.Index(p.names, name); at >= 0 && allowed(i) {
			s |= dispatch.Of(at)
		}
	}
	return s
}
