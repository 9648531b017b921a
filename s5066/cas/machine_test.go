package cas_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"sallyport/s5066"
	"sallyport/s5066/cas"
)

var (
	start   = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	own     = s5066.Unicast(1)
	peer    = s5066.Unicast(2)
	third   = s5066.Unicast(3)
	unknown = s5066.Unicast(66)
)

// bench is a machine whose link control is keyed at once, unless it is held.
type bench struct {
	t    *testing.T
	m    *cas.Machine
	now  time.Time
	held bool
	said []string
}

func newBench(t *testing.T, change func(*cas.Config)) *bench {
	t.Helper()
	c := cas.Config{
		Own: own, Permit: func(a s5066.Address) bool { return a != unknown }, MaxLinks: 2, Tries: 3,
		Timers: cas.Timers{Call: 10 * time.Second, Break: 10 * time.Second, First: time.Minute},
	}
	if change != nil {
		change(&c)
	}
	m, err := cas.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return &bench{t: t, m: m, now: start}
}

// tell writes down what the machine wants and says.
func (b *bench) tell(events []cas.Event) {
	for _, e := range events {
		switch e := e.(type) {
		case cas.Say:
			b.said = append(b.said, fmt.Sprintf("%x>%d", e.CPDU, e.Remote.Value()))
			if !b.held {
				b.m.Sent(b.now, e.ID)
			}
		case cas.Unsay:
			b.said = append(b.said, "unsay")
		case cas.Made:
			b.said = append(b.said, fmt.Sprintf("made %d%s", e.Remote.Value(), flags(e.Exclusive, e.Called, e.Again)))
		case cas.Failed:
			b.said = append(b.said, fmt.Sprintf("failed %d silent=%t %s", e.Remote.Value(), e.Silent, e.Reason))
		case cas.Broken:
			b.said = append(b.said, fmt.Sprintf("broken %d remotely=%t silent=%t", e.Remote.Value(), e.Remotely, e.Silent))
		case cas.Kept:
			b.said = append(b.said, fmt.Sprintf("kept %d%s", e.Remote.Value(), flags(false, e.Called, false)))
		case cas.Refused:
			b.said = append(b.said, fmt.Sprintf("refused %d", e.Remote.Value()))
		}
	}
}

func flags(exclusive, called, again bool) (s string) {
	if exclusive {
		s += " exclusive"
	}
	if called {
		s += " called"
	}
	if again {
		s += " again"
	}
	return s
}

func (b *bench) hears(from s5066.Address, first byte) {
	p, err := cas.Parse([]byte{first})
	if err != nil {
		b.t.Fatal(err)
	}
	b.tell(b.m.Heard(b.now, from, p))
}

func (b *bench) makes(to s5066.Address, exclusive bool) {
	events, err := b.m.Make(b.now, to, exclusive)
	b.tell(events)
	if err != nil {
		b.said = append(b.said, strings.SplitAfter(err.Error(), ": ")[1])
	}
}

// wait lets time pass, and stops at each deadline on the way.
func (b *bench) wait(d time.Duration) {
	end := b.now.Add(d)
	for range 1000 {
		at, ok := b.m.Deadline()
		if !ok || at.After(end) {
			b.now = end
			return
		}
		b.now = at
		b.tell(b.m.Tick(b.now))
	}
	b.t.Fatal("a deadline does not go away by Tick")
}

