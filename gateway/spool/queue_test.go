package spool_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sallyport/gateway/spool"
	"sallyport/internal/xmpp/jid"
)

func TestOrderOfHandOut(t *testing.T) {
	b := newBed(t, spool.Options{})
	for _, e := range []struct {
		id    int
		class spool.Class
	}{{1, spool.Routine}, {2, spool.Flash}, {3, spool.Routine}, {4, spool.Priority}, {5, spool.Flash}} {
		in := entry("p", e.id)
		in.Class = e.class
		b.put(in)
	}
	b.put(entry("q", 9))
	if got := b.all("p"); !slices.Equal(got, []int{2, 5, 4, 1, 3}) {
		t.Errorf("got %v", got)
	}
}

// What is not durable is not handed out.
func TestOnlyWhatIsDurableIsHandedOut(t *testing.T) {
	b := newBed(t, spool.Options{})
	if err := b.s.Append(entry("p", 1), nil); err != nil {
		t.Fatal(err)
	}
	if id := b.next("p"); id != 0 {
		t.Errorf("%d before the commit", id)
	}
	b.s.Step()
	if id := b.next("p"); id != 1 {
		t.Errorf("%d after it", id)
	}
}

// A lane is on one link at a time, and what comes back goes before what is later.
func TestOneLinkPerLane(t *testing.T) {
	b := newBed(t, spool.Options{})
	var numbers []spool.Number
	for id := 1; id <= 4; id++ {
		numbers = append(numbers, b.put(entry("p", id)))
	}
	for range 3 {
		b.next("p")
	}
	if e, ok := b.s.Next("p", "other link", b.now); ok {
		t.Errorf("%d on a second link", e.Conversation)
	}
	if err := b.s.Requeue(numbers[0]); err != nil {
		t.Fatal(err)
	}
	if id := b.next("p"); id != 0 {
		t.Errorf("%d while 2 and 3 are under way: the receiver would drop what is below them", id)
	}
	if n := b.s.Rewind("p", "link"); n != 2 {
		t.Errorf("%d rewound", n)
	}
	for want := 1; want <= 4; want++ {
		if e, ok := b.s.Next("p", "other link", b.now); !ok || int(e.Conversation) != want {
			t.Errorf("got %d, want %d", e.Conversation, want)
		}
	}
}

func TestBudgets(t *testing.T) {
	small := spool.Limits{Bytes: 8000, PeerBytes: 4000, Entries: 24, PeerEntries: 8}
	tests := []struct {
		name  string
		peers []string
		class spool.Class
		bytes int
		what  string
		taken int
	}{
		{"entries of a peer, routine", []string{"p"}, spool.Routine, 10, "peer", 7},
		{"entries of a peer, urgent", []string{"p"}, spool.Flash, 10, "peer", 8},
		{"bytes of a peer", []string{"p"}, spool.Flash, 744, "peer", 4},
		{"bytes in all", []string{"p", "q", "r"}, spool.Flash, 744, "spool", 8},
		{"entries in all", []string{"p", "q", "r", "s"}, spool.Flash, 1, "spool", 24},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBed(t, spool.Options{Limits: small})
			var full *spool.FullError
			taken := 0
			for i := range 100 {
				e := entry(tt.peers[i%len(tt.peers)], 1)
				e.Class, e.Stored = tt.class, make([]byte, tt.bytes)
				admit := b.s.Admit(e.Peer, e.Class, tt.bytes)
				err := b.s.Append(e, nil)
				if !errors.Is(err, admit) && (admit == nil) != (err == nil) {
					t.Fatalf("Admit says %v, Append %v", admit, err)
				}
				if errors.As(err, &full) {
					break
				}
				taken++
			}
			if full == nil || full.What != tt.what || taken != tt.taken || !errors.Is(full, spool.ErrFull) {
				t.Errorf("%d taken, then %v", taken, full)
			}
		})
	}
}

func TestLifetime(t *testing.T) {
	b := newBed(t, spool.Options{CacheBytes: -1})
	for id := 1; id <= 3; id++ {
		e := entry("p", id)
		e.Expires = noon.Add(time.Duration(id) * time.Minute)
		b.put(e)
	}
	b.next("p")
	b.now = noon.Add(150 * time.Second)
	if got := b.s.Expire(b.now); len(got) != 1 || got[0].Conversation != 2 {
		t.Fatalf("expired %v; 1 is under way and 3 has time", got)
	}
	b.s.Rewind("p", "link")
	if got := b.all("p"); len(got) > 0 {
		t.Errorf("handed out %v before the ends of what was in front are on disk", got)
	}
	b.s.Step()
	if !slices.Equal(b.ended, []string{"2 expired", "1 expired"}) {
		t.Errorf("ended: %v", b.ended)
	}
	if got := b.all("p"); !slices.Equal(got, []int{3}) {
		t.Errorf("handed out %v", got)
	}
}

