package hf_test

import (
	"errors"
	"testing"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/links"
	"sallyport/links/hf"
	"sallyport/s5066"
	"sallyport/s5066/channel"
	"sallyport/s5066/dpdu"
	"sallyport/s5066/modem"
	hfnode "sallyport/s5066/node"
	"sallyport/s5066/sis"
)

// hop is two modes without their edges, each a client of a whole node, over a clean channel, in one goroutine and in virtual time.
type hop struct {
	t    testing.TB
	now  time.Time
	wave modem.Waveform
	sim  *channel.Sim
	ends [2]*hopEnd
}

// hopEnd is one gateway's mode, its client, and its node.
type hopEnd struct {
	n      *hfnode.Node
	id     sis.ClientID
	client *sis.Client
	m      hf.Machine
	number uint64
	given  int // bytes of U_PDUs

	asked   []time.Time     // when each stanza was put
	took    []time.Duration // until it had arrived at the other end
	up      time.Time       // when there was a link first
	keyedAt []time.Time     // of each transmission, the beginning
}

func newHop(t testing.TB, wave string, cfg hf.Config, seed uint64) *hop {
	t.Helper()
	w, err := modem.ParseWaveform(wave)
	if err != nil {
		t.Fatal(err)
	}
	h := &hop{t: t, now: time.Unix(1_800_000_000, 0), wave: w}
	radio := modem.DefaultRadio()
	clean := channel.Everybody(channel.Path{Profile: channel.FrameLoss(0, 200)})
	if h.sim, err = channel.New(channel.Config{Stations: 2, Radio: radio, Paths: clean, Seed: seed}, h.now); err != nil {
		t.Fatal(err)
	}
	yes := func(jid.JID) bool { return true }
	cfg.Name, cfg.SAP, cfg.Remote, cfg.Local = "hf", s5066.SAPRCOP, yes, yes
	turn := modem.Timing{Waveform: w, Radio: radio}
	cfg.Profile = links.Profile{BitsPerSecond: int64(w.Rate()), RoundTrip: 2 * turn.Arrival(100), HalfDuplex: true}
	for i := range h.ends {
		e := &hopEnd{}
		c := hfnode.Default(s5066.Unicast(0x1020304+uint32(i)), w) //nolint:gosec // 0 or 1
		c.PermitAll, c.Seed = true, seed*2+uint64(i)
		if e.n, err = hfnode.New(c, h.now); err != nil {
			t.Fatal(err)
		}
		e.n.ModemUp(h.now, radio, 1)
		service := s5066.ServiceType{Mode: s5066.TxARQ, Confirm: s5066.ConfirmNode}
		client, err := sis.NewClient(h.now, sis.BindOptions{SAP: cfg.SAP, Rank: 5, Service: service, KeepAlive: -1})
		id, err2 := e.n.Attach(h.now)
		if err := errors.Join(err, err2); err != nil {
			t.Fatal(err)
		}
		own := cfg
		own.Address = s5066.Unicast(0x1020305 - uint32(i)) //nolint:gosec // 0 or 1
		e.client, e.id, e.m = client, id, hf.NewMachine(&own, h.now)
		h.ends[i] = e
	}
	h.settle()
	return h
}

// put gives one end a stanza for the other.
func (h *hop) put(from int, x *xmlstream.Element) {
	e := h.ends[from]
	e.number++
	e.asked = append(e.asked, h.now)
	e.m.Put(h.now, x, e.number)
	h.settle()
}

// arrived notes stanzas that came to an end.
func (h *hop) arrived(at, stanzas int) {
	from := h.ends[1-at]
	for range stanzas {
		if len(from.took) == len(from.asked) {
			h.t.Fatal("more stanzas arrived than were sent")
		}
		from.took = append(from.took, h.now.Sub(from.asked[len(from.took)]))
	}
}

