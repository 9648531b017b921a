package hostile_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"sallyport/gateway/audit"
)

// ledger follows the audit log of a node on disk, as an auditor would.
type ledger struct {
	dir string

	mu      sync.Mutex
	entries []audit.Entry // but for those of the bystanders
	next    uint64
	broken  error
}

// read takes what is new and returns the number of the last record.
func (l *ledger) read() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	for e, err := range audit.ReadDir(l.dir, audit.Filter{FirstSeq: l.next}) {
		if err != nil {
			l.broken = err
			break
		}
		l.next = e.Seq + 1
		if !strings.HasPrefix(e.StanzaID, calm) {
			l.entries = append(l.entries, e)
		}
	}
	return l.next
}

// since returns the records from that number on.
func (l *ledger) since(seq uint64) []audit.Entry {
	l.read()
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []audit.Entry
	for _, e := range l.entries {
		if e.Seq >= seq {
			out = append(out, e)
		}
	}
	return out
}

// await returns the first record from seq on that is wanted.
func (l *ledger) await(t testing.TB, seq uint64, what string, wanted func(*audit.Entry) bool) *audit.Entry {
	t.Helper()
	var found *audit.Entry
	eventually(t, patience, "audit record: "+what, func() bool {
		for _, e := range l.since(seq) {
			if wanted(&e) {
				found = &e
				return true
			}
		}
		return false
	})
	return found
}

// forget gives the memory back.
func (l *ledger) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries = nil
}

// show makes a record readable in a failure.
func show(entries []audit.Entry) string {
	var b strings.Builder
	for _, e := range entries {
		fmt.Fprintf(&b, "\n  %d %s %s>%s %q>%q id=%.40q %s stage=%s rule=%s reason=%.200q cond=%s size=%d",
			e.Seq, e.Kind, e.FromPeer, e.ToPeer, e.From, e.To, e.StanzaID, e.Outcome, e.Stage, e.Rule, e.Reason, e.Condition, e.Size)
	}
	return b.String()
}

// words are all texts of a record.
func words(e *audit.Entry) []byte {
	c := *e
	c.Facts, c.Digest, c.Hash = nil, [32]byte{}, audit.Hash{}
	return fmt.Appendf(nil, "%+v", c.Record)
}
