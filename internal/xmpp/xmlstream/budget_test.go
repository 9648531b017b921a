package xmlstream_test

import (
	"encoding/xml"
	"fmt"
	"hash/crc64"
	"math"
	"math/bits"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sallyport/internal/xmpp/xmlstream"
)

// open returns a decoder on which a server stream is open.
func open(t testing.TB, l xmlstream.Limits) *xmlstream.Decoder {
	t.Helper()
	d := xmlstream.NewDecoder(xmlstream.Options{ContentNS: xmlstream.NSServer, Limits: l})
	d.Write([]byte(benchHeader))
	if _, err := d.Next(); err != nil {
		t.Fatal(err)
	}
	return d
}

func TestBudgetAllocations(t *testing.T) {
	d := open(t, xmlstream.ServerLimits())
	stanza := []byte(benchMessage)
	var e *xmlstream.Element
	read := func() {
		d.Write(stanza)
		ev, err := d.Next()
		if err != nil {
			t.Fatal(err)
		}
		e = ev.Element
	}
	if n := testing.AllocsPerRun(100, read); n > 5 {
		t.Errorf("%v allocations for a labelled message, budget 5 (block, text, elements, attributes, nodes)", n)
	}
	buf := make([]byte, 0, 1024)
	if n := testing.AllocsPerRun(100, func() { buf, _ = xmlstream.AppendElement(buf[:0], e, xmlstream.NSServer) }); n > 0 {
		t.Errorf("%v allocations to write it, budget 0", n)
	}
	look := func() {
		_, _ = e.Attr("to")
		_ = e.Child("urn:xmpp:sec-label:0", "securitylabel").Child("urn:xmpp:sec-label:0", "label").Text()
		_ = e.Child(xmlstream.NSServer, "body").Text()
		_ = e.Equal(e)
		for c := range e.Children() {
			_ = c.Name()
		}
	}
	if n := testing.AllocsPerRun(100, look); n > 0 {
		t.Errorf("%v allocations to look at it, budget 0", n)
	}
}

// TestBudgetSpeed wants a labelled message several times faster than encoding/xml reads its tokens. Both are taken
// many times in turn and the fastest of each counts, since other work on the machine only ever adds.
func TestBudgetSpeed(t *testing.T) {
	d := open(t, xmlstream.ServerLimits())
	stanza := []byte(benchMessage)
	ours := func() {
		d.Write(stanza)
		if _, err := d.Next(); err != nil {
			t.Fatal(err)
		}
	}
	x := xml.NewDecoder(&endless{head: benchHeader, body: benchMessage})
	for range 2 {
		x.Token()
	}
	theirs := func() { readStd(t, x) }
	best := [2]time.Duration{math.MaxInt64, math.MaxInt64}
	for n := 0; n < tries(60) || n < tries(600) && best[1] < 4*best[0]; n++ { // a busy machine may need more of them
		for i, f := range []func(){ours, theirs} {
			took := spent(t, func() {
				for range 200 {
					f()
				}
			})
			best[i] = min(best[i], took/200)
		}
	}
	ratio := float64(best[1]) / float64(best[0])
	t.Logf("%v against %v: %.1f times faster", best[0], best[1], ratio)
	// The budget is 6, which make bench measures; a test on a machine that does other work besides asks less of it.
	if ratio < 4 && !raceEnabled {
		t.Errorf("%.1f times faster than encoding/xml, 4 at least", ratio)
	}
}

