package gateway_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"sallyport/gateway/audit"
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/links"
)

// world is the machine of the property test: a node, and what the test knows of it.
type world struct {
	t    *testing.T
	n    *node
	sent int // arrivals
	fate fate
}

// timeless hides the deadline of the test, which is no time of the bubble.
type timeless struct{ testing.TB }

var dispositions = []links.Disposition{links.Delivered, links.Failed, links.InDoubt, links.Expired, links.Unknown}

// TestConservation: at every step of any course of events each stanza that was accepted is in exactly one place, settled receipts and
// audit records agree with the counters, and in the end nothing is left over.
func TestConservation(t *testing.T) {
	s := newSite(t, memLeaf())
	s.rules = "\n[[rule]]\nid = \"hold\"\nwhen = { kinds = [\"message\"], types = [\"headline\"] }\naction = \"hold\"\n" +
		"\n[[rule]]\nid = \"silent\"\nwhen = { types = [\"probe\"] }\naction = \"refuse\"\nreply = \"silent\"\n"
	synctest.Test(t, func(t *testing.T) {
		rapid.Check(timeless{t}, func(r *rapid.T) {
			w := &world{t: t, n: startNode(t, s, newSlowDisk())}
			w.n.link.fate = func(*delivery) fate { return w.fate }
			r.Repeat(map[string]func(*rapid.T){
				"":            w.check,
				"arrive":      w.arrive,
				"malformed":   w.malformed,
				"disposition": w.disposition,
				"settle":      w.settle,
				"full":        func(r *rapid.T) { w.n.link.setFull(domainOf(r), rapid.Bool().Draw(r, "full")) },
				"disk": func(r *rapid.T) {
					w.n.disk.open()
					if rapid.Bool().Draw(r, "shut") {
						w.n.disk.shut()
					}
				},
				"reload": w.reload,
				"wait":   func(r *rapid.T) { time.Sleep(time.Duration(rapid.IntRange(1, 60).Draw(r, "seconds")) * time.Second) },
			})
			w.finish(r)
		})
	})
}

func domainOf(r *rapid.T) string {
	return rapid.SampledFrom([]string{"a.example", "b.example", "c.example"}).Draw(r, "domain")
}

func (w *world) check(r *rapid.T) {
	w.n.rest()
	c := w.n.counts()
	sum := c.Deciding + c.Queued + c.Delivered + c.Refused + c.Dropped + c.Held + c.Bounced + c.Expired + c.InDoubt
	if c.Accepted != sum {
		r.Fatalf("accepted %d, in all places %d: %+v", c.Accepted, sum, c)
	}
	w.n.link.mu.Lock()
	kept, misuse := len(w.n.link.kept), w.n.link.misuse
	w.n.link.mu.Unlock()
	if len(misuse) > 0 {
		r.Fatal(misuse)
	}
	if int(c.Queued) > kept {
		r.Fatalf("queued %d, the link has %d", c.Queued, kept)
	}
}

// arrive lets some stanza come in, good or bad, and does not wait for it.
func (w *world) arrive(r *rapid.T) {
	from := domainOf(r)
	to := rapid.SampledFrom([]string{"a.example", "b.example", "c.example", "nowhere.example"}).Draw(r, "to")
	id := rapid.SampledFrom([]string{"1", "2", "3"}).Draw(r, "id")
	text := rapid.SampledFrom([]string{
		"<message id='%s' from='u@%s/r' to='v@%s'><body>x</body></message>",
		"<message id='%s' from='u@%s/r' to='v@%s' type='headline'><body>x</body></message>",
		"<message id='%s' from='u@%s/r' to='v@%s'><body>x</body><evil xmlns='urn:evil'/></message>",
		"<message id='%s' from='u@%s/r' to='v@%s' type='error'><error type='cancel'><gone xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>",
		"<presence id='%s' from='u@%s/r' to='v@%s'/>",
		"<presence id='%s' from='u@%s/r' to='v@%s' type='unavailable'/>",
		"<presence id='%s' from='u@%s' to='v@%s' type='subscribe'/>",
		"<presence id='%s' from='u@%s' to='v@%s' type='subscribed'/>",
		"<presence id='%s' from='u@%s' to='v@%s' type='probe'/>",
		"<iq id='%s' from='u@%s/r' to='v@%s' type='get'><ping xmlns='urn:xmpp:ping'/></iq>",
		"<iq id='%s' from='u@%s/r' to='v@%s' type='result'/>",
		"<iq id='%s' from='v@%s' to='u@%s/r' type='result'/>",
	}).Draw(r, "kind")
	in := w.n.inbound(fmt.Sprintf(text, id, from, to))
	w.sent++
	go w.n.link.arrive(in)
}