// settle passes on what all have for each other until nobody has anything.
func (h *hop) settle() {
	for again := true; again; {
		again = false
		for i, e := range h.ends {
			h.arrived(i, e.m.Tick(h.now))
			for e.client.Ready() {
				id, q, ok := e.m.Next(h.now)
				if !ok {
					break
				}
				e.given += len(q.Data)
				if err := e.client.Send(h.now, id, q); err != nil {
					h.t.Fatal(err)
				}
			}
			if b, _ := e.client.Output(); len(b) > 0 {
				again = true
				e.n.Bytes(h.now, e.id, b)
			}
			if b, _ := e.n.Output(e.id); len(b) > 0 {
				again = true
				e.client.Bytes(h.now, b)
			}
			h.heard(i, e)
			for _, o := range e.n.Orders() {
				if _, ok := o.(modem.Key); ok {
					e.keyedAt = append(e.keyedAt, h.now)
				}
				if err := h.sim.Order(h.now, i, o); err != nil {
					h.t.Fatal(err)
				}
			}
			for _, v := range e.n.Events() {
				if v.Kind == hfnode.LinkUp && e.up.IsZero() {
					e.up = v.Time
				}
			}
		}
	}
}

func (h *hop) heard(i int, e *hopEnd) {
	for _, v := range e.client.Events() {
		switch v := v.(type) {
		case sis.Received:
			h.arrived(i, e.m.Heard(h.now, v.Data))
		case sis.Confirmed:
			e.m.Outcome(h.now, v.ID, true, 0)
		case sis.Rejected:
			e.m.Outcome(h.now, v.ID, false, v.Reason)
		case sis.InDoubt:
			e.m.Outcome(h.now, v.ID, false, 0)
		case sis.Ended:
			h.t.Fatalf("a node ended the conversation: %v", v.Err)
		}
	}
}

// run lets time pass, for so long or until done says so.
func (h *hop) run(limit time.Duration, done func() bool) {
	end := h.now.Add(limit)
	for still := 0; h.now.Before(end) && (done == nil || !done()); {
		next := end
		at := func(t time.Time, ok bool) {
			if ok && !t.IsZero() && t.Before(next) {
				next = t
			}
		}
		at(h.sim.Deadline())
		for _, e := range h.ends {
			at(e.n.Deadline())
			at(e.client.Deadline())
			at(e.m.Deadline(), true)
		}
		if next.After(h.now) {
			h.now, still = next, 0
		} else if still++; still > 2000 {
			h.t.Fatalf("no progress: %+v", h.ends[0].n.Status(h.now))
		}
		for _, d := range h.sim.Tick(h.now) {
			h.ends[d.Station].n.Modem(h.now, d.Event)
			h.settle()
		}
		for _, e := range h.ends {
			e.client.Tick(h.now)
			if t, ok := e.n.Deadline(); ok && !t.After(h.now) {
				e.n.Tick(h.now)
			}
		}
		h.settle()
	}
}

// await runs until everything that was put has arrived.
func (h *hop) await() {
	all := func() bool {
		return len(h.ends[0].took) == len(h.ends[0].asked) && len(h.ends[1].took) == len(h.ends[1].asked)
	}
	if h.run(6*time.Hour, all); !all() {
		h.t.Fatalf("%d of %d and %d of %d stanzas arrived: %+v", len(h.ends[0].took), len(h.ends[0].asked), len(h.ends[1].took), len(h.ends[1].asked),
			h.ends[0].n.Status(h.now))
	}
}

// keyed is bytes of D_PDUs by what they are for, and transmissions of both ends. Data are those of the end that writes, units the U_PDUs in
// them, back are data of the other end.
type keyed struct{ data, units, back, acks, access, trains float64 }

func (h *hop) keyed() (k keyed) {
	k.units = float64(h.ends[0].given)
	for i, e := range h.ends {
		s := e.n.Status(h.now).Stats
		k.trains += float64(s.Trains)
		for kind, t := range s.Keyed {
			switch n := float64(t.Bytes); dpdu.Type(kind) { //nolint:gosec // of sixteen
			case dpdu.DataOnly, dpdu.DataAck:
				if i == 0 {
					k.data += n
				} else {
					k.back += n
				}
			case dpdu.AckOnly:
				k.acks += n
			default:
				k.access += n
			}
		}
	}
	return k
}

// each is what one of n costs, beyond what before had cost.
func (k keyed) each(before keyed, n int) keyed {
	f := float64(n)
	return keyed{
		(k.data - before.data) / f, (k.units - before.units) / f, (k.back - before.back) / f, (k.acks - before.acks) / f, (k.access - before.access) / f, (k.trains - before.trains) / f,
	}
}
