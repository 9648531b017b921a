package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/tree"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/server"
	"sallyport/server/account"
)

// The names of what is said to everybody. They are stored.
const (
	motd    = "motd"
	welcome = "welcome"
)

const (
	// MaxText is the most bytes of what everybody is told.
	MaxText = 8 << 10
	// wordAge is how old a word may be that is told; one that is set here counts at once.
	wordAge = 10 * time.Second
)

// Word is what people are told.
type Word struct {
	Text string    `json:"text"`
	Set  time.Time `json:"set,omitzero"`
}

type wordKey struct{ domain, name string }

type knownWord struct {
	word Word
	at   time.Time
}

func text(s string) (string, error) {
	s = strings.TrimSpace(s)
	switch {
	case s == "" || len(s) > MaxText:
		return "", fmt.Errorf("%w: a text has 1 to %d bytes", ErrQuestion, MaxText)
	case !writable(s):
		return "", errControl("the text")
	}
	return s, nil
}

// writable reports whether XML can carry a text (production [2] of XML 1.0). What cannot be written would be told to nobody, and nobody told
// of that.
func writable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF })
}

func errControl(what string) error {
	return fmt.Errorf("%w: %s has a control character, or one that is not for text", ErrQuestion, what)
}

// word gives one, the zero value where there is none.
func (o *Operations) word(ctx context.Context, domain, name string) (w Word, err error) {
	key, now := wordKey{domain, name}, o.cfg.Now()
	o.mu.Lock()
	known, ok := o.words[key]
	o.mu.Unlock()
	if ok && now.Sub(known.at) < wordAge {
		return known.word, nil
	}
	content, err := o.cfg.Store.Setting(ctx, domain, name)
	if err == nil {
		err = json.Unmarshal(content, &w)
	}
	if err != nil && !errors.Is(err, account.ErrNotFound) {
		return Word{}, fmt.Errorf("%s of %s: %w", name, domain, err)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.words[key] = knownWord{w, now} // one of each domain that is served
	return w, nil
}

func (o *Operations) showWord(name string) func(context.Context, DomainQuestion) (Word, error) {
	return func(ctx context.Context, q DomainQuestion) (Word, error) {
		domain, err := o.served(q.Domain)
		if err != nil {
			return Word{}, err
		}
		return o.word(ctx, domain.Domain(), name)
	}
}

func (o *Operations) setWord(name string) func(context.Context, Text) (Done, error) {
	return func(ctx context.Context, q Text) (Done, error) {
		said, err := text(q.Text)
		if err != nil {
			return Done{}, err
		}
		content, err := json.Marshal(Word{said, o.cfg.Now().UTC()})
		if err != nil {
			return Done{}, fmt.Errorf("write %s: %w", name, err)
		}
		return Done{Count: 1}, o.putWord(ctx, q.Domain, name, content)
	}
}

func (o *Operations) deleteWord(name string) func(context.Context, DomainQuestion) (Done, error) {
	return func(ctx context.Context, q DomainQuestion) (Done, error) {
		return Done{Count: 1}, o.putWord(ctx, q.Domain, name, nil)
	}
}

func (o *Operations) putWord(ctx context.Context, domain, name string, content []byte) error {
	d, err := o.served(domain)
	if err != nil {
		return err
	}
	if err := o.cfg.Store.PutSetting(ctx, d.Domain(), name, content); err != nil {
		return fmt.Errorf("keep %s of %s: %w", name, d, err)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.words, wordKey{d.Domain(), name})
	return nil
}

// announce tells everybody who is there now.
func (o *Operations) announce(ctx context.Context, q Text) (Done, error) {
	domain, err := o.served(q.Domain)
	if err != nil {
		return Done{}, err
	}
	said, err := text(q.Text)
	if err != nil {
		return Done{}, err
	}
	told := make(map[jid.JID]bool)
	for _, p := range o.cfg.Sessions().Present(domain) {
		bare := p.JID.Bare()
		if !p.Available || told[bare] {
			continue
		}
		told[bare] = true
		m, err := headline(domain, bare, "Announcement", said)
		if err != nil {
			return Done{Count: len(told)}, err
		}
		o.cfg.Core.Submit(ctx, m)
	}
	return Done{Count: len(told)}, nil
}

func headline(from, to jid.JID, subject, said string) (stanza.Stanza, error) {
	const space = xmlstream.NSServer
	return tree.Message(stanza.MessageHeadline, from, to, "", tree.New(space, "subject", tree.Text(subject)), tree.New(space, "body", tree.Text(said)))
}

// Feature tells people what waits for them when they come.
func (o *Operations) Feature() server.Feature {
	return server.Feature{Name: "administration", Available: func(ctx context.Context, r server.Resource, _ stanza.Stanza, first bool) {
		if !first || r.Priority < 0 {
			return
		}
		o.greet(ctx, r, welcome, "Welcome")
		o.greet(ctx, r, motd, "Message of the day")
	}}
}

// greet tells an account one word once. It is noted when it was handed over; who was not to see it, by his clearance, is asked again.
func (o *Operations) greet(ctx context.Context, r server.Resource, name, subject string) {
	bare := r.JID.Bare()
	w, err := o.word(ctx, bare.Domain(), name)
	if err != nil || w.Text == "" {
		return
	}
	version := w.Set.Format(time.RFC3339Nano)
	had, err := o.cfg.Store.Note(ctx, bare, name)
	if err != nil && !errors.Is(err, account.ErrNotFound) || string(had) == version {
		return
	}
	if name == welcome {
		a, err := o.cfg.Accounts.Store.Account(ctx, bare)
		if err != nil || a.Created.Before(w.Set) || len(had) > 0 {
			return
		}
	}
	m, err := headline(bare.DomainJID(), r.JID, subject, w.Text)
	if err != nil || o.cfg.Core.Tell(ctx, m) != nil {
		return
	}
	// Who cannot be noted is told again.
	_ = o.cfg.Store.PutNote(ctx, bare, name, []byte(version))
}

// Stop says how a node ends.
type Stop struct {
	Seconds int    `json:"seconds,omitempty"`
	Text    string `json:"text,omitempty"` // told first to everybody of Domain
	Domain  string `json:"domain,omitempty"`
}

func (q Stop) subject() string { return "" }

// maxDelay is the longest wait for an end.
const maxDelay = time.Hour

func (o *Operations) stop(again bool) func(context.Context, Stop) (Done, error) {
	return func(ctx context.Context, q Stop) (Done, error) {
		after := time.Duration(q.Seconds) * time.Second
		if q.Seconds < 0 || q.Seconds > int(maxDelay/time.Second) {
			return Done{}, fmt.Errorf("%w: wait for 0 to %d seconds", ErrQuestion, int(maxDelay/time.Second))
		}
		var done Done
		if q.Text != "" {
			var err error
			if done, err = o.announce(ctx, Text{Domain: q.Domain, Text: q.Text}); err != nil {
				return done, err
			}
		}
		return done, o.cfg.Stop(after, again)
	}
}