// heapPeak reads in, made piece by piece, and returns how far the live heap rose above its start.
func heapPeak(t *testing.T, l xmlstream.Limits, in func() string) (rise uint64, last error) {
	t.Helper()
	live := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	d := open(t, l)
	start := live()
	var got []xmlstream.Event
	for since := 0; ; {
		piece := in()
		if piece == "" {
			break
		}
		r := strings.NewReader(piece)
		for r.Len() > 0 && last == nil {
			if _, err := d.Fill(r); err != nil {
				t.Fatal(err)
			}
			ev, err := d.Next()
			if err == nil {
				got = append(got, ev) // the tree and the scratch memory at the same time
			} else if err != xmlstream.ErrShort {
				last = err
			}
		}
		if since += len(piece); since < 64<<10 && !strings.HasSuffix(piece, "</message>") {
			continue
		}
		since = 0
		if now := live(); now > start {
			rise = max(rise, now-start)
		}
	}
	runtime.KeepAlive(got)
	runtime.KeepAlive(d)
	return rise, last
}

// times makes n pieces.
func times(n int, head, piece, tail string) func() string {
	i := -1
	return func() string {
		i++
		switch {
		case i == 0:
			return head
		case i <= n:
			return piece
		case i == n+1:
			return tail
		}
		return ""
	}
}

// TestBudgetHeap is rule 6 of the list of hostile inputs: no input makes the heap grow by more than 4 times the limit.
func TestBudgetHeap(t *testing.T) {
	limit := xmlstream.ServerLimits().ElementBytes
	text := strings.Repeat("0123456789abcdef", 1024)
	uris := "<a" + manyAttributes(60, "xmlns:p%d='urn:"+strings.Repeat("u", 480)+"'") + ">"
	tests := map[string]func() string{
		"A02 entities":      times(1, "<!DOCTYPE l [", strings.Repeat("<!ENTITY a '&a;&a;'>", 1000), "]>&j;"),
		"A15 CDATA":         times(80, "<message><body><![CDATA[", text, "]]></body></message>"),
		"A31 text":          times(640, "<message><body>", text, "</body></message>"),
		"A31 value":         times(64, "<message><body x='", text, "'/></message>"),
		"A31 almost":        times(31, "<message><body>", text, "</body></message>"),
		"dense":             times(16, "<message>", "<b>"+strings.Repeat("<a/>", 4000)+"</b>", "</message>"),
		"dense, then text":  times(26, "<message><b>"+strings.Repeat("<a/>", 4000)+"</b>"+strings.Repeat("<b>"+strings.Repeat("<a/>", 3700)+"</b>", 7), text, "</message>"),
		"dense texts":       times(16, "<message>", "<b>"+strings.Repeat("x<a/>", 4000)+"</b>", "</message>"),
		"dense items":       times(12, "<message>", "<b>"+strings.Repeat("<item jid='a@b.example' name='x'/>", 1000)+"</b>", "</message>"),
		"dense attributes":  times(400, "<message>", "<b"+manyAttributes(64, "a%d=''")+"/>", "</message>"),
		"dense spaces":      times(16, "<message>", "<b>"+strings.Repeat("<a xmlns='u'/>", 2000)+"</b>", "</message>"),
		"C12 declarations":  times(4, "<message>", uris, ""),
		"C12 discarding":    times(40, "<message>"+strings.Repeat(text, 33), uris+"</a>", "</message>"),
		"attributes beyond": times(60, "<message>"+strings.Repeat(text, 33), "<a"+manyAttributes(60, strings.Repeat("n", 250)+"%d=''")+">", ""),
	}
	for name, in := range tests {
		rise, err := heapPeak(t, xmlstream.ServerLimits(), in)
		t.Logf("%-18s %.2f times the limit, %v", name, float64(rise)/float64(limit), err)
		if rise > 4*uint64(limit) {
			t.Errorf("%s: the heap grew by %d, more than 4 times %d", name, rise, limit)
		}
	}
}

// TestHostileA32Allocation bounds all that is ever allocated, not only what lives.
func TestHostileA32Allocation(t *testing.T) {
	in := []byte(message(strings.Repeat("<a/>", 65_000)))
	d := open(t, xmlstream.ServerLimits())
	var m0, m1 runtime.MemStats
	runtime.ReadMemStats(&m0)
	d.Write(in)
	ev, err := d.Next()
	runtime.ReadMemStats(&m1)
	if err != nil || ev.Kind != xmlstream.OversizeEvent {
		t.Errorf("got %v %v, want oversize", ev.Kind, err)
	}
	if got := m1.TotalAlloc - m0.TotalAlloc; got > 20*uint64(len(in)) {
		t.Errorf("%d bytes allocated for %d", got, len(in))
	}
}

