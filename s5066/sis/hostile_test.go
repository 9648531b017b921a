package sis_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"sallyport/s5066"
	"sallyport/s5066/sis"
)

var (
	nonARQ  = s5066.ServiceType{Mode: s5066.TxNonARQ}
	request = sis.UnidataRequest{SAP: 9, Destination: peer, Delivery: arq, Data: hello}
)

// each runs one hostile input in one piece and byte by byte, against a client that is bound
// beside a bystander, and a third time with good primitives before it.
func each(t *testing.T, input []byte, check func(t *testing.T, b *bench, id sis.ClientID)) {
	t.Helper()
	for _, piece := range []int{len(input), 1, 7} {
		b := newBench(t, nil)
		id := b.bind(9, 5, arq)
		bystander := b.bind(6, 5, arq)
		for rest := input; len(rest) > 0; {
			n := min(max(piece, 1), len(rest))
			b.s.Bytes(b.now, id, rest[:n])
			rest = rest[n:]
		}
		check(t, b, id)
		b.s.Events()
		b.send(bystander, request)
		b.events("Unidata")
		b.hears(bystander)
	}
}

// faults counts what the server told the node of unusable input.
func faults(b *bench) int {
	n := 0
	for _, e := range b.s.Events() {
		if _, ok := e.(sis.Fault); ok {
			n++
		}
	}
	return n
}

// TestN01 is wrong preambles, versions and streams of zeros.
func TestN01(t *testing.T) {
	t.Parallel()
	good := encode(t, request)
	for name, bad := range map[string][]byte{
		"EB 90":      unhex(t, "eb9000 0001 02"),
		"90 EC":      unhex(t, "90ec00 0001 02"),
		"version 01": unhex(t, "90eb01 0001 02"),
		"zeros":      make([]byte, 200),
	} {
		nine := bytes.Repeat(append(bytes.Clone(bad), good...), 9)
		each(t, nine, func(t *testing.T, b *bench, id sis.ClientID) {
			var requests, counted int
			for _, e := range b.s.Events() {
				switch e.(type) {
				case sis.Unidata:
					requests++
				case sis.Fault:
					counted++
				}
			}
			if requests != 9 || counted != 9 {
				t.Errorf("%s: %d requests and %d faults, want 9 and 9", name, requests, counted)
			}
			b.s.Bytes(b.now, id, append(bytes.Clone(bad), good...))
			b.hears(id, "S_UNBIND_INDICATION(3)", "closed")
			b.events("Fault", "Unbound")
		})
	}
	each(t, make([]byte, 9*256+1), func(t *testing.T, b *bench, id sis.ClientID) {
		b.hears(id, "S_UNBIND_INDICATION(3)", "closed")
	})
	each(t, make([]byte, 9*256), func(t *testing.T, b *bench, id sis.ClientID) { b.hears(id) })
}

// TestN02 is impossible sizes, and primitives that do not arrive in full.
func TestN02(t *testing.T) {
	t.Parallel()
	for name, bad := range map[string]string{
		"size 0":                      "90eb00 0000 01",
		"size 65535 of a bind":        "90eb00 ffff 01",
		"size smaller than structure": "90eb00 0003 01",
		"request without its header":  "90eb00 000b 14 69",
		"request with 65535 and less": "90eb00 ffff 14 69 e1020304 14 000000 0005",
	} {
		each(t, bytes.Repeat(unhex(t, bad), 9), func(t *testing.T, b *bench, id sis.ClientID) {
			if n := faults(b); n != 9 {
				t.Errorf("%s: %d faults, want 9", name, n)
			}
			b.s.Bytes(b.now, id, unhex(t, bad))
			b.hears(id, "S_UNBIND_INDICATION(3)", "closed")
		})
	}
	for name, partial := range map[string]string{
		"one byte":       "90",
		"header":         "90eb00 0004",
		"half a request": "90eb00 0011 14 69 e1020304 14 0000",
		"64 KiB promise": "90eb00 ffff 14 69 e1020304 14 000000 fff3 00",
	} {
		each(t, unhex(t, partial), func(t *testing.T, b *bench, id sis.ClientID) {
			b.wait(sis.PartialTimeout - time.Second)
			b.hears(id)
			b.wait(time.Second)
			b.hears(id, "closed")
			if e := b.events("Unbound"); len(e) == 1 && !errors.Is(e[0].(sis.Unbound).Cause, sis.ErrPartial) {
				t.Errorf("%s: %v", name, e)
			}
		})
	}
}

