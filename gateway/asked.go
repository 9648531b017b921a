package gateway

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"go.uber.org/zap"

	"sallyport/internal/disk"
	"sallyport/internal/xmpp/jid"
)

// Subscription requests wait for days, longer than a node runs: they are kept in a file
// of the state directory. Requests that had not left are found in the spool again. Everything
// else in the conversation table is forgotten at a restart; answers to it are then refused as
// unsolicited, and requesters ask again.
const (
	askedFile  = "subscriptions.json"
	askedEvery = time.Second
	maxAskFile = 64 << 20
)

type askedEntry struct {
	From     string    `json:"from"`
	To       string    `json:"to"`
	Deadline time.Time `json:"deadline"`
}

// loadConversations reads the file back. A file that cannot be read is an error: going on
// without it would refuse answers that are awaited. Accounts of this node need none: see conversations.rosters.
func (g *Gateway) loadConversations() error {
	if g.active().Server.Open() {
		g.conversations.rosters = func(domain string) bool { return g.people.serves(domain) } // more of them after a reload
	}
	path := filepath.Join(g.state, askedFile)
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil && info.Size() > maxAskFile {
		err = fmt.Errorf("larger than %d bytes", maxAskFile)
	}
	var b []byte
	if err == nil {
		b, err = os.ReadFile(path)
	}
	var entries []askedEntry
	if err == nil {
		err = json.Unmarshal(b, &entries)
	}
	if err != nil {
		return fmt.Errorf("read awaited subscriptions from %s: %w; move the file away to start without it", path, err)
	}
	for _, e := range entries {
		from, errFrom := jid.Parse(e.From)
		to, errTo := jid.Parse(e.To)
		if errFrom != nil || errTo != nil || g.now().After(e.Deadline) {
			continue
		}
		c := g.conversations.pair(from, to)
		c.asked[askKey{from.Bare(), to.Bare()}] = &awaited{deadline: e.Deadline}
	}
	return nil
}

// saveConversations writes the file if anything changed since it was written. What could
// not be written is tried again with the next call.
func (g *Gateway) saveConversations() error {
	entries, dirty := g.conversations.takeAsked()
	if !dirty {
		return nil
	}
	if err := g.writeAsked(entries); err != nil {
		g.conversations.unsaved()
		return fmt.Errorf("write awaited subscriptions: %w", err)
	}
	return nil
}

// writeAsked leaves the old file or the new one, also when the power goes.
func (g *Gateway) writeAsked(entries []askedEntry) error {
	b, err := json.Marshal(entries)
	if err != nil {
		return err
	}
	dir, err := disk.OpenDir(g.state)
	if err != nil {
		return err
	}
	return errors.Join(disk.Replace(dir, askedFile, b), dir.Close())
}

func (t *conversations) takeAsked() ([]askedEntry, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.dirty {
		return nil, false
	}
	t.dirty = false
	entries := []askedEntry{}
	for _, c := range t.pairs {
		for k, a := range c.asked {
			entries = append(entries, askedEntry{k.from.String(), k.to.String(), a.deadline})
		}
	}
	return entries, true
}

// unsaved takes back that what takeAsked gave is saved.
func (t *conversations) unsaved() {
	t.mu.Lock()
	t.dirty = true
	t.mu.Unlock()
}

// saveLoop saves while the node runs, tells requesters that no answer came, and forgets pairs that hold nothing any more.
func (g *Gateway) saveLoop() {
	tick := time.NewTicker(askedEvery)
	defer tick.Stop()
	for {
		select {
		case <-g.ctx.Done():
			return
		case <-tick.C:
			if err := g.saveConversations(); err != nil {
				g.log.Error("awaited subscriptions are not saved; they will be forgotten at a restart", zap.Error(err))
			}
			g.tellUnanswered(g.conversations.overdue(g.now()))
			g.conversations.sweep(g.now())
		}
	}
}
