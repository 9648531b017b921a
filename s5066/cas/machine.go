package cas

import (
	"errors"
	"fmt"
	"time"

	"sallyport/s5066"
)

// Phase is the state of a link with one node.
type Phase uint8

// The phases there are; a node without a link is not kept.
const (
	Calling Phase = iota + 1
	Up
	Breaking
)

// String is the phase as operators read it.
func (p Phase) String() string { return [...]string{"none", "calling", "up", "breaking"}[p%4] }

// Link is the state of a link, for a status.
type Link struct {
	Remote    s5066.Address
	Phase     Phase
	Exclusive bool
	Called    bool
	Tries     int
	Since     time.Time
}

// link is what is kept of one node.
type link struct {
	Link
	reason BreakReason // of Breaking
	last   uint64      // the ID whose end starts the timer
	until  time.Time   // zero: no timer
	heard  bool        // something of this link came from the other node
	kept   bool        // Breaking, and the layer above still has it
}

// Errors of Make.
var (
	ErrNotPermitted = errors.New("node is not permitted")
	ErrBroadcast    = errors.New("node broadcasts only")
	ErrExclusive    = errors.New("an exclusive link is active")
	ErrFull         = errors.New("too many links")
)

// Machine makes and breaks links. One goroutine owns it.
type Machine struct {
	cfg     Config
	links   []*link
	refused []refusal
	id      uint64
	busy    bool // somebody is heard
	out     []Event
}

// New makes a machine without links. Errors wrap ErrConfig.
func New(cfg Config) (*Machine, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	return &Machine{cfg: cfg}, nil
}

// SetTimers follows a change of the modem's rate.
func (m *Machine) SetTimers(t Timers) { m.cfg.Timers = t }

// SetBroadcast says whether links are made; if not, those there are are broken.
func (m *Machine) SetBroadcast(now time.Time, on bool) []Event {
	m.cfg.Broadcast = on
	if on {
		for _, l := range append([]*link(nil), m.links...) {
			m.breakLink(now, l, BreakBroadcast)
		}
	}
	return m.events()
}

// Links lists what there is, in the order of making.
func (m *Machine) Links() []Link {
	list := make([]Link, 0, len(m.links))
	for _, l := range m.links {
		list = append(list, l.Link)
	}
	return list
}

// Phase tells the state of the link with a node; 0 without one.
func (m *Machine) Phase(remote s5066.Address) Phase {
	if l := m.at(remote); l != nil {
		return l.Phase
	}
	return 0
}

// Make calls a node. Nothing happens if there is such a link or call already; an exclusive call ends all nonexclusive links (B.2).
// ErrFull, ErrExclusive, ErrBroadcast or ErrNotPermitted, with nothing done.
func (m *Machine) Make(now time.Time, remote s5066.Address, exclusive bool) ([]Event, error) {
	l := m.at(remote)
	room := m.cfg.MaxLinks - m.count(false)
	if l != nil && l.kept {
		room++
	}
	switch {
	case !m.permitted(remote):
		return nil, fmt.Errorf("link with %s: %w", remote, ErrNotPermitted)
	case m.cfg.Broadcast:
		return nil, fmt.Errorf("link with %s: %w", remote, ErrBroadcast)
	case l != nil && l.Phase != Breaking && (l.Exclusive || !exclusive):
		return nil, nil
	case l != nil && l.kept && l.last != 0 && !exclusive: // BREAK has not been keyed
		m.keep(l)
		return m.events(), nil
	case exclusive && m.count(true) >= maxExclusive:
		return nil, fmt.Errorf("exclusive link with %s: %w", remote, ErrFull)
	case !exclusive && m.count(true) > 0:
		return nil, fmt.Errorf("link with %s: %w", remote, ErrExclusive)
	case !exclusive && room < 1:
		return nil, fmt.Errorf("link with %s: %w", remote, ErrFull)
	}
	if l != nil {
		m.drop(l, Broken{Reason: BreakRequested})
	}
	if exclusive {
		for _, other := range append([]*link(nil), m.links...) {
			if !other.Exclusive {
				m.breakLink(now, other, BreakPriority)
			}
		}
	}
	l = &link{Link: Link{Remote: remote, Phase: Calling, Exclusive: exclusive, Since: now}}
	m.links = append(m.links, l)
	m.ask(now, l)
	return m.events(), nil
}