// TestHostileA33 sends 20,000 attribute names with one CRC-64, in elements of 64.
func TestHostileA33(t *testing.T) {
	stanza := func(name func(i uint64) string) []byte {
		var b strings.Builder
		b.WriteString("<message>")
		for i := range uint64(20_000) {
			if i%64 == 0 {
				b.WriteString("<a")
			}
			fmt.Fprintf(&b, " %s=''", name(i))
			if i%64 == 63 || i == 19_999 {
				b.WriteString("/>")
			}
		}
		return []byte(b.String() + "</message>")
	}
	names := collidingNames()
	colliding := stanza(names)
	if a, b := names(1), names(19_999); a == b || crc64.Checksum([]byte(a), ecma) != crc64.Checksum([]byte(b), ecma) {
		t.Fatalf("%s and %s do not collide", a, b)
	}
	random := stanza(func(i uint64) string { return fmt.Sprintf("n%019d", bits.Reverse64(i)>>4) })
	cost := func(in []byte) time.Duration {
		d := open(t, xmlstream.ServerLimits())
		d.Write(in)
		return spent(t, func() {
			if ev, err := d.Next(); err != nil || ev.Kind != xmlstream.ElementEvent {
				t.Fatalf("%v %v", ev.Kind, err)
			}
		})
	}
	// In turn, and the fastest of each counts: other work on the machine only ever adds.
	a, b := time.Duration(math.MaxInt64), time.Duration(math.MaxInt64)
	for n := 0; n < tries(15) || n < tries(300) && a > 2*b; n++ {
		a, b = min(a, cost(colliding)), min(b, cost(random))
	}
	t.Logf("colliding %v, random %v, %d bytes", a, b, len(colliding))
	if a > 2*b && !raceEnabled {
		t.Errorf("colliding names take %v, random ones %v", a, b)
	}
}

var ecma = crc64.MakeTable(crc64.ECMA)

// collidingNames returns a function that makes names of 20 letters which all have the same CRC-64. A CRC is linear: of
// the 80 differences in four bits of each letter, 16 combinations are without effect. The bits are chosen so that h
// stays a letter.
func collidingNames() func(i uint64) string {
	type row struct {
		crc  uint64
		diff [20]byte
	}
	var pivots [65]*row
	var without [][20]byte
	zero := crc64.Checksum(make([]byte, 20), ecma)
	for n := range 80 {
		r := &row{}
		r.diff[n/4] = []byte{1, 2, 4, 0x20}[n%4]
		r.crc = crc64.Checksum(r.diff[:], ecma) ^ zero
		for r.crc != 0 {
			p := pivots[bits.LeadingZeros64(r.crc)]
			if p == nil {
				pivots[bits.LeadingZeros64(r.crc)] = r
				break
			}
			r.crc ^= p.crc
			for j := range r.diff {
				r.diff[j] ^= p.diff[j]
			}
		}
		if r.crc == 0 {
			without = append(without, r.diff)
		}
	}
	return func(i uint64) string {
		name := []byte("hhhhhhhhhhhhhhhhhhhh")
		for k, diff := range without {
			if i>>k&1 == 1 {
				for j := range name {
					name[j] ^= diff[j]
				}
			}
		}
		return string(name)
	}
}