// TestN03 is unknown types and what only a node may send.
func TestN03(t *testing.T) {
	t.Parallel()
	for name, bad := range map[string]string{
		"type 00":              "90eb00 0001 00",
		"type 1C":              "90eb00 0001 1c",
		"type 7F":              "90eb00 0001 7f",
		"type FF":              "90eb00 0001 ff",
		"S_BIND_ACCEPTED":      "90eb00 0004 03 90 0800",
		"S_UNIDATA_INDICATION": "90eb00 0012 15 69 e1020304 19 e5060708 0005 68656c6c6f",
	} {
		each(t, bytes.Repeat(unhex(t, bad), 10), func(t *testing.T, b *bench, id sis.ClientID) {
			b.hears(id, "S_UNBIND_INDICATION(3)", "closed")
			if n := faults(b); n != 10 {
				t.Errorf("%s: %d faults, want 10", name, n)
			}
		})
	}
}

// TestN04 is binds that must not succeed.
func TestN04(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	owner := b.bind(9, 1, arq)
	thief := b.attach()
	b.send(thief, sis.BindRequest{SAP: 9, Rank: 14, Service: arq})
	b.hears(thief, "S_BIND_REJECTED(3)")
	b.hears(owner)
	if got, _ := b.s.BoundTo(9); got.Client != owner {
		t.Errorf("SAP 9 belongs to %d, want %d", got.Client, owner)
	}
	b.send(owner, sis.BindRequest{SAP: 9, Rank: 1, Service: arq}, sis.BindRequest{SAP: 10, Rank: 1, Service: arq})
	b.hears(owner, "S_BIND_REJECTED(3)", "S_BIND_REJECTED(1)")
	b.send(thief, sis.BindRequest{SAP: 0, Rank: 14, Service: arq})
	b.hears(thief, "S_BIND_REJECTED(2)")
	b.send(thief, sis.BindRequest{SAP: 8, Rank: 15, Service: arq})
	b.hears(thief, "S_BIND_REJECTED(2)")
	if list := b.s.Bindings(); len(list) != 1 {
		t.Errorf("bound: %v, want the owner alone", list)
	}
	b.events("Fault", "Fault", "Fault", "Fault", "Fault")
}

// TestN05 is requests before a bind, and U_PDUs that are too large or have the wrong size.
func TestN05(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	id := b.attach()
	b.send(id, request)
	b.hears(id)
	b.events("Fault")
	for _, n := range []int{2049, 4097, sis.MaxUPDU} {
		each(t, encode(t, sis.UnidataRequest{SAP: 9, Destination: peer, Delivery: nonARQ, Data: make([]byte, n)}),
			func(t *testing.T, b *bench, id sis.ClientID) {
				got := b.hears(id, "S_UNIDATA_REQUEST_REJECTED(4)")
				if r, ok := got[0].(sis.UnidataRejected); !ok || r.Destination != peer || len(r.Returned) != 256 {
					t.Errorf("%d bytes: %+v", n, got[0])
				}
				b.events("Fault")
			})
	}
	wrong := encode(t, request)
	wrong[16]++ // the U_PDU's own size
	each(t, wrong, func(t *testing.T, b *bench, id sis.ClientID) {
		b.hears(id)
		b.events("Fault")
	})
}

// TestN06 is destinations that are none.
func TestN06(t *testing.T) {
	t.Parallel()
	for name, address := range map[string]string{
		"length 0":                   "01020304",
		"bits beyond length 3":       "61020304",
		"length 0, group":            "11020304",
		"nothing":                    "00000000",
		"group by ARQ":               "f1020304",
		"all stations by ARQ":        "ffffffff",
		"short group address by ARQ": "30000001",
	} {
		wire := unhex(t, "90eb00 0011 14 69 "+address+" 14 000096 0005 68656c6c6f")
		each(t, wire, func(t *testing.T, b *bench, id sis.ClientID) {
			b.hears(id, "S_UNIDATA_REQUEST_REJECTED(3)")
			b.events("Fault")
			_ = name
		})
	}
	short := unhex(t, "90eb00 0011 14 69 60000304 14 000096 0005 68656c6c6f") // three half-bytes
	each(t, short, func(t *testing.T, b *bench, id sis.ClientID) {
		e := b.events("Unidata")
		if got := e[0].(sis.Unidata).Request.Destination.String(); got != "0.0.3.4" {
			t.Errorf("short address is %s, want 0.0.3.4", got)
		}
	})
}

