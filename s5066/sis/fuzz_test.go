package sis_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sallyport/s5066/sis"
)

// seeds are all vectors, alone and with damage around them.
func seeds(f *testing.F) {
	f.Helper()
	var all []byte
	for _, v := range vectors {
		b := unhex(f, v.hex)
		f.Add(b)
		all = append(append(all, b...), 0x90)
	}
	f.Add(all)
}

// FuzzParsePrimitive: what is read can be written, and is then read as the same.
func FuzzParsePrimitive(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		p, rest, err := sis.ParsePrimitive(b)
		if err != nil {
			return
		}
		if len(rest) >= len(b) || !bytes.HasSuffix(b, rest) {
			t.Fatalf("%d of %d bytes left", len(rest), len(b))
		}
		again, rest, err := sis.ParsePrimitive(encode(t, p))
		if d := cmp.Diff(p, again, equal); d != "" || err != nil || len(rest) > 0 {
			t.Fatalf("%v, %d left:\n%s", err, len(rest), d)
		}
	})
}

// FuzzDecoder: the cuts of a stream make no difference, every byte is used up or waits, and
// a good primitive is found behind whatever came before it.
func FuzzDecoder(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		run := func(piece int) (list []sis.Primitive, faults []string) {
			var d sis.Decoder
			for rest := b; len(rest) > 0; {
				n := min(piece, len(rest))
				d.Push(rest[:n])
				rest = rest[n:]
				for {
					p, err := d.Next()
					if errors.Is(err, sis.ErrShort) {
						break
					}
					if err != nil {
						faults = append(faults, err.Error())
						continue
					}
					list = append(list, p)
				}
			}
			return list, faults
		}
		whole, f1 := run(len(b) + 1)
		bits, f2 := run(1)
		if d := cmp.Diff(whole, bits, equal); d != "" || len(f1) != len(f2) {
			t.Fatalf("faults %v and %v:\n%s", f1, f2, d)
		}
	})
}

// FuzzServer: whatever a client says, the server writes primitives of a node only, keeps no
// more than its limit for the client, and leaves a bystander alone.
func FuzzServer(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, in []byte) {
		b := newBench(t, func(c *sis.ServerConfig) { c.KeepAlive = 0 })
		bystander := b.bind(6, 5, arq)
		id := b.attach()
		b.send(id, sis.BindRequest{SAP: 9, Rank: 3, Service: arq})
		for rest := in; len(rest) > 0; {
			n := min(17, len(rest))
			b.s.Bytes(b.now, id, rest[:n])
			rest = rest[n:]
			for _, e := range b.s.Events() {
				if u, ok := e.(sis.Unidata); ok {
					if len(u.Request.Data) > 2048 || !u.Request.Delivery.Mode.Defined() || u.Expires.Before(b.now) {
						t.Fatalf("accepted %+v", u)
					}
					b.s.Confirm(b.now, id, u.Request)
				}
			}
			b.wait(time.Second)
		}
		list, _ := b.output(id)
		for _, p := range list {
			switch p.(type) {
			case sis.BindRequest, sis.UnbindRequest, sis.UnidataRequest, sis.HardLinkEstablish, sis.HardLinkAccept, sis.HardLinkReject, sis.HardLinkTerminate:
				t.Fatalf("the server said %s", p.Type())
			}
		}
		b.s.Closed(b.now, id)
		b.s.Events()
		b.send(bystander, request)
		b.events("Unidata")
		for _, x := range b.s.Bindings() {
			if x.Client == id {
				t.Fatal("a closed client is bound")
			}
		}
	})
}

// FuzzClient: whatever a node says, each request has at most one outcome, and after the end
// nothing is told and no timer runs.
func FuzzClient(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, in []byte) {
		c, _ := boundClient(t, sis.BindOptions{SAP: 9, Service: arq})
		now, outcomes, ended := start, map[uint64]int{}, 0
		note := func() {
			for _, e := range c.Events() {
				if ended > 0 {
					t.Fatalf("after the end: %#v", e)
				}
				switch e := e.(type) {
				case sis.Confirmed:
					outcomes[e.ID]++
				case sis.Rejected:
					outcomes[e.ID]++
				case sis.InDoubt:
					outcomes[e.ID]++
				case sis.Ended:
					ended++
				}
			}
		}
		for id := uint64(1); len(in) > 0; id++ {
			_ = c.Send(now, id, request)
			n := min(17, len(in))
			c.Bytes(now, in[:n])
			in = in[n:]
			note()
			now = now.Add(time.Second)
			c.Tick(now)
			note()
		}
		c.Closed(now)
		note()
		delete(outcomes, 0)
		for id, n := range outcomes {
			if n != 1 {
				t.Fatalf("request %d has %d outcomes", id, n)
			}
		}
		if _, running := c.Deadline(); running || ended != 1 {
			t.Fatalf("ended %d times, timer running %v", ended, running)
		}
	})
}
