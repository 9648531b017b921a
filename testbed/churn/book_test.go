package churn_test

import (
	"fmt"
	"strings"
	"sync"
	"time"
)

// said is one message.
type said struct {
	n      int
	body   string
	raw    string
	from   *session
	to     string // account
	addr   string // as it is addressed
	kind   string
	at     time.Time
	taken  bool // the server has acknowledged it
	back   bool // an error came
	stayed bool // its sender was there until the end, to hear of one
	got    []receipt
	kept   int // times in the archive
}

type receipt struct {
	by      *session
	at      time.Time
	delayed bool
}

func (m *said) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %s at %s of %s for %s: acknowledged %v, refused %v, archived %d times", m.body, m.kind, m.at.Format("05.000"), m.from, m.addr, m.taken, m.back, m.kept)
	for _, r := range m.got {
		fmt.Fprintf(&b, ", had by %s at %s (delayed %v)", r.by, r.at.Format("05.000"), r.delayed)
	}
	return b.String()
}

// book is what was said in a round, and what became of it.
type book struct {
	mu       sync.Mutex
	seed     uint64
	said     map[string]*said
	to       map[string]int // how many, by account
	sessions int
	faults   []string
	blocked  map[string]bool // pairs of accounts between which something may not pass
	killed   bool
	outage   bool // the database was away for a while, and then everything may be refused
	collect  map[*session]bool
}

func newBook(seed uint64) *book {
	return &book{seed: seed, said: map[string]*said{}, to: map[string]int{}, blocked: map[string]bool{}, collect: map[*session]bool{}}
}

// room reports whether somebody can be sent so many more: beyond that he would be refused them where he is not there.
func (b *book) room(to string, count int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.to[to]+count > 900 {
		return false
	}
	b.to[to] += count
	return true
}

func (b *book) begin(s *session) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sessions++
	s.id = b.sessions
}

func (b *book) collects(s *session) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.collect[s] = true
}

func (b *book) fault(format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.faults = append(b.faults, fmt.Sprintf(format, args...))
}

func (b *book) bounced(id string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if m := b.said[id]; m != nil {
		m.back = true
	}
}

func (b *book) taken(list ...*said) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, m := range list {
		if m != nil {
			m.taken = true
		}
	}
}

func (b *book) received(s *session, body, from string, delayed bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	m := b.said[body]
	if m == nil {
		return
	}
	if m.to != s.account || from != m.from.full {
		b.faults = append(b.faults, fmt.Sprintf("MISLED to %s, from %s: %s", s, from, m))
	}
	m.got = append(m.got, receipt{s, time.Now(), delayed})
}

// mayComeBack reports whether a message may be refused; b.mu is held.
func (b *book) mayComeBack(m *said) bool {
	return b.outage || m.to == hall || m.kind == "normal" && strings.Contains(m.addr, "/") || b.blocked[m.from.account+" "+m.to] || b.blocked[m.to+" "+m.from.account]
}

// unresolved is how many messages of those who are there are nowhere yet, not among those that wait, and may still come back.
func (b *book) unresolved(waiting string) (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, m := range b.said {
		if m.taken && !m.back && len(m.got) == 0 && b.mayComeBack(m) && m.from.hears() && (m.from.account != hall || !b.outage) &&
			!b.blocked[m.to+" "+m.from.account] && !strings.Contains(waiting, ">"+m.body+"<") {
			n++
		}
	}
	return n
}

// stayed notes who is still there.
func (b *book) stayed() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, m := range b.said {
		m.stayed = m.from.hears() && (m.from.account != hall || !b.outage) // somebody else hears, or nobody, what comes back to a component
	}
}

// check holds what there is against what was promised.
func (b *book) check() (faults []string, taken int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, m := range b.said {
		if m.kept > 1 {
			faults = append(faults, "TWICE IN THE ARCHIVE "+m.String())
		}
		if !m.taken || b.killed && !m.from.managed { // what an answer proves of a server that dies is nothing
			continue
		}
		taken++
		there := m.back || len(m.got) > 0
		excused := b.mayComeBack(m) && !m.stayed || b.blocked[m.to+" "+m.from.account] || b.killed && !archived[m.to] // it held it in memory, as it says
		if !there && !excused && (!b.killed || m.kept == 0) {
			faults = append(faults, "NOWHERE "+m.String())
		}
		if archived[m.to] && m.kept == 0 && !m.back && !b.mayComeBack(m) {
			faults = append(faults, "NOT IN THE ARCHIVE "+m.String())
		}
	}
	faults = append(faults, b.again()...)
	faults = append(faults, b.order()...)
	return append(faults, b.faults...), taken
}

// again: what a client has acknowledged for certain does not come again to who logs in later.
func (b *book) again() (faults []string) {
	if b.killed || b.outage { // what is acknowledged cannot be forgotten while the database is away
		return nil
	}
	for _, m := range b.said {
		sure := false
		for _, r := range m.got {
			sure = sure || r.by.managed && !b.collect[r.by] && r.by.sureOf(m.body)
		}
		for _, r := range m.got {
			if sure && b.collect[r.by] {
				faults = append(faults, "AGAIN "+m.String())
			}
		}
	}
	return faults
}

// order: what one client says to one address comes to each client in its order (RFC 6120 §10.1). What is given again, because somebody
// was lost, says when it came.
func (b *book) order() (faults []string) {
	sessions := map[*session]bool{}
	for _, m := range b.said {
		for _, r := range m.got {
			sessions[r.by] = true
		}
	}
	for s := range sessions {
		last := map[string]*said{}
		for _, body := range s.got {
			m := b.said[body]
			if m == nil || m.late(s) {
				continue
			}
			key := fmt.Sprintf("%d %s", m.from.id, m.addr)
			if l := last[key]; l != nil && l.n > m.n {
				faults = append(faults, fmt.Sprintf("ORDER at %s: %s, behind %s", s, m, l))
			}
			last[key] = m
		}
	}
	return faults
}

// late reports whether it was not for a session when it came.
func (m *said) late(s *session) bool {
	for _, r := range m.got {
		if r.by == s && r.delayed {
			return true
		}
	}
	return false
}
