package radio

import (
	"slices"
	"sync"
	"time"

	"sallyport/s5066/node"
)

// remembers is how many changes a running node tells of.
const remembers = 32

// Change is something that happened to links, the modem or modes.
type Change struct {
	Time   time.Time `json:"time"` // of the node
	Kind   string    `json:"kind"`
	Remote string    `json:"remote,omitempty"`
	Text   string    `json:"text,omitempty"`
}

// story is the latest changes of a running node, for whoever asks; all of them are in its log.
type story struct {
	mu   sync.Mutex
	list []Change
}

// add takes an event, if it is a change.
func (s *story) add(e node.Event) {
	if !e.Kind.Change() {
		return
	}
	c := Change{Time: e.Time.UTC(), Kind: e.Kind.String(), Text: e.Text}
	if e.Remote.Valid() {
		c.Remote = e.Remote.String()
	}
	if c.Text == "" && e.Err != nil {
		c.Text = e.Err.Error()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.list) == remembers {
		s.list = slices.Delete(s.list, 0, 1)
	}
	s.list = append(s.list, c)
}

func (s *story) tell() []Change {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.list)
}
