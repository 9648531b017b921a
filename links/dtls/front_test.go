package dtls_test

import (
	"bytes"
	"crypto/rand"
	"net/netip"
	"testing"
	"time"

	"sallyport/links/dtls"
)

// frontier is a Front with a hello that has its cookie.
type frontier struct {
	t     *testing.T
	front *dtls.Front
	hello []byte
	now   time.Time
}

func newFrontier(t *testing.T, l dtls.Limits) *frontier {
	t.Helper()
	f, err := dtls.NewFront(l, anywhere, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &frontier{t, f, recordedHello(t), time.Unix(1_800_000_000, 0)}
}

func (f *frontier) in(from netip.AddrPort, b []byte) []dtls.Output {
	out := f.front.Datagram(f.now, from, bytes.Clone(b), nil)
	for i := range out {
		out[i].Data = bytes.Clone(out[i].Data)
	}
	return out
}

// withCookie asks for the cookie of an address and puts it before the hello.
func (f *frontier) withCookie(from netip.AddrPort) []byte {
	f.t.Helper()
	out := f.in(from, f.hello)
	if len(out) != 1 || out[0].Kind != dtls.Answer {
		f.t.Fatalf("%v", out)
	}
	return append(out[0].Data, f.hello...)
}

// begin opens an association from an address.
func (f *frontier) begin(from netip.AddrPort) (dtls.Key, dtls.CID) {
	f.t.Helper()
	out := f.in(from, f.withCookie(from))
	if len(out) != 2 || out[0].Kind != dtls.Begin || out[1].Kind != dtls.Deliver || !bytes.Equal(out[1].Data, f.hello) {
		f.t.Fatalf("%v", out)
	}
	return out[0].Key, out[0].CID
}

// protected is a record with an id, of that many bytes of body.
func protected(cid dtls.CID, body int) []byte {
	b := append([]byte{25, 0xFE, 0xFD, 0, 1, 0, 0, 0, 0, 0, 1}, cid[:]...)
	return append(append(b, byte(body>>8), byte(body)), make([]byte, body)...)
}

const answerBody = 19 + 1 + 16

func kinds(out []dtls.Output) (all []dtls.Kind) {
	for _, o := range out {
		all = append(all, o.Kind)
	}
	return all
}

// TestCookies: one is good for its address and hello, for a while.
func TestCookies(t *testing.T) {
	port := func(a netip.AddrPort, p uint16) netip.AddrPort { return netip.AddrPortFrom(a.Addr(), p) }
	for _, row := range []struct {
		name  string
		from  netip.AddrPort
		later time.Duration
		spoil func([]byte)
		good  bool
	}{
		{"good", elsewhere, 0, nil, true},
		{"a minute later", elsewhere, time.Minute, nil, true},
		{"three minutes later", elsewhere, 3 * time.Minute, nil, false},
		{"from another address", attackerAt, 0, nil, false},
		{"from another port", port(elsewhere, 1), 0, nil, false},
		{"another hello", elsewhere, 0, func(b []byte) { b[48+13+12+2] ^= 1 }, false},
		{"forged", elsewhere, 0, func(b []byte) { b[47] ^= 1 }, false},
		{"as IPv6 sees an IPv4 address", netip.AddrPortFrom(netip.AddrFrom16(elsewhere.Addr().As16()), elsewhere.Port()), 0, nil, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			f := newFrontier(t, dtls.Limits{})
			b := f.withCookie(elsewhere)
			f.now = f.now.Add(row.later)
			if row.spoil != nil {
				row.spoil(b)
			}
			if out := f.in(row.from, b); (len(out) == 2 && out[0].Kind == dtls.Begin) != row.good {
				t.Errorf("%v", kinds(out))
			}
		})
	}
}