func TestProcedures(t *testing.T) {
	t.Parallel()
	linked := func(b *bench) { b.makes(peer, false); b.hears(peer, 0x20) }
	for name, c := range map[string]struct {
		do   func(*bench)
		want string
	}{
		"made":                   {linked, "10>2, made 2"},
		"made exclusively":       {func(b *bench) { b.makes(peer, true); b.hears(peer, 0x20) }, "11>2, made 2 exclusive"},
		"rejected":               {func(b *bench) { b.makes(peer, false); b.hears(peer, 0x33) }, "10>2, failed 2 silent=false supporting an exclusive link"},
		"no answer, three times": {func(b *bench) { b.makes(peer, false); b.wait(time.Hour) }, "10>2, 10>2, 10>2, failed 2 silent=true unknown"},
		"answered at the third":  {func(b *bench) { b.makes(peer, false); b.wait(25 * time.Second); b.hears(peer, 0x20); b.wait(time.Hour) }, "10>2, 10>2, 10>2, made 2"},
		"made already":           {func(b *bench) { linked(b); b.makes(peer, false) }, "10>2, made 2"},
		"called":                 {func(b *bench) { b.hears(peer, 0x10) }, "20>2, made 2 called"},
		"called exclusively":     {func(b *bench) { b.hears(peer, 0x11) }, "20>2, made 2 exclusive called"},
		"called, then no data":   {func(b *bench) { b.hears(peer, 0x10); b.wait(time.Hour) }, "20>2, made 2 called, broken 2 remotely=false silent=true"},
		"called, then data":      {func(b *bench) { b.hears(peer, 0x10); b.m.Active(peer); b.wait(time.Hour) }, "20>2, made 2 called"},
		"called twice":           {func(b *bench) { b.hears(peer, 0x10); b.hears(peer, 0x10) }, "20>2, made 2 called, 20>2"},
		"the other node restarted": {
			func(b *bench) { b.hears(peer, 0x10); b.m.Active(peer); b.hears(peer, 0x10) },
			"20>2, made 2 called, 20>2, made 2 called again",
		},
		"both call at once": {
			func(b *bench) { b.held = true; b.makes(peer, false); b.hears(peer, 0x10); b.hears(peer, 0x20) },
			"10>2, unsay, 20>2, made 2 called",
		},
		"accepted before it was asked again": {
			func(b *bench) { b.makes(peer, false); b.held = true; b.wait(10 * time.Second); b.hears(peer, 0x20) },
			"10>2, 10>2, unsay, made 2",
		},
		"broken by us": {func(b *bench) {
			linked(b)
			b.tell(b.m.Break(b.now, peer, cas.BreakNoMoreData))
			b.hears(peer, 0x50)
			b.wait(time.Hour)
		}, "10>2, made 2, broken 2 remotely=false silent=false, 44>2"},
		"broken by us, nobody says so": {
			func(b *bench) { linked(b); b.tell(b.m.Break(b.now, peer, cas.BreakRequested)); b.wait(time.Hour) },
			"10>2, made 2, broken 2 remotely=false silent=false, 41>2, 41>2, 41>2",
		},
		"finished": {
			func(b *bench) { linked(b); b.tell(b.m.Finish(b.now, peer)); b.hears(peer, 0x50); b.wait(time.Hour) },
			"10>2, made 2, 44>2, broken 2 remotely=false silent=false",
		},
		"finished, nobody says so": {
			func(b *bench) { linked(b); b.tell(b.m.Finish(b.now, peer)); b.wait(time.Hour) },
			"10>2, made 2, 44>2, 44>2, 44>2, broken 2 remotely=false silent=false",
		},
		"not finished, the other has data": {
			func(b *bench) {
				b.hears(peer, 0x10)
				b.tell(b.m.Finish(b.now, peer))
				b.tell(b.m.Active(peer))
				b.wait(time.Hour)
			},
			"20>2, made 2 called, 44>2, kept 2 called",
		},
		"not finished, data before BREAK was keyed": {
			func(b *bench) {
				linked(b)
				b.held = true
				b.tell(b.m.Finish(b.now, peer))
				b.makes(peer, false)
				b.wait(time.Hour)
			},
			"10>2, made 2, 44>2, unsay, kept 2",
		},
		"data after BREAK was keyed": {
			func(b *bench) { linked(b); b.tell(b.m.Finish(b.now, peer)); b.makes(peer, false); b.hears(peer, 0x20) },
			"10>2, made 2, 44>2, broken 2 remotely=false silent=false, 10>2, made 2",
		},
		"called while a link is finished": {
			func(b *bench) {
				linked(b)
				b.tell(b.m.Finish(b.now, peer))
				b.hears(peer, 0x10)
				b.m.Active(peer)
				b.wait(time.Hour)
			},
			"10>2, made 2, 44>2, 20>2, made 2 called again",
		},
		"broadcast while a link is finished": {
			func(b *bench) {
				linked(b)
				b.tell(b.m.Finish(b.now, peer))
				b.tell(b.m.SetBroadcast(b.now, true))
				b.hears(peer, 0x50)
			},
			"10>2, made 2, 44>2, broken 2 remotely=false silent=false",
		},
		"exclusive while a link is finished": {
			func(b *bench) { linked(b); b.tell(b.m.Finish(b.now, peer)); b.makes(third, true); b.hears(third, 0x20) },
			"10>2, made 2, 44>2, broken 2 remotely=false silent=false, 11>3, made 3 exclusive",
		},
		"broken by the other":  {func(b *bench) { linked(b); b.hears(peer, 0x44) }, "10>2, made 2, broken 2 remotely=true silent=false, 50>2"},
		"BREAK without a link": {func(b *bench) { b.hears(peer, 0x44) }, "50>2"},
		"both break at once": {
			func(b *bench) { linked(b); b.tell(b.m.Break(b.now, peer, 4)); b.hears(peer, 0x44); b.wait(time.Hour) },
			"10>2, made 2, broken 2 remotely=false silent=false, 44>2, 50>2",
		},
		"call given up":                  {func(b *bench) { b.makes(peer, false); b.tell(b.m.Break(b.now, peer, 1)); b.hears(peer, 0x50) }, "10>2, failed 2 silent=true unknown, 41>2"},
		"lost":                           {func(b *bench) { linked(b); b.tell(b.m.Lost(peer)) }, "10>2, made 2, broken 2 remotely=false silent=true"},
		"ACCEPTED without a call (N18)":  {func(b *bench) { b.hears(peer, 0x20) }, ""},
		"REJECTED of a link (N18)":       {func(b *bench) { linked(b); b.hears(peer, 0x31) }, "10>2, made 2"},
		"BREAK of another node (N18)":    {func(b *bench) { linked(b); b.hears(third, 0x44) }, "10>2, made 2, 50>3"},
		"BREAK of an unlisted one (N18)": {func(b *bench) { linked(b); b.hears(unknown, 0x44) }, "10>2, made 2"},
		"call of an unlisted one (N18)": {
			func(b *bench) {
				b.hears(unknown, 0x10)
				b.hears(unknown, 0x10)
				b.wait(10 * time.Second)
				b.hears(unknown, 0x11)
			},
			"30>66, refused 66, 30>66, refused 66",
		},
		"call to an unlisted one": {func(b *bench) { b.makes(unknown, false) }, "node is not permitted"},
		"too many links": {
			func(b *bench) {
				b.hears(peer, 0x10)
				b.hears(third, 0x10)
				b.hears(s5066.Unicast(4), 0x10)
				b.makes(s5066.Unicast(5), false)
			},
			"20>2, made 2 called, 20>3, made 3 called, 30>4, refused 4, too many links",
		},
		"nonexclusive beside an exclusive": {
			func(b *bench) { b.hears(peer, 0x11); b.hears(third, 0x10); b.makes(third, false) },
			"20>2, made 2 exclusive called, 33>3, refused 3, an exclusive link is active",
		},
		"two exclusive ones, not three": {
			func(b *bench) { b.hears(peer, 0x11); b.hears(third, 0x11); b.hears(s5066.Unicast(4), 0x11) },
			"20>2, made 2 exclusive called, 20>3, made 3 exclusive called, 33>4, refused 4",
		},
		"exclusive ends ours": {
			func(b *bench) { linked(b); b.makes(third, true); b.hears(peer, 0x50); b.hears(third, 0x20) },
			"10>2, made 2, broken 2 remotely=false silent=false, 43>2, 11>3, made 3 exclusive",
		},
		"from nonexclusive to exclusive": {
			func(b *bench) { b.hears(peer, 0x10); b.hears(peer, 0x11) },
			"20>2, made 2 called, 20>2, made 2 exclusive called again",
		},
		"going to broadcast": {
			func(b *bench) {
				linked(b)
				b.tell(b.m.SetBroadcast(b.now, true))
				b.hears(peer, 0x50)
				b.hears(peer, 0x10)
				b.makes(peer, false)
			},
			"10>2, made 2, broken 2 remotely=false silent=false, 42>2, 31>2, refused 2, node broadcasts only",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, nil)
			c.do(b)
			if got := strings.Join(b.said, ", "); got != c.want {
				t.Errorf("\n\t%s, want\n\t%s", got, c.want)
			}
		})
	}
}

