package spool_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"sallyport/gateway/spool"
	"sallyport/internal/xmpp/jid"
)

const window = time.Second

// roomCopy is what a room said, for one occupant: all copies have the same key, and each occupant a conversation.
func roomCopy(said string, to string) spool.Entry {
	e := message(to)
	e.Copy, e.To = spool.KeyOf("room", said), jid.MustParse(to+"@b.example")
	return e
}

// message is something else that is said to an occupant.
func message(to string) spool.Entry {
	return entry("p", int(to[0]))
}

// told is one handed-out entry in short: its recipients by their first letters.
func told(e *spool.Entry) string {
	s := e.To.Local()
	if s == "" {
		s = string(rune(e.Conversation))
	}
	for _, to := range e.Also {
		s += to.Local()
	}
	return s
}

func (b *bed) toldAll() (all []string) {
	for e, ok := b.s.Next("p", "link", b.now); ok; e, ok = b.s.Next("p", "link", b.now) {
		all = append(all, told(&e))
	}
	return all
}

func merging() spool.Options {
	return spool.Options{Limits: spool.Limits{MergeWindow: window}}
}

// A copy joins the entry of another only where it overtakes nothing of its own conversation.
func TestMergeNeverOvertakes(t *testing.T) {
	urgent := message("y")
	urgent.Class = spool.Flash
	tests := []struct {
		name string
		in   []spool.Entry
		want []string
	}{
		{"nothing between", []spool.Entry{roomCopy("1", "x"), roomCopy("1", "y")}, []string{"xy"}},
		{"others between", []spool.Entry{roomCopy("1", "x"), message("z"), roomCopy("1", "y")}, []string{"xy", "z"}},
		{"its own between", []spool.Entry{roomCopy("1", "x"), message("y"), roomCopy("1", "y")}, []string{"x", "y", "y"}},
		{"its own before", []spool.Entry{message("y"), roomCopy("1", "x"), roomCopy("1", "y")}, []string{"y", "xy"}},
		{"its own in another lane", []spool.Entry{roomCopy("1", "x"), urgent, roomCopy("1", "y")}, []string{"y", "xy"}},
		{
			"two that cross",
			[]spool.Entry{roomCopy("1", "x"), roomCopy("2", "y"), roomCopy("1", "y"), roomCopy("2", "x")},
			[]string{"x", "yx", "y"},
		},
		{
			"one who joined something between",
			[]spool.Entry{roomCopy("1", "x"), roomCopy("2", "z"), roomCopy("2", "y"), roomCopy("1", "y"), roomCopy("1", "v")},
			[]string{"x", "zy", "yv"},
		},
		{"the same twice", []spool.Entry{roomCopy("1", "x"), roomCopy("1", "x"), roomCopy("1", "y")}, []string{"x", "xy"}},
		{"the same twice, of those who joined", []spool.Entry{roomCopy("1", "x"), roomCopy("1", "y"), roomCopy("1", "y")}, []string{"xy", "y"}},
	}
	for _, tt := range tests {
		for _, each := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, committed one by one %v", tt.name, each), func(t *testing.T) {
				b := newBed(t, merging())
				for _, e := range tt.in {
					if err := b.s.Append(e, nil); err != nil {
						t.Fatal(err)
					}
					if each {
						b.s.Step()
					}
				}
				b.s.Step()
				b.now = b.now.Add(window)
				if got := b.toldAll(); !slices.Equal(got, tt.want) {
					t.Errorf("handed out %q, want %q", got, tt.want)
				}
			})
		}
	}
}

// What has ended or was taken back is not in between; what follows it still is.
func TestMergeAfterAnEnd(t *testing.T) {
	b := newBed(t, merging())
	b.put(roomCopy("1", "x"))
	between := b.put(message("y"))
	if err := b.s.Done(between, spool.Expired); err != nil {
		t.Fatal(err)
	}
	b.put(roomCopy("1", "y"))
	b.put(message("z"))
	last := b.put(message("z"))
	if err := b.s.Done(last, spool.Expired); err != nil {
		t.Fatal(err)
	}
	b.put(roomCopy("1", "z"))
	b.now = b.now.Add(window)
	if got, want := b.toldAll(), []string{"xy", "z", "z"}; !slices.Equal(got, want) {
		t.Errorf("handed out %q, want %q", got, want)
	}
}

