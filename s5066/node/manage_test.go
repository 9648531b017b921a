package node_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"sallyport/s5066"
	"sallyport/s5066/dpdu"
	"sallyport/s5066/manage"
	"sallyport/s5066/node"
	"sallyport/s5066/sis"
)

// managed is two nodes that agree on rates, at 1200 bit/s, and clients that keep a link between them.
func managed(t *testing.T, change func(i int, c *node.Config)) *world {
	t.Helper()
	w := newWorld(t, worldConfig{stations: 2, wave: "110a-1200-short", seed: 1, change: func(i int, c *node.Config) {
		c.SIS.MaxRank = s5066.RankManager
		c.DTS.Rate.On, c.DTS.Rate.Rates, c.DTS.Rate.Interleave = true, []int{300, 600, 1200, 2400}, dpdu.ShortInterleaver
		c.DTS.Rate.Down, c.DTS.Rate.Up, c.DTS.Rate.Frames, c.DTS.Rate.Hold = 0.3, 0.02, 1000, time.Minute
		if change != nil {
			change(i, c)
		}
	}})
	return w
}

// link makes one.
func (w *world) link() {
	w.t.Helper()
	a := w.nodes[0].bind(6, arq)
	w.nodes[1].bind(6, arq)
	a.unidata(1, s5066.ConfirmNode, []byte("hello"))
	w.run(5*time.Minute, func() bool { return len(a.confirmed()) == 1 })
	if len(a.confirmed()) != 1 {
		w.t.Fatal("there is no link")
	}
}

// manager binds with rank 15.
func (s *station) manager() *client {
	s.w.t.Helper()
	id, err := s.n.Attach(s.w.now)
	if err != nil {
		s.w.t.Fatal(err)
	}
	c := &client{s: s, id: id}
	s.clients = append(s.clients, c)
	c.send(sis.BindRequest{SAP: s5066.SAPManagement, Rank: s5066.RankManager, Service: s5066.ServiceType{Mode: s5066.TxNonARQ}})
	s.w.drain(s)
	return c
}

func (c *client) order(r manage.Request) {
	c.s.w.t.Helper()
	body, err := manage.AppendRequest(nil, r)
	if err != nil {
		c.s.w.t.Fatal(err)
	}
	c.send(sis.Management{Message: manage.NumberRequest, Body: body})
}

// answer is the one to a request, waited for.
func (c *client) answer(id uint64) (a manage.Answer) {
	c.s.w.t.Helper()
	found := func() bool {
		for _, p := range c.got {
			m, ok := p.(sis.Management)
			if !ok || m.Message != manage.NumberAnswer {
				continue
			}
			one, err := manage.ParseAnswer(m.Body)
			if err != nil {
				c.s.w.t.Fatal(err)
			}
			if one.ID == id {
				a = one
				return true
			}
		}
		return false
	}
	c.s.w.run(10*time.Minute, found)
	if !found() {
		c.s.w.t.Fatalf("no answer to request %d", id)
	}
	return a
}

// told are the events that a manager was told, as kind and text.
func (c *client) told() (all []string) {
	c.s.w.t.Helper()
	for _, p := range c.got {
		if m, ok := p.(sis.Management); ok && m.Message == manage.NumberEvent {
			e, err := manage.ParseEvent(m.Body)
			if err != nil {
				c.s.w.t.Fatal(err)
			}
			all = append(all, strings.TrimSpace(e.Kind+" "+e.Remote.String()+" "+e.Text))
		}
	}
	return all
}

func TestAManagerAsksForTheNode(t *testing.T) {
	t.Parallel()
	w := managed(t, nil)
	w.link()
	m := w.nodes[0].manager()
	m.order(manage.Request{ID: 7, Verb: manage.VerbStatus})
	a := m.answer(7)
	if !a.OK || a.Status == nil || a.Status.Address != address(0) || a.Status.Rate != 1200 || len(a.Status.Links) != 1 || a.Status.Links[0].State != "up" || a.Status.Clients != 2 {
		t.Errorf("%+v %+v", a, a.Status)
	}
	m.order(manage.Request{ID: 8, Verb: "reboot"})
	if a := m.answer(8); a.OK || !strings.Contains(a.Why, `no verb "reboot"`) {
		t.Errorf("%+v", a)
	}
	m.send(sis.Management{Message: manage.NumberRequest, Body: []byte("reboot")})
	if a := m.answer(0); a.OK || a.Why == "" {
		t.Errorf("%+v", a)
	}
}

func TestOnlyManagersManage(t *testing.T) {
	t.Parallel()
	w := managed(t, nil)
	c := w.nodes[0].bind(6, arq)
	c.order(manage.Request{ID: 7, Verb: manage.VerbEMCON, On: true})
	w.run(time.Minute, nil)
	if w.status(0).EMCON || slices.ContainsFunc(c.got, func(p sis.Primitive) bool { _, ok := p.(sis.Management); return ok }) {
		t.Error("a client of rank 5 managed the node")
	}
}