// TestHalfOpen: there are only so many, from one source and in all, for only so long.
func TestHalfOpen(t *testing.T) {
	f := newFrontier(t, dtls.Limits{PerSource: 3, HalfOpen: 5, Handshake: time.Second})
	from := func(host byte, p int) netip.AddrPort {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, host}), uint16(p)) //nolint:gosec // small
	}
	began := func(a netip.AddrPort) bool { return len(f.in(a, f.withCookie(a))) == 2 }
	for i, want := range []bool{true, true, true, false} {
		if began(from(1, 1000+i)) != want {
			t.Errorf("association %d from one source: %v", i+1, !want)
		}
	}
	if !began(from(2, 1)) || !began(from(2, 2)) || began(from(3, 1)) {
		t.Error("five in all")
	}
	network := netip.MustParseAddr("2001:db8::1")
	f.now = f.now.Add(time.Second)
	if out := f.front.Tick(f.now, nil); len(out) != 5 || out[0].Kind != dtls.Expire {
		t.Errorf("%v after a second", kinds(out))
	}
	if c := f.front.Counts(); c.HalfOpen != 0 || c.Associations != 0 || c.Expired != 5 || c.Refused != 2 {
		t.Errorf("%+v", c)
	}
	for i, want := range []bool{true, true, true, false} { // one host of IPv6 has a whole /64
		if began(netip.AddrPortFrom(network, 1)) != want {
			t.Errorf("association %d from a /64: %v", i+1, !want)
		}
		network = network.Next()
	}
}

// TestRestart: a neighbour that lost its memory begins again from the same address and port, without waiting for anything.
func TestRestart(t *testing.T) {
	f := newFrontier(t, dtls.Limits{})
	first, _ := f.begin(elsewhere)
	f.hello[13+12+2+5] ^= 1 // another random
	out := f.in(elsewhere, f.withCookie(elsewhere))
	if len(out) != 3 || out[0].Kind != dtls.Expire || out[0].Key != first || out[1].Kind != dtls.Begin {
		t.Errorf("half-open: %v", kinds(out))
	}
	second, cid := out[1].Key, out[1].CID
	f.front.Established(second, time.Second)
	f.hello[13+12+2+5] ^= 3
	if out = f.in(elsewhere, f.withCookie(elsewhere)); len(out) != 2 || out[0].Kind != dtls.Begin {
		t.Errorf("established: %v", kinds(out))
	}
	if out = f.in(elsewhere, protected(cid, 50)); len(out) != 1 || out[0].Key != second {
		t.Errorf("the old one lives until somebody ends it: %v", out)
	}
}

// TestMove walks through a change of address.
func TestMove(t *testing.T) {
	type step struct {
		do   func(f *frontier, k dtls.Key, cid dtls.CID, token *dtls.Token) []dtls.Output
		want []dtls.Kind
	}
	datagram := func(from netip.AddrPort, body int) func(*frontier, dtls.Key, dtls.CID, *dtls.Token) []dtls.Output {
		return func(f *frontier, _ dtls.Key, cid dtls.CID, token *dtls.Token) []dtls.Output {
			out := f.in(from, protected(cid, body))
			for _, o := range out {
				if o.Kind == dtls.Challenge {
					*token = o.Token
				}
			}
			return out
		}
	}
	answered := func(f *frontier, k dtls.Key, _ dtls.CID, token *dtls.Token) []dtls.Output {
		return f.front.Answered(k, *token, nil)
	}
	authentic := func(from netip.AddrPort) func(*frontier, dtls.Key, dtls.CID, *dtls.Token) []dtls.Output {
		return func(f *frontier, k dtls.Key, _ dtls.CID, _ *dtls.Token) []dtls.Output {
			return f.front.Authentic(k, from, nil)
		}
	}
	wait := func(d time.Duration) func(*frontier, dtls.Key, dtls.CID, *dtls.Token) []dtls.Output {
		return func(f *frontier, _ dtls.Key, _ dtls.CID, _ *dtls.Token) []dtls.Output {
			f.now = f.now.Add(d)
			return f.front.Tick(f.now, nil)
		}
	}
	for _, row := range []struct {
		name  string
		steps []step
		at    netip.AddrPort
	}{
		{"proven", []step{
			{datagram(shipAt, 100), []dtls.Kind{dtls.Deliver}},
			{datagram(elsewhere, 100), []dtls.Kind{dtls.Challenge}},
			{datagram(elsewhere, 200), nil},
			{datagram(elsewhere, answerBody), []dtls.Kind{dtls.Deliver}},
			{authentic(elsewhere), nil},
			{answered, []dtls.Kind{dtls.Moved, dtls.Deliver, dtls.Deliver}},
			{datagram(elsewhere, 100), []dtls.Kind{dtls.Deliver}},
			{datagram(shipAt, 100), []dtls.Kind{dtls.Challenge}},
		}, elsewhere},
		{"the answer came from where it was", []step{
			{datagram(attackerAt, 100), []dtls.Kind{dtls.Challenge}},
			{authentic(shipAt), nil},
			{answered, nil},
		}, shipAt},
		{"authentic without an answer", []step{
			{datagram(attackerAt, 100), []dtls.Kind{dtls.Challenge}},
			{authentic(attackerAt), nil},
		}, shipAt},
		{"an answer to nothing", []step{
			{authentic(attackerAt), nil},
			{answered, nil},
		}, shipAt},
		{"an answer before it was asked for does not pass", []step{
			{datagram(attackerAt, answerBody), nil},
		}, shipAt},
		{"only as many answers pass as challenges went", []step{
			{datagram(attackerAt, 100), []dtls.Kind{dtls.Challenge}},
			{datagram(attackerAt, answerBody), []dtls.Kind{dtls.Deliver}},
			{datagram(attackerAt, answerBody), nil},
		}, shipAt},
		{"challenges keep their pace and their number", []step{
			{datagram(elsewhere, 100), []dtls.Kind{dtls.Challenge}},
			{wait(time.Second), nil},
			{datagram(elsewhere, 100), []dtls.Kind{dtls.Challenge}},
			{datagram(elsewhere, 100), nil},
		}, shipAt},
		{"too late", []step{
			{datagram(elsewhere, 100), []dtls.Kind{dtls.Challenge}},
			{wait(time.Minute), nil},
			{authentic(elsewhere), nil},
			{answered, nil},
		}, shipAt},
		{"too small to be worth a challenge", []step{{datagram(elsewhere, 10), nil}}, shipAt},
	} {
		t.Run(row.name, func(t *testing.T) {
			f := newFrontier(t, dtls.Limits{})
			k, cid := f.begin(shipAt)
			f.front.Established(k, time.Second)
			f.front.Settled(k)
			var token dtls.Token
			for i, s := range row.steps {
				if got := kinds(s.do(f, k, cid, &token)); !bytes.Equal(bytesOf(got), bytesOf(s.want)) {
					t.Fatalf("step %d: %v, want %v", i, got, s.want)
				}
			}
			if at, _ := f.front.Address(k); at != row.at {
				t.Errorf("at %v, want %v", at, row.at)
			}
		})
	}
}