// A join that the disk had no room for leaves nothing behind.
func TestMergeTakenBack(t *testing.T) {
	b := newBed(t, merging())
	b.put(roomCopy("1", "x"))
	b.fs.SetCapacity(1)
	var cause error
	if err := b.s.Append(roomCopy("1", "y"), func(_ spool.Number, err error) { cause = err }); err != nil {
		t.Fatal(err)
	}
	b.s.Step()
	if !errors.Is(cause, spool.ErrFull) {
		t.Fatalf("told %v", cause)
	}
	b.fs.SetCapacity(0)
	b.now = b.now.Add(2 * window)
	b.put(roomCopy("1", "y"))
	b.now = b.now.Add(window)
	if got, want := b.toldAll(), []string{"x", "y"}; !slices.Equal(got, want) {
		t.Errorf("handed out %q, want %q", got, want)
	}
	if sum := b.s.Stats().Totals; sum.Balance() != 0 || sum.Queued != 2 {
		t.Errorf("%+v", sum)
	}
}

// An entry that takes copies in is held back, with all that is behind it in its lane, and no longer than the window.
func TestHeldWhileItTakesCopiesIn(t *testing.T) {
	b := newBed(t, merging())
	b.put(roomCopy("1", "x"))
	b.put(message("z"))
	urgent := message("u")
	urgent.Class = spool.Flash
	b.put(urgent)
	if at := b.s.HeldUntil("p", b.now); !at.Equal(noon.Add(window)) {
		t.Errorf("held until %v", at)
	}
	if got := b.toldAll(); !slices.Equal(got, []string{"u"}) {
		t.Errorf("handed out %q", got)
	}
	b.now = noon.Add(window - 1)
	b.put(roomCopy("1", "y"))
	if got := b.toldAll(); got != nil {
		t.Errorf("handed out %q", got)
	}
	b.now = noon.Add(window)
	b.put(roomCopy("1", "w"))
	if at := b.s.HeldUntil("p", b.now); !at.IsZero() {
		t.Errorf("held until %v", at)
	}
	if got := b.toldAll(); !slices.Equal(got, []string{"xy", "z"}) {
		t.Errorf("handed out %q", got)
	}
	if at := b.s.HeldUntil("p", b.now); !at.Equal(noon.Add(2 * window)) {
		t.Errorf("what came after the window is held until %v", at)
	}
}

// Nothing more to wait for where no more may join.
func TestFullOfCopies(t *testing.T) {
	b := newBed(t, merging())
	for n := range spool.MaxRecipients + 1 {
		e := roomCopy("1", fmt.Sprintf("x%d", n))
		e.Conversation = uint64(n)
		if err := b.s.Append(e, nil); err != nil {
			t.Fatal(err)
		}
	}
	b.s.Step()
	if e, ok := b.s.Next("p", "link", b.now); !ok || len(e.Also) != spool.MaxRecipients {
		t.Errorf("%v, %d others", ok, len(e.Also))
	}
}

// What was handed out once may be there already, although it waits again: the far side would drop a newcomer in it as a
// repetition.
func TestNobodyJoinsWhatMayHaveArrived(t *testing.T) {
	tests := []struct {
		name  string
		after func(*bed)
	}{
		{"a link was lost", func(b *bed) {
			b.now = b.now.Add(window)
			b.toldAll()
			b.now = b.now.Add(-window) // a wall clock that was set back
			b.s.Rewind("p", "link")
		}},
		{"a restart", func(b *bed) {
			b.now = b.now.Add(window)
			b.toldAll()
			b.open()
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBed(t, merging())
			b.put(roomCopy("1", "x"))
			tt.after(b)
			b.put(roomCopy("1", "y"))
			if got := b.toldAll(); !slices.Equal(got, []string{"x"}) {
				t.Errorf("handed out %q: what may have arrived waits for nobody", got)
			}
			b.now = b.now.Add(window)
			if got := b.toldAll(); !slices.Equal(got, []string{"y"}) {
				t.Errorf("then %q", got)
			}
		})
	}
}