// Nobody is asked again while somebody speaks, nor before there has been time for an answer after that.
func TestAskedAgainWhenTheChannelIsFree(t *testing.T) {
	t.Parallel()
	tries := 0
	b := newBench(t, func(c *cas.Config) {
		c.Wait = func(_ time.Time, _ s5066.Address, n int) time.Duration { tries = n; return time.Second }
	})
	b.makes(peer, false)
	b.m.Carrier(b.now, true)
	b.wait(time.Hour)
	if len(b.said) != 1 {
		t.Fatalf("while somebody spoke: %v", b.said)
	}
	b.m.Carrier(b.now, false)
	b.wait(11*time.Second - 1)
	if len(b.said) != 1 {
		t.Errorf("too early: %v", b.said)
	}
	b.wait(1)
	if len(b.said) != 2 || tries != 2 {
		t.Errorf("%v, waits asked for try %d", b.said, tries)
	}
}

// What waits to be keyed does not run out of time meanwhile, but not for ever.
func TestWaitsCountFromTheAir(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	b.held = true
	b.makes(peer, false)
	b.wait(cas.DefaultPatience - time.Second)
	if len(b.said) != 1 {
		t.Fatalf("%v", b.said)
	}
	b.m.Sent(b.now, 1)
	b.wait(10 * time.Second)
	if len(b.said) != 2 {
		t.Errorf("asked again when the wait from the air was over: %v", b.said)
	}
	b.wait(3 * cas.DefaultPatience)
	if got := b.said[len(b.said)-1]; got != "failed 2 silent=true unknown" {
		t.Errorf("%v", b.said)
	}
}