// TestN07 is the edges of lifetime, confirmation and mode.
func TestN07(t *testing.T) {
	t.Parallel()
	longest := 24 * time.Hour
	for _, row := range []struct {
		name    string
		bind    s5066.ServiceType
		hex     string // delivery mode and TTL: four bytes
		confirm s5066.Confirmation
		ttl     time.Duration
		reject  bool
	}{
		{"TTL 0 with confirmation", arq, "14 000000", s5066.ConfirmNode, longest, false},
		{"TTL at its largest", arq, "14 0fffff", s5066.ConfirmNode, longest, false},
		{"TTL within", arq, "14 000002", s5066.ConfirmNode, 4 * time.Second, false},
		{"confirmation 3", arq, "1c 000001", s5066.ConfirmNone, 2 * time.Second, false},
		{"confirmation without ARQ", arq, "24 000001", s5066.ConfirmNone, 2 * time.Second, false},
		{"mode 0 takes the whole default", arq, "08 000001", s5066.ConfirmNode, 2 * time.Second, false},
		{"mode 0 and no default", s5066.ServiceType{}, "04 000001", 0, 0, true},
		{"mode 0 and an undefined default", s5066.ServiceType{Mode: 7}, "04 000001", 0, 0, true},
		{"undefined mode", arq, "44 000001", 0, 0, true},
	} {
		b := newBench(t, nil)
		id := b.bind(9, 5, row.bind)
		b.s.Bytes(b.now, id, unhex(t, "90eb00 0011 14 69 e1020304 "+row.hex+" 0005 68656c6c6f"))
		if row.reject {
			b.hears(id, "S_UNIDATA_REQUEST_REJECTED(5)")
			continue
		}
		e := b.events("Unidata")
		got := e[0].(sis.Unidata)
		if got.Request.Delivery.Confirm != row.confirm || got.Request.TTL != row.ttl || !got.Expires.Equal(start.Add(row.ttl)) {
			t.Errorf("%s: confirmation %v, TTL %v, expires %v", row.name, got.Request.Delivery.Confirm, got.Request.TTL, got.Expires)
		}
	}
}

// TestN08 is a client that sends for ever and never reads.
func TestN08(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	id := b.bind(9, 5, arq)
	bystander := b.bind(6, 5, arq)
	wire := encode(t, request)
	for i := range 100_000 {
		b.s.Bytes(b.now, id, wire)
		for _, e := range b.s.Events() {
			if u, ok := e.(sis.Unidata); ok {
				b.s.Confirm(b.now, id, u.Request)
			}
		}
		if i%100 == 0 {
			b.send(bystander, request)
			for _, e := range b.s.Events() {
				b.s.Confirm(b.now, e.(sis.Unidata).Client, e.(sis.Unidata).Request)
			}
			b.hears(bystander, "S_UNIDATA_REQUEST_CONFIRM")
		}
	}
	list, closing := b.output(id)
	if !closing {
		t.Error("the client was not cut off")
	}
	if last := list[len(list)-1-sis.FlowGrace]; words(last) != "S_DATA_FLOW_OFF" {
		t.Errorf("before the last confirmations comes %s, want S_DATA_FLOW_OFF", words(last))
	}
	if n := len(encode(t, list...)); n > sis.QueueMax {
		t.Errorf("%d bytes were kept for the client, %d at most", n, sis.QueueMax)
	}
	if s := b.s.Stats(); s.CutOff != 1 || s.Ignored != sis.MaxIgnored+1 {
		t.Errorf("stats %+v", s)
	}
}

// TestN08 the other way: the air brings more than a client reads.
func TestN08Indications(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	id := b.bind(9, 5, arq)
	in := sis.UnidataIndication{SAP: 9, Destination: peer, Mode: s5066.TxARQ, Source: source, Data: make([]byte, 2048)}
	given := 0
	for range 10_000 {
		if _, ok := b.s.Indicate(b.now, in); ok {
			given++
		}
	}
	if given > sis.QueueMax/2048 {
		t.Errorf("%d U_PDUs were kept for a client that does not read", given)
	}
	if e := b.events("Unbound"); !errors.Is(e[0].(sis.Unbound).Cause, sis.ErrNotReading) {
		t.Errorf("cause %v", e[0])
	}
	b.hears(id, "closed")
}

// TestN09 is an indication with more blocks than bytes, on the client's side.
func TestN09(t *testing.T) {
	t.Parallel()
	c, _ := boundClient(t, sis.BindOptions{SAP: 9, Service: arq})
	for name, bad := range map[string]string{
		"65535 pairs, none there":    "90eb00 0014 15 69 e1020304 39 e5060708 0005 ffff 68656c6c6f",
		"second list missing":        "90eb00 0014 15 69 e1020304 39 e5060708 0005 0000 68656c6c6f",
		"U_PDU larger than the rest": "90eb00 0012 15 69 e1020304 19 e5060708 0006 68656c6c6f",
		"four bytes more, not zero":  "90eb00 0016 15 69 e1020304 19 e5060708 0005 00000001 68656c6c6f",
	} {
		c.Bytes(start, unhex(t, bad))
		heard(t, c, "Fault")
		_ = name
	}
	c.Bytes(start, unhex(t, "90eb00 0012 15 69 e1020304 19 e5060708 0005 68656c6c6f"))
	heard(t, c, "Received")
	for range 6 {
		c.Bytes(start, unhex(t, "90eb00 0014 15 69 e1020304 39 e5060708 0005 ffff 68656c6c6f"))
	}
	heard(t, c, "Fault", "Fault", "Fault", "Fault", "Fault", "Fault", "Ended")
}