func TestCoalescing(t *testing.T) {
	presence := func(id int) spool.Entry {
		e := entry("p", id)
		e.Latest = spool.KeyOf("presence", "a", "b")
		return e
	}
	state := func(id int) spool.Entry {
		e := entry("p", id)
		e.Fleeting = true
		return e
	}
	copyTo := func(id int, to string) spool.Entry {
		e := entry("p", id)
		e.Copy, e.To = spool.KeyOf("room", "stanza"), jid.MustParse(to)
		return e
	}
	tests := []struct {
		name string
		in   []spool.Entry
		want []int
		also int
		sum  [2]int64 // superseded, queued
	}{
		{"latest presence wins", []spool.Entry{presence(1), entry("p", 2), presence(3)}, []int{2, 3}, 0, [2]int64{1, 2}},
		{"chat state behind a message is dropped", []spool.Entry{entry("p", 1), state(2)}, []int{1}, 0, [2]int64{1, 1}},
		{"chat state alone goes", []spool.Entry{state(1)}, []int{1}, 0, [2]int64{0, 1}},
		{"copies merge", []spool.Entry{copyTo(1, "x@b.example"), copyTo(2, "y@b.example"), copyTo(3, "z@b.example")}, []int{1}, 2, [2]int64{0, 3}},
	}
	for _, together := range []bool{false, true} {
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				b := newBed(t, spool.Options{Limits: spool.Limits{MergeWindow: time.Minute}})
				told := 0
				for _, e := range tt.in {
					if err := b.s.Append(e, func(_ spool.Number, err error) {
						if err == nil {
							told++
						}
					}); err != nil {
						t.Fatal(err)
					}
					if !together {
						b.s.Step()
					}
				}
				b.s.Step()
				check := func(when string) {
					sum := b.s.Stats().Totals
					if sum.Balance() != 0 || sum.Queued != tt.sum[1] {
						t.Errorf("%s: %+v", when, sum)
					}
					list := b.s.Entries("p", 0, 10)
					var ids []int
					for _, e := range list {
						ids = append(ids, int(e.Conversation))
					}
					if !slices.Equal(ids, tt.want) || len(list[0].Also) != tt.also {
						t.Errorf("%s: %v, %d other recipients", when, ids, len(list[0].Also))
					}
				}
				check("before")
				if e, ok := b.s.Next("p", "link", b.now); tt.also > 0 && ok {
					t.Errorf("%d was handed out while it takes copies in", e.Conversation)
				}
				if told != len(tt.in) || b.s.Stats().Totals.Ended[spool.Superseded] != tt.sum[0] {
					t.Errorf("%d told, %+v", told, b.s.Stats().Totals)
				}
				b.fs.Crash(func(int) int { return 0 })
				b.open()
				check("after a power cut")
			})
		}
	}
}

func TestPoison(t *testing.T) {
	b := newBed(t, spool.Options{})
	b.put(entry("p", 1))
	b.put(entry("p", 2))
	for loss := 1; loss <= 3; loss++ {
		if id := b.next("p"); id != 1 {
			t.Fatalf("handed out %d", id)
		}
		e, poison := b.s.StreamLost("p", "link")
		if poison != (loss == 3) {
			t.Fatalf("loss %d: %v", loss, poison)
		}
		if poison {
			if err := b.s.Done(e.Number, spool.Bounced); err != nil || e.Stored == nil {
				t.Fatal(err)
			}
		}
		b.s.Rewind("p", "link")
	}
	b.s.Step()
	if id := b.next("p"); id != 2 || !slices.Equal(b.ended, []string{"1 bounced"}) {
		t.Errorf("next is %d, ended %v", id, b.ended)
	}
}

func TestBacklog(t *testing.T) {
	b := newBed(t, spool.Options{})
	urgent := entry("q", 1)
	urgent.Class = spool.Flash
	b.put(entry("q", 2))
	b.now = noon.Add(time.Minute)
	b.put(urgent)
	b.put(entry("p", 3))
	b.next("p")
	want := []spool.PeerBacklog{
		{Peer: "p", Entries: 1, Underway: 1, Bytes: 256 + 13, Oldest: b.now},
		{Peer: "q", Class: spool.Flash, Entries: 1, Bytes: 256 + 11, Oldest: b.now},
		{Peer: "q", Entries: 1, Bytes: 256 + 12, Oldest: noon},
	}
	if diff := cmp.Diff(want, b.s.Backlog()); diff != "" {
		t.Error(diff)
	}
}

func TestClassesAndOutcomesHaveWords(t *testing.T) {
	for c := spool.Routine; int(c) < spool.NumClasses; c++ {
		if back, err := spool.ParseClass(c.String()); err != nil || back != c {
			t.Errorf("%d: %v, %v", c, back, err)
		}
	}
	for o := spool.NoOutcome; o <= spool.Damaged; o++ {
		if back, err := spool.ParseOutcome(o.String()); err != nil || back != o {
			t.Errorf("%d: %v, %v", o, back, err)
		}
	}
	if _, err := spool.ParseClass("urgent"); err == nil {
		t.Error("a word that is none was taken")
	}
}