func bytesOf(ks []dtls.Kind) (b []byte) {
	for _, k := range ks {
		b = append(b, byte(k))
	}
	return b
}

// TestDropped: what the front lets nobody see.
func TestDropped(t *testing.T) {
	f := newFrontier(t, dtls.Limits{})
	k, cid := f.begin(shipAt)
	clear := func(typ byte, epoch byte) []byte {
		return []byte{typ, 0xFE, 0xFD, 0, epoch, 0, 0, 0, 0, 0, 1, 0, 2, 1, 1}
	}
	other := cid
	other[0] ^= 1
	later := protected(cid, 50)
	later[4] = 2
	never := protected(cid, 50)
	never[4] = 0
	for _, row := range []struct {
		name    string
		from    netip.AddrPort
		data    []byte
		settled bool // only from then on
	}{
		{"application data in clear", shipAt, clear(23, 0), false},
		{"application data without an id", shipAt, clear(23, 1), false},
		{"a heartbeat of TLS", shipAt, clear(24, 0), false},
		{"an unknown type", shipAt, clear(99, 0), false},
		{"handshake of epoch 1 without an id", shipAt, clear(22, 1), false},
		{"an unknown id", shipAt, protected(other, 50), false},
		{"an id in epoch 2", shipAt, later, false},
		{"an id in epoch 0", shipAt, never, false},
		{"elsewhere, in the handshake", elsewhere, protected(cid, 100), false},
		{"handshake from nobody", elsewhere, clear(22, 0), false},
		{"alert from nobody", elsewhere, clear(21, 0), false},
		{"alert in clear when all is settled", shipAt, clear(21, 0), true},
		{"handshake in clear when all is settled", shipAt, clear(22, 0), true},
	} {
		t.Run(row.name, func(t *testing.T) {
			if row.settled {
				f.front.Established(k, time.Second)
				f.front.Settled(k)
			}
			if out := f.in(row.from, row.data); len(out) > 0 {
				t.Errorf("%v", kinds(out))
			}
		})
	}
}
