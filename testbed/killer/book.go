package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// book is the account of every message: said once by one end, heard once by the other, in the order of its conversation, or returned
// once to who said it.
type book struct {
	mu       sync.Mutex
	state    map[string]fate
	under    map[string]key // where it stood when it was heard
	last     map[string]int // newest of a conversation that was heard
	count    map[string]int // heard, by the end that heard
	returned []string
	wrong    []string
}

type fate uint8

const (
	under fate = iota // way
	delivered
	bounced
)

func newBook() *book {
	return &book{state: map[string]fate{}, under: map[string]key{}, last: map[string]int{}, count: map[string]int{}}
}

// said enters a message, "END.CONVERSATION.NUMBER".
func (b *book) said(_, id string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.state[id] = under
}

func (b *book) heard(by string, m *stanza, k key) {
	b.mu.Lock()
	defer b.mu.Unlock()
	was, known := b.state[m.ID]
	if !known {
		b.note("%s heard %q, which nobody said: %s", by, m.ID, m.All)
		return
	}
	if m.Type == "error" {
		if was != under {
			b.note("%q came back to %s, and had been settled", m.ID, by)
		}
		b.state[m.ID] = bounced
		b.returned = append(b.returned, m.ID+" "+m.All)
		return
	}
	if strings.HasPrefix(m.ID, by+".") || m.Body != m.ID {
		b.note("%s heard %q with %q", by, m.ID, m.Body)
	}
	if was != under {
		b.note("%q arrived twice, or after it had come back: as number %d of lane %d, then %d of %d",
			m.ID, b.under[m.ID].number, b.under[m.ID].lane, k.number, k.lane)
	}
	b.under[m.ID] = k
	b.state[m.ID] = delivered
	b.count[by]++
	at := strings.LastIndexByte(m.ID, '.')
	n, err := strconv.Atoi(m.ID[at+1:])
	if talk := m.ID[:at]; err != nil || n <= b.last[talk] {
		b.note("%s arrived after number %d of its conversation", m.ID, b.last[talk])
	} else {
		b.last[talk] = n
	}
}

func (b *book) violated(what string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.note("%s", what)
}

// note adds what is wrong. Caller holds mu.
func (b *book) note(format string, args ...any) {
	const enough = 100
	if len(b.wrong) < enough {
		b.wrong = append(b.wrong, fmt.Sprintf(format, args...))
	}
}

// heardBy counts what an end has heard.
func (b *book) heardBy(name string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.count[name]
}

// failed reports whether something is wrong already.
func (b *book) failed() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.wrong) > 0
}

// sum is the account as it stands.
type sum struct {
	Said, Delivered, Returned int
	Missing                   []string
	Wrong                     []string
	Errors                    []string // what came back
}

func (b *book) sum() sum {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := sum{Said: len(b.state), Wrong: slices.Clone(b.wrong), Errors: slices.Clone(b.returned)}
	for id, f := range b.state {
		switch f {
		case under:
			s.Missing = append(s.Missing, id)
		case delivered:
			s.Delivered++
		case bounced:
			s.Returned++
		}
	}
	slices.Sort(s.Missing)
	return s
}