// TestBudgetLinear sends something long byte by byte, and then something eight times as long.
func TestBudgetLinear(t *testing.T) {
	for name, parts := range map[string][3]string{
		"value":      {"<message><a b='", "x", "'/></message>"},
		"text":       {"<message><a>", "x", "</a></message>"},
		"CDATA":      {"<message><a><![CDATA[", "]", "]]></a></message>"},
		"spaces":     {"<message><a", " ", "/></message>"},
		"references": {"<message><a>", "&#65;", "</a></message>"},
	} {
		cost := func(n int) time.Duration {
			in := []byte(parts[0] + strings.Repeat(parts[1], n/len(parts[1])) + parts[2])
			d := open(t, xmlstream.ServerLimits())
			return spent(t, func() {
				for i := range in {
					d.Write(in[i : i+1])
					if _, err := d.Next(); err != nil && err != xmlstream.ErrShort {
						t.Fatal(name, err)
					}
				}
			})
		}
		small, large := time.Duration(math.MaxInt64), time.Duration(math.MaxInt64)
		for n := 0; n < tries(5) || n < tries(50) && large > 32*small; n++ {
			small, large = min(small, cost(32<<10)), min(large, cost(256<<10))
		}
		t.Logf("%-10s %v for 32 KiB, %v for 256 KiB", name, small, large)
		if large > 32*small && !raceEnabled { // a square would be 64 times
			t.Errorf("%s: 8 times the bytes take %v instead of %v", name, large, small)
		}
	}
}

// TestBudgetCPU is rule 6 again: 50 ms for 256 KiB, whatever is in it. The worst known inputs are those that look up
// many prefixes and compare many attributes. A machine that is slow, or does other work besides, may take four times as long;
// what is not linear takes seconds.
func TestBudgetCPU(t *testing.T) {
	perMiB := func(in string) time.Duration {
		best := time.Duration(math.MaxInt64)
		for range tries(3) {
			d := open(t, xmlstream.ServerLimits())
			d.Write([]byte(in))
			best = min(best, spent(t, func() {
				for {
					if _, err := d.Next(); err != nil {
						break
					}
				}
			}))
		}
		return best * (256 << 10) / time.Duration(len(in))
	}
	wide := "<m xmlns:z='urn:z'>" + strings.Repeat("<m"+manyAttributes(61, "xmlns:p%d='urn:u'")+">", 4)
	for name, in := range map[string]string{
		"prefixes":   "<message>" + wide + strings.Repeat("<a"+manyAttributes(60, "z:a%d=''")+"/>", 600),
		"duplicates": "<message>" + strings.Repeat("<a"+manyAttributes(64, "a%d=''")+"/>", 600),
		"A29":        "<message><a" + manyAttributes(100_000, "a%d=''") + "/></message>",
		"tags":       "<message>" + strings.Repeat("<b>"+strings.Repeat("<a/>", 4000)+"</b>", 14),
		"references": "<message>" + strings.Repeat("&lt;", 64<<10),
		"unicode":    "<message>" + strings.Repeat("é", 128<<10),
	} {
		cost := perMiB(in)
		t.Logf("%-10s %v for 256 KiB", name, cost)
		if cost > 4*50*time.Millisecond && !raceEnabled {
			t.Errorf("%s: %v for 256 KiB, budget 50 ms and four times that at most", name, cost)
		}
	}
}

// spent is the time of the processor that f takes: what others do on the machine costs it little.
func spent(t testing.TB, f func()) time.Duration {
	t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	now := func() time.Duration {
		var at unix.Timespec
		if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &at); err != nil {
			t.Fatal(err)
		}
		return time.Duration(at.Nano())
	}
	began := now()
	f()
	return now() - began
}

// tries is how often something is timed. With the race detector times mean nothing and once is enough.
func tries(n int) int {
	if raceEnabled {
		return 1
	}
	return n
}

func readStd(t testing.TB, x *xml.Decoder) {
	for depth := 0; ; {
		token, err := x.Token()
		if err != nil {
			t.Fatal(err)
		}
		switch token.(type) {
		case xml.StartElement:
			depth++
		case xml.EndElement:
			depth--
		}
		if depth == 0 {
			return
		}
	}
}
