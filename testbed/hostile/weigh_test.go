package hostile_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sallyport/gateway/audit"
)

// heavy is an input that tries to be expensive: it is weighed when all but its end has been read (rule 6).
type heavy struct {
	name   string
	head   string
	repeat string
	times  int
	tail   string
	want   want
}

func (h *heavy) bytes() int { return len(h.head) + len(h.repeat)*h.times + len(h.tail) }

// noise is what the bystanders may hold at a moment beside what is weighed.
const noise = 1 << 20

// weighed are rows whose cost matters as much as their end.
func weighed(name string, cases ...heavy) row {
	return row{name, func(t *testing.T, w *world) {
		for _, h := range cases {
			t.Run(h.name, func(t *testing.T) { w.weigh(t, &h) })
		}
	}}
}

func (w *world) weigh(t *testing.T, h *heavy) {
	l := w.lane(t)
	r := &run{t: t, w: w, lane: l, v: variant{h.name, "", h.want}, split: whole, before: w.id("before"), bad: w.id("bad"), end: w.id("after")}
	r.seq, r.heardB = w.audit.read(), w.b.counted()
	r.conn = w.login(t, l)
	r.conn.say(good(l.domain, "b.example", r.before))
	w.b.await(t, r.before)
	heap, cpu := liveHeap(), spentCPU()
	r.conn.say(fill(h.head, l, r.bad))
	piece := []byte(strings.Repeat(h.repeat, max(1, min(h.times, (16<<10)/len(h.repeat)))))
	for left := h.times * len(h.repeat); left > 0; left -= len(piece) {
		if !r.conn.write(piece[:min(left, len(piece))]) {
			break // it need not be heard to the end
		}
	}
	eventually(t, patience, "everything is read", func() bool { return unread(r.conn.address()) == 0 })
	cost := spentCPU() - cpu
	if grown := int64(liveHeap()) - int64(heap); grown > 4*stanzaLimit+noise {
		t.Errorf("the heap grew by %d KiB, limit %d KiB", grown>>10, (4*stanzaLimit)>>10)
	}
	// Both ends of the connection, TLS and the bystanders are in this process, and machines differ. What is not linear costs a
	// hundred times as much.
	if budget := 500 * time.Millisecond * time.Duration(1+h.bytes()/(256<<10)); cost > budget && !raceEnabled {
		t.Errorf("%d KiB cost %v of CPU, limit %v", h.bytes()>>10, cost, budget)
	}
	if h.want.outcome == endsStream {
		go r.conn.say(h.tail + strings.Replace(good(l.domain, "b.example", r.end), "fine", mark, 1))
		r.ends()
	} else {
		r.conn.say(h.tail + good(l.domain, "b.example", r.end))
		w.b.await(t, r.end)
	}
	w.pass(t, l)
	r.delivered()
	r.told()
	r.recorded()
	r.conn.close()
	eventually(t, patience, "the heap is as before", func() bool { return liveHeap() <= heap+noise })
}

// spentCPU is what the process has used.
func spentCPU() time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// unread is how many bytes sent from that address the other end of the connection has not taken from its socket
// (proc(5), net/tcp).
func unread(address string) int {
	var ip [4]byte
	var port int
	if _, err := fmt.Sscanf(address, "%d.%d.%d.%d:%d", &ip[0], &ip[1], &ip[2], &ip[3], &port); err != nil {
		return -1
	}
	remote := fmt.Sprintf("%02X%02X%02X%02X:%04X", ip[3], ip[2], ip[1], ip[0], port)
	b, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		return -1
	}
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		if len(f) < 5 || f[2] != remote {
			continue
		}
		var tx, rx int
		if _, err := fmt.Sscanf(f[4], "%X:%X", &tx, &rx); err != nil {
			return -1
		}
		return rx
	}
	return 0 // hung up already
}

// heavyA are the large inputs of group A.
func heavyA() []row {
	const kib = 1 << 10
	open := message("")
	open = strings.TrimSuffix(open, "</message>")
	limit, attributes := streamError("policy-violation"), manyAttributes(64, "abcdefgh%03d=''")
	return []row{
		weighed("A15_cdata_without_end",
			heavy{"within_the_limit", open + "<body><![CDATA[", "x", 300 * kib, "]]></body></message>", deny("size")},
			heavy{"over_it", open + "<body><![CDATA[", "x", 600 * kib, "]]></body></message>", tooBig()},
			heavy{"over_what_is_discarded", open + "<body><![CDATA[", "x", 1530 * kib, strings.Repeat("x", 16*kib), limit},
			heavy{
				"unaddressable", "<message id='$ID'><body><![CDATA[", "x", 520 * kib, "]]></body></message>",
				streamErrorWith("policy-violation", "<stanza-too-big xmlns='urn:xmpp:errors'/>"),
			},
		),
		{"A15_oversized_and_slow", slowOversize},
		weighed("A28_depth", heavy{"just_allowed", open, "<a>", 62, strings.Repeat("</a>", 62) + "</message>", deny("depth")}),
		weighed("A29_attributes", heavy{"of_many_elements", open, "<a" + attributes + "/>", 500 * kib / (len(attributes) + 4), "</message>", deny("")}),
		weighed("A31_large_values",
			heavy{"attribute", open + "<x a='", "x", kib * kib, "'/></message>", tooBig()},
			heavy{"attribute_of_the_stanza", "<message to='$TO' from='$FROM' id='$ID' a='", "x", 511 * kib, strings.Repeat("x", 16*kib), limit},
			heavy{"body", open + "<body>", "x", 10 * kib * kib, "</body></message>", limit},
		),
		weighed("A32_siblings",
			heavy{"just_allowed", open, "<a/>", 4_090, "</message>", deny("")},
			heavy{"in_many_parents", open, "<b>" + strings.Repeat("<a/>", 4_000) + "</b>", 32, "</message>", tooBig()},
		),
	}
}

// slowOversize: A15. What is read past may take 10 seconds, and not longer.
func slowOversize(t *testing.T, w *world) {
	l := w.lane(t)
	seq := w.audit.read()
	r := w.login(t, l)
	began := time.Now() // not after the node has begun to count
	r.say(fill(strings.TrimSuffix(message(""), "</message>"), l, w.id("slow")) + "<body>" + strings.Repeat("x", 600<<10))
	done := make(chan struct{})
	go func() {
		tick := time.NewTicker(300 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				r.say("x")
			case <-done:
				return
			}
		}
	}()
	said := r.end(patience)
	close(done)
	if took := time.Since(began); took < 9*time.Second || !strings.HasSuffix(said, streamErrorText(streamError("policy-violation"))+goodbye) {
		t.Errorf("after %v said %q", took, said)
	}
	if e := w.audit.await(t, seq, "end of the stream", endOf(r.address())); e != nil && (e.FromPeer != "evil" || e.Size < 600<<10) {
		t.Errorf("recorded %s", show([]audit.Entry{*e}))
	}
}