func TestManyUnlistedNodesAreNotAnswered(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(c *cas.Config) { c.Permit = nil })
	for i := range uint32(1000) {
		b.hears(s5066.Unicast(100+i), 0x10)
	}
	if len(b.said) != 32 {
		t.Errorf("%d answers and notes to a thousand nodes nobody knows, want 32", len(b.said))
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	if _, err := cas.New(cas.Config{}); !errors.Is(err, cas.ErrConfig) {
		t.Error(err)
	}
}

// Whatever comes: links stay within their limits, and every deadline goes away.
func FuzzMachine(f *testing.F) {
	f.Add([]byte{0x10, 0x91, 0x20, 0xA0, 0x44, 0x50, 0xFF, 0x33})
	f.Fuzz(func(t *testing.T, input []byte) {
		b := newBench(t, nil)
		for _, x := range input[:min(len(input), 300)] {
			to := s5066.Unicast(uint32(2 + x&7))
			switch x >> 4 {
			case 0, 1, 2, 3, 4, 5:
				if p, err := cas.Parse([]byte{x&0xF0 | x>>3&1}); err == nil {
					b.tell(b.m.Heard(b.now, to, p))
				}
			case 6:
				b.tell(b.m.Active(to))
			case 7:
				b.tell(b.m.Lost(to))
			case 8, 9:
				b.makes(to, x>>4 == 9)
			case 10:
				b.tell(b.m.Break(b.now, to, cas.BreakReason(x&3)))
			case 11:
				switch x & 7 {
				case 0, 1, 2:
					b.held = !b.held
				case 3:
					b.m.Carrier(b.now, x&8 == 0)
				default:
					b.tell(b.m.Finish(b.now, to))
				}
			case 12:
				b.tell(b.m.SetBroadcast(b.now, x&1 == 1))
			default:
				b.wait(time.Duration(x&15) * 7 * time.Second)
			}
			soft, hard := 0, 0
			for _, l := range b.m.Links() {
				if l.Phase != cas.Breaking && l.Exclusive {
					hard++
				} else if l.Phase != cas.Breaking {
					soft++
				}
			}
			if soft > 2 || hard > 2 {
				t.Fatalf("links %+v", b.m.Links())
			}
		}
		b.wait(time.Hour)
	})
}