// TestARateIsAgreedOn: asked for by a manager, by an operator, and refused in words.
func TestARateIsAgreedOn(t *testing.T) {
	t.Parallel()
	w := managed(t, nil)
	w.link()
	m := w.nodes[0].manager()
	m.order(manage.Request{ID: 1, Verb: manage.VerbWatch, On: true})
	m.order(manage.Request{ID: 2, Verb: manage.VerbRate, Rate: 600, Remote: address(1)})
	if a := m.answer(2); !a.OK {
		t.Errorf("%+v", a)
	}
	w.run(time.Minute, nil)
	for i := range w.nodes {
		if r := w.status(i).Waveform.Rate(); r != 600 {
			t.Errorf("node %d transmits at %d bit/s", i, r)
		}
	}
	told := m.told()
	for _, want := range []string{"rate changed 1.2.3.5 110a-600-short", "management 1.2.3.5 600 bit/s: done", "management 1.2.3.5 order wire: rate response accept, reason 0"} {
		if !slices.Contains(told, want) {
			t.Errorf("no event %q among %q", want, told)
		}
	}
	for _, c := range []struct {
		remote s5066.Address
		rate   int
		want   string
	}{
		{address(1), 600, "is the rate already"},
		{address(1), 9600, "is none of the rates"},
		{address(2), 1200, "no link to the remote node"},
		{address(0), 1200, "none of the permitted nodes"},
	} {
		if _, err := w.nodes[0].n.AskRate(w.now, c.remote, c.rate); !errors.Is(err, node.ErrOrder) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%d bit/s with %s: %v, want %q", c.rate, c.remote, err, c.want)
		}
	}
}

func TestARateIsRefusedByTheOtherNode(t *testing.T) {
	t.Parallel()
	w := managed(t, func(i int, c *node.Config) { c.DTS.Rate.On = i == 0 })
	w.link()
	id, err := w.nodes[0].n.AskRate(w.now, address(1), 600)
	if err != nil {
		t.Fatal(err)
	}
	ended := func() bool { a := w.status(0).Asked; return len(a) == 1 && !a[0].Ended.IsZero() }
	w.run(10*time.Minute, ended)
	a := w.status(0).Asked[0]
	if a.ID != id || a.OK || !strings.Contains(a.Why, "neither rate nor interleaver") {
		t.Errorf("%+v", a)
	}
	if r := w.status(0).Waveform.Rate(); r != 1200 {
		t.Errorf("%d bit/s", r)
	}
	if _, err := w.nodes[1].n.AskRate(w.now, address(0), 600); err == nil || !strings.Contains(err.Error(), "cannot be changed by agreement") {
		t.Errorf("without rate control: %v", err)
	}
}

// TestAMessageInTheOrderWire needs no link; a type that the other node does not know is acknowledged, and answered as unknown.
func TestAMessageInTheOrderWire(t *testing.T) {
	t.Parallel()
	w := managed(t, nil)
	m := w.nodes[0].manager()
	m.order(manage.Request{ID: 1, Verb: manage.VerbWatch, On: true})
	m.order(manage.Request{ID: 2, Verb: manage.VerbMessage, Remote: address(1), Type: 9, Data: 3, Extended: "0a"})
	if a := m.answer(2); !a.OK || !strings.Contains(a.Text, "message type 9, data 03, extended 0a: done") {
		t.Errorf("%+v", a)
	}
	w.run(5*time.Minute, nil)
	if told := m.told(); !slices.Contains(told, "management 1.2.3.5 order wire: message type 9 not recognised") {
		t.Errorf("%q", told)
	}
	if heard := w.nodes[1].events; !slices.ContainsFunc(heard, func(e node.Event) bool {
		return e.Kind == node.Management && e.Text == "order wire: message type 9, data 03, extended 0a"
	}) {
		t.Errorf("the other node says nothing of it: %+v", heard)
	}
	m.order(manage.Request{ID: 3, Verb: manage.VerbMessage, Remote: address(1), Type: 1})
	if a := m.answer(3); a.OK || !strings.Contains(a.Why, "agreed on by a procedure") {
		t.Errorf("%+v", a)
	}
	w.nodes[1].kill()
	m.order(manage.Request{ID: 4, Verb: manage.VerbMessage, Remote: address(1), Type: 9})
	if a := m.answer(4); a.OK || a.Why != "no answer" {
		t.Errorf("%+v", a)
	}
}

// TestOrdersUnderSilence: nothing is asked of others, and silence itself is ordered and told.
func TestOrdersUnderSilence(t *testing.T) {
	t.Parallel()
	w := managed(t, nil)
	m := w.nodes[0].manager()
	m.order(manage.Request{ID: 1, Verb: manage.VerbWatch, On: true})
	m.order(manage.Request{ID: 2, Verb: manage.VerbEMCON, On: true})
	m.order(manage.Request{ID: 3, Verb: manage.VerbMessage, Remote: address(1), Type: 9})
	if a := m.answer(3); a.OK || !strings.Contains(a.Why, "radio silence") {
		t.Errorf("%+v", a)
	}
	m.order(manage.Request{ID: 4, Verb: manage.VerbRate, Rate: 300})
	if a := m.answer(4); !a.OK || w.status(0).Waveform.Rate() != 300 {
		t.Errorf("%+v, %s", a, w.status(0).Waveform)
	}
	m.order(manage.Request{ID: 5, Verb: manage.VerbRate, Rate: 301})
	if a := m.answer(5); a.OK || !strings.Contains(a.Why, "has no 301 bit/s") {
		t.Errorf("%+v", a)
	}
	if told := m.told(); len(told) != 2 || !strings.HasSuffix(told[0], "EMCON on") || !strings.HasSuffix(told[1], "110a-300-short") {
		t.Errorf("%q", told)
	}
	w.run(time.Hour, nil)
	if n := w.sim.Stats().Transmissions; n != 0 {
		t.Errorf("%d transmissions", n)
	}
}

// TestAFixedRateIsNotOrdered: the modem would not know.
func TestAFixedRateIsNotOrdered(t *testing.T) {
	t.Parallel()
	w := managed(t, func(_ int, c *node.Config) { c.FixedRate = true })
	m := w.nodes[0].manager()
	m.order(manage.Request{ID: 1, Verb: manage.VerbRate, Rate: 300})
	if a := m.answer(1); a.OK || !strings.Contains(a.Why, "cannot be told its rate") || w.status(0).Waveform.Rate() != 1200 {
		t.Errorf("%+v, %s", a, w.status(0).Waveform)
	}
}