func (w *world) malformed(r *rapid.T) {
	from := jid.MustParse("u@" + domainOf(r))
	m := rapid.SampledFrom([]stanza.Malformed{
		{Stanza: stanza.JIDMalformed, Kind: stanza.Message, ID: "x"},
		{Stanza: stanza.BadRequest, Kind: stanza.IQ, Type: stanza.IQGet, ID: "x", To: jid.MustParse("v@b.example")},
		{Stanza: stanza.BadRequest, Kind: stanza.IQ, Type: stanza.IQResult, ID: "x", To: jid.MustParse("v@b.example")},
		{Stanza: stanza.PolicyViolation, Kind: stanza.Presence, TooBig: true, To: jid.MustParse("v@b.example")},
	}).Draw(r, "malformed")
	m.From = from
	w.sent++
	in := w.n.about(from.DomainJID(), jid.MustParse("b.example"))
	in.Malformed, in.Bytes = &m, 99
	go w.n.link.arrive(in)
}

// disposition decides about what is delivered from now on.
func (w *world) disposition(r *rapid.T) {
	f := fate{keep: rapid.Bool().Draw(r, "keep"), d: rapid.SampledFrom(dispositions).Draw(r, "disposition")}
	w.n.link.mu.Lock()
	w.fate = f
	w.n.link.mu.Unlock()
}

// settle decides about one or all of what was kept.
func (w *world) settle(r *rapid.T) {
	d := rapid.SampledFrom(dispositions).Draw(r, "disposition")
	if rapid.Bool().Draw(r, "all") {
		w.n.link.settle(d, nil)
		return
	}
	w.n.link.settleOne(rapid.IntRange(0, 100).Draw(r, "which"), d)
}

// reload changes to another policy, or to none, while stanzas are under way.
func (w *world) reload(r *rapid.T) {
	text := rapid.SampledFrom([]string{
		w.n.site.text(), w.n.site.text() + oneRule(`action = "refuse"`), "broken",
	}).Draw(r, "configuration")
	w.n.site.writeText(w.t, text)
	go func() { // a shut disk holds the reload up, too
		select {
		case w.n.reloads <- struct{}{}:
		case <-time.After(time.Second):
		}
	}()
}

// finish lets everything come to rest, stops the node and compares what it says with its log.
func (w *world) finish(r *rapid.T) {
	w.n.disk.open()
	if rapid.Bool().Draw(r, "stop in the middle") {
		time.Sleep(2 * time.Second) // the last reload is taken or has given up
	} else {
		for _, d := range []string{"a.example", "b.example", "c.example"} {
			w.n.link.setFull(d, false)
		}
		w.n.link.mu.Lock()
		w.fate = fate{d: links.Delivered}
		w.n.link.mu.Unlock()
		w.n.rest()
		w.n.link.settle(links.Failed, nil)
		time.Sleep(2 * time.Second)
	}
	w.n.end()
	if w.t.Failed() {
		r.FailNow()
	}
	c := w.n.counts()
	if int(c.Accepted) != w.sent || c.Deciding != 0 || c.Queued != 0 {
		r.Fatalf("%d sent, %+v", w.sent, c)
	}
	var decided, settled, released int64
	for _, e := range w.n.records(audit.Filter{}) {
		switch e.Kind {
		case audit.Decision:
			decided++
			if e.Outcome == "released" {
				released++
			}
		case audit.Settlement:
			if e.Outcome != "no-answer" { // it was delivered
				settled++
			}
		}
	}
	if decided != c.Accepted || released-settled != c.Delivered {
		r.Fatalf("%d decided, %d released, %d settled; %+v", decided, released, settled, c)
	}
}
