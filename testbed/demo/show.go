package main

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"sallyport/gateway/control"
	"sallyport/peering"
)

// margin is the indent of what is said about an act.
const margin = "    "

func (s *screen) opening(st *state) {
	how := "found from an earlier start"
	if st.first {
		how = "made just now"
	}
	s.line(s.paint(bold, "Sallyport between two XMPP domains"))
	s.line()
	var gate [2]string
	for i := range st.cfg.Sides {
		if listen := st.cfg.Sides[i].Listen; i < len(gate) && len(listen) > 0 {
			gate[i] = listen[0].String()
		}
	}
	s.line("   inside.example                sallyport run               outside.example")
	s.line("  +--------------+            +------------------+          +---------------+")
	s.line("  |    juliet    |----TLS-----| judges, records, |---TLS----|     romeo     |")
	s.line("  | organisation |            |     releases     |          |    partner    |")
	s.line("  +--------------+            +------------------+          +---------------+")
	s.line()
	s.text("  ", "It listens on "+gate[0]+" (inside) and "+gate[1]+" (outside). Keys, configuration and audit log are in "+
		shown(st.dir)+"/, "+how+".")
	s.line()
}

// act says what is sent, before anything comes of it.
func (s *screen) act(number int, a *act) {
	way := "inside -> outside"
	if a.inwards {
		way = "outside -> inside"
	}
	s.text(fmt.Sprintf("%2d  %s  ", number, way), a.what)
}

// outcome says what the act became.
func (s *screen) outcome(a *act, o *outcome) {
	record := "audit record " + strconv.FormatUint(o.record.Seq, 10)
	switch {
	case o.ended != "":
		s.ends(margin+"STREAM ENDED: "+o.ended, red, record)
		s.fact("recorded as", o.record.Rule+", "+o.record.Reason)
		s.fact("still up", count(o.others, "other stream")+" of "+insideDomain)
	case o.received == nil:
		s.refused(a, o, record)
	case o.received.Equal(o.sent):
		s.ends(margin+"RELEASED as it is", green, record)
	default:
		s.ends(margin+"RELEASED, changed", yellow, record)
		for _, c := range o.record.Changed {
			s.fact("by", c)
		}
		s.difference(peering.Difference(peering.Outline(o.sent), peering.Outline(o.received)))
	}
	if o.answer != nil {
		s.text("    outside -> inside  ", "the answer")
		s.outcome(a, o.answer)
		return
	}
	s.line()
}

func (s *screen) refused(a *act, o *outcome, record string) {
	s.ends(margin+strings.ToUpper(o.record.Outcome)+" at stage "+o.record.Stage+": "+o.record.Reason, red, record)
	switch {
	case o.why != nil:
		s.fact("because", o.why.Detail)
		if o.record.Rule != "" && !strings.Contains(o.why.Detail, o.record.Rule) {
			s.fact("decided by", o.record.Rule)
		}
		s.fact("would allow", o.why.Allowing)
	case o.record.Rule != "":
		s.fact("decided by", o.record.Rule)
	}
	who, _, _ := strings.Cut(juliet, "@")
	if a.inwards {
		who, _, _ = strings.Cut(romeo, "@")
	}
	if o.reply == nil {
		s.fact(who+" gets", "nothing")
		return
	}
	s.fact(who+" gets", o.record.Condition+", \""+errorText(o.reply)+"\"")
}

func (s *screen) fact(name, text string) {
	if text != "" {
		s.text(fmt.Sprintf("%s  %-12s ", margin, name), text)
	}
}

// difference prints the lines that were removed and added, as far indented as they are in each other.
func (s *screen) difference(lines []string) {
	least := -1
	for _, l := range lines {
		if indent := len(l) - 1 - len(strings.TrimLeft(l[1:], " ")); l[0] != ' ' && (least < 0 || indent < least) {
			least = indent
		}
	}
	for _, l := range lines {
		if l[0] == ' ' || strings.HasPrefix(strings.TrimLeft(l[1:], " "), "</") {
			continue
		}
		c := red
		if l[0] == '+' {
			c = green
		}
		s.line(s.paint(c, s.cut(margin+"  "+l[:1]+" ", l[1+least:])))
	}
}

// closing sets what was seen against what the node has counted.
func (s *screen) closing(sum summary, st *control.Status) {
	z := &st.Stanzas
	s.text("", fmt.Sprintf("Seen from both sides: %d released as they are, %d released changed, %d refused, %s ended.",
		sum.asIs, sum.changed, sum.refused, count(sum.ended, "stream")))
	rest := z.Accepted - z.Deciding - z.Queued - z.Delivered - z.Refused - z.Dropped - z.Held - z.Bounced - z.Expired - z.InDoubt
	s.text("", fmt.Sprintf("Counted by the node: %d accepted = %d delivered + %d refused + %d on their way; unaccounted for: %d.",
		z.Accepted, z.Delivered, z.Refused, z.Deciding+z.Queued, rest))
	s.line()
}

// further says what a reader can try next.
func (s *screen) further(o options, st *state) {
	bin, cfg := shown(o.sallyport), " -c "+shown(st.config)
	s.line(s.paint(bold, "Look further"))
	for _, c := range [][2]string{
		{"the node at a glance", bin + " status" + cfg},
		{"a neighbour", bin + " peer show " + outsidePeer + cfg},
		{"what was refused", bin + " audit show" + cfg + " --outcome refused"},
		{"nothing was removed or edited", bin + " audit verify" + cfg + " --head " + shown(st.path("audit-heads", "head"))},
		{"why a stanza does not cross", bin + " explain" + cfg + " --from " + insidePeer + " " + shown(st.path("stanzas", "04-secret.xml"))},
		{"after you have edited " + shown(st.config), bin + " reload" + cfg},
	} {
		s.line("  # ", c[0])
		s.line("  ", c[1])
	}
	s.line()
	s.line(s.paint(bold, "Put real servers in the place of the two domains"))
	s.line("  # the node alone, after this has ended")
	s.line("  ", bin+" run"+cfg)
	for _, p := range []struct{ name, domain, far, peer string }{
		{"inside", insideDomain, outsideDomain, insidePeer}, {"outside", outsideDomain, insideDomain, outsidePeer},
	} {
		listen, route := addressesOf(st, p.peer)
		s.text("  - ", fmt.Sprintf("A server for %s: let it take connections from servers on %s, give it %s.pem and .key (trust %s), and let it find %s at %s.",
			p.domain, route, shown(filepath.Join(st.path("certs"), p.name)), shown(st.path("certs", "ca.pem")), p.far, listen))
	}
	s.text("  ", "docs/operator.md goes through it step by step, with certificates and DNS of your own.")
}

// addressesOf is where the node listens for a peer, and where it looks for it.
func addressesOf(st *state, peer string) (listen, route string) {
	for i := range st.cfg.Peers {
		c := &st.cfg.Peers[i]
		if c.Name != peer || len(c.Route) == 0 {
			continue
		}
		route = fmt.Sprintf("%s:%d", c.Route[0].Host, c.Route[0].Port)
		for j := range st.cfg.Sides {
			if s := &st.cfg.Sides[j]; s.Name == c.Side && len(s.Listen) > 0 {
				listen = s.Listen[0].String()
			}
		}
	}
	return listen, route
}

func (s *screen) staying() {
	s.line()
	s.line(s.paint(bold, "The node, both domains and both servers stay up. Ctrl-C ends them."))
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