// Break ends a link, or a call.
func (m *Machine) Break(now time.Time, remote s5066.Address, why BreakReason) []Event {
	if l := m.at(remote); l != nil {
		m.breakLink(now, l, why)
	}
	return m.events()
}

// Finish ends a nonexclusive link that is not used, if the other node has no use for it either: it is Broken when that node has said so, or nothing. If instead
// data come from there, or are to go there before BREAK has been keyed, it is Kept.
func (m *Machine) Finish(now time.Time, remote s5066.Address) []Event {
	if l := m.at(remote); l != nil && l.Phase == Up && !l.Exclusive {
		l.Phase, l.reason, l.kept, l.Tries = Breaking, BreakNoMoreData, true, 0
		m.ask(now, l)
	}
	return m.events()
}

// keep takes a Finish back.
func (m *Machine) keep(l *link) {
	m.unsay(l)
	l.Phase, l.kept, l.heard, l.until = Up, false, true, time.Time{}
	m.tell(Kept{Remote: l.Remote, Called: l.Called})
}

// Lost says that the data transfer sublayer has given a link up, or that the other node says there is none: it ends without a word.
func (m *Machine) Lost(remote s5066.Address) []Event {
	if l := m.at(remote); l != nil && (l.Phase == Up || l.kept) {
		m.drop(l, Broken{Silent: true})
	}
	return m.events()
}

// Active says that a D_PDU of the link, which is not link control, came from a node.
func (m *Machine) Active(remote s5066.Address) []Event {
	switch l := m.at(remote); {
	case l == nil:
	case l.Phase == Up:
		l.heard = true
		l.until = time.Time{}
	case l.kept: // it did not hear that the link is to end, and has something
		m.keep(l)
	}
	return m.events()
}

// Carrier says that the node hears somebody, or nobody any more. What has been asked is not asked again meanwhile, and the wait for the
// answer begins anew: who was asked may have been busy.
func (m *Machine) Carrier(now time.Time, on bool) {
	was := m.busy
	m.busy = on
	if on || !was {
		return
	}
	for _, l := range m.links {
		if l.asks() && !l.until.IsZero() && l.last == 0 {
			l.until = now.Add(m.pause(now, l))
		}
	}
}

// asks reports whether an answer is awaited.
func (l *link) asks() bool { return l.Phase == Calling || l.Phase == Breaking }

// pause is how long an answer is waited for.
func (m *Machine) pause(now time.Time, l *link) time.Duration {
	d := m.cfg.Timers.Call
	if l.Phase == Breaking {
		d = m.cfg.Timers.Break
	}
	if m.cfg.Wait != nil {
		d += m.cfg.Wait(now, l.Remote, l.Tries)
	}
	return d
}

// Sent says that a Say has been keyed and its transmission is over, or that it will not be: waits count from now.
func (m *Machine) Sent(now time.Time, id uint64) {
	for _, l := range m.links {
		if l.last != id {
			continue
		}
		l.last = 0
		switch {
		case l.asks():
			l.until = now.Add(m.pause(now, l))
		case l.Called && !l.heard:
			l.until = now.Add(m.cfg.Timers.First)
		}
	}
}

// Deadline is when Tick has something to do.
func (m *Machine) Deadline() (first time.Time, ok bool) {
	for _, l := range m.links {
		if !l.until.IsZero() && !(m.busy && l.asks()) && (!ok || l.until.Before(first)) {
			first, ok = l.until, true
		}
	}
	return first, ok
}

