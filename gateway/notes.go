package gateway

import "sync"

// maxNotes bounds what may wait to be noted.
const maxNotes = 256

// notes writes down what callers find that must not wait for the audit log, such as its own committer or that of the spool.
type notes struct {
	g    *Gateway
	mu   sync.Mutex
	wake chan struct{}
	list []note
}

type note struct{ kind, link, peer, what string }

func newNotes(g *Gateway) *notes { return &notes{g: g, wake: make(chan struct{}, 1)} }

func (n *notes) add(kind, link, peer, what string) {
	n.mu.Lock()
	if len(n.list) < maxNotes {
		n.list = append(n.list, note{kind, link, peer, what})
	} else {
		n.g.counters.EventsLost.Add(1)
	}
	n.mu.Unlock()
	select {
	case n.wake <- struct{}{}:
	default:
	}
}

// run ends with the node.
func (n *notes) run() {
	for {
		select {
		case <-n.wake:
		case <-n.g.ctx.Done():
			n.flush()
			return
		}
		n.flush()
	}
}

func (n *notes) flush() {
	n.mu.Lock()
	list := n.list
	n.list = nil
	n.mu.Unlock()
	for _, one := range list {
		n.g.noteSecurity(one.kind, one.link, one.peer, one.what)
	}
}