// Tick repeats what was not answered, and gives up what was not answered often enough.
func (m *Machine) Tick(now time.Time) []Event {
	for _, l := range append([]*link(nil), m.links...) {
		if l.until.IsZero() || now.Before(l.until) || m.busy && l.asks() {
			continue
		}
		l.until = time.Time{}
		switch {
		case l.Phase == Up:
			m.drop(l, Broken{Silent: true})
		case l.Tries < m.cfg.Tries:
			m.ask(now, l)
		case l.Phase == Calling:
			m.fail(l, Failed{Silent: true})
		default:
			m.drop(l, Broken{Reason: l.reason})
		}
	}
	return m.events()
}

// ask sends what the phase is about, once more.
func (m *Machine) ask(now time.Time, l *link) {
	l.Tries++
	p := CPDU{Type: Request, Exclusive: l.Exclusive}
	if l.Phase == Breaking {
		p = CPDU{Type: Break, Break: l.reason}
	}
	l.last = m.say(l.Remote, p)
	l.until = now.Add(m.cfg.Patience)
}

// breakLink tells the layer above at once, and the other node as long as it takes.
func (m *Machine) breakLink(now time.Time, l *link, why BreakReason) {
	switch l.Phase {
	case Breaking:
		if l.kept {
			l.kept = false
			m.tell(Broken{Remote: l.Remote, Exclusive: l.Exclusive, Reason: why})
		}
		return
	case Calling: // it may have been accepted
		m.fail(l, Failed{Reason: RejectUnknown, Silent: true})
	case Up:
		m.drop(l, Broken{Reason: why})
	}
	b := &link{Link: Link{Remote: l.Remote, Phase: Breaking, Since: now}, reason: why}
	m.links = append(m.links, b)
	m.ask(now, b)
}

func (m *Machine) drop(l *link, e Broken) {
	m.remove(l)
	e.Remote, e.Exclusive = l.Remote, l.Exclusive
	if l.Phase == Up || l.kept {
		m.tell(e)
	}
}

func (m *Machine) fail(l *link, e Failed) {
	m.remove(l)
	e.Remote, e.Exclusive = l.Remote, l.Exclusive
	m.tell(e)
}

func (m *Machine) remove(l *link) {
	m.unsay(l)
	for i, v := range m.links {
		if v == l {
			m.links = append(m.links[:i], m.links[i+1:]...)
			return
		}
	}
}

// unsay takes back what a link has not had keyed yet: a request that comes after the link was made would look like a restart.
func (m *Machine) unsay(l *link) {
	if l.last != 0 {
		m.tell(Unsay{l.last})
		l.last = 0
	}
}

// counts reports whether a link, or a call for one, takes a place: one that breaks does not, unless it may be kept.
func (l *link) counts() bool { return l.Phase != Breaking || l.kept }

// count is how many links or calls there are of a kind.
func (m *Machine) count(exclusive bool) (n int) {
	for _, l := range m.links {
		if l.counts() && l.Exclusive == exclusive {
			n++
		}
	}
	return n
}

func (m *Machine) at(remote s5066.Address) *link {
	for _, l := range m.links {
		if l.Remote == remote {
			return l
		}
	}
	return nil
}

func (m *Machine) permitted(a s5066.Address) bool {
	return a.IsUnicast() && a != m.cfg.Own && m.cfg.Permit != nil && m.cfg.Permit(a)
}

func (m *Machine) say(to s5066.Address, p CPDU) uint64 {
	b, err := Append(nil, p)
	if err != nil {
		return 0 // reasons of ours are all in range
	}
	m.id++
	m.tell(Say{m.id, to, b})
	return m.id
}

func (m *Machine) tell(e Event) { m.out = append(m.out, e) }

func (m *Machine) events() []Event {
	out := m.out
	m.out = nil
	return out
}
