package mam

import (
	"context"
	"slices"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/server"
	"sallyport/server/archive"
	"sallyport/server/recent"
)

// Namespaces.
const (
	Space     = "urn:xmpp:mam:2"
	extended  = Space + "#extended"
	nsSID     = "urn:xmpp:sid:0"
	nsHints   = "urn:xmpp:hints"
	nsForward = "urn:xmpp:forward:0"
	nsDelay   = "urn:xmpp:delay"
	nsRetract = "urn:xmpp:message-retract:1"
	nsLabel   = "urn:xmpp:sec-label:0"
)

// Store keeps preferences. What it has changed is durable when it returns without error.
type Store interface {
	// ArchivePrefs gives the preferences of an account as they were put; nil for none.
	ArchivePrefs(ctx context.Context, owner jid.JID) ([]byte, error)
	// PutArchivePrefs replaces them. account.ErrNotFound without the account.
	PutArchivePrefs(ctx context.Context, owner jid.JID, prefs []byte) error
}

// Config is what the archive needs. All of it but InRoster, MaySend and Tombstones.
type Config struct {
	Archive archive.Store
	Prefs   Store
	Gate    server.Gate // MayRead
	Core    server.Core // Tell
	Node    string      // as in the configuration
	Now     func() time.Time
	// InRoster reports whether somebody is in the roster of an account; nil: nobody is.
	InRoster func(ctx context.Context, account, who jid.JID) bool
	// MaySend reports whether a message that an account sends will be released; what will not is not kept. Nil: all will.
	MaySend func(message stanza.Stanza) bool
	// Tombstones replaces retracted messages in the archive.
	Tombstones bool
}

// New makes the feature.
func New(c Config) server.Feature {
	f := &feature{Config: c, prefs: recent.New[*prefs](rememberedPrefs)}
	announced := []string{nsSID, nsRetract} // retractions are kept, whether or not they leave a tombstone (XEP-0424 §3)
	if c.Tombstones {
		announced = append(announced, nsRetract+"#tombstone")
	}
	return server.Feature{
		Name:            "archive",
		Forget:          f.prefs.Forget,
		ServerFeatures:  announced,
		AccountFeatures: slices.Concat([]string{Space, extended}, announced), // the domain has no archive (XEP-0313 §6.1)
		Together:        f.together,
		IQ: []server.IQRoute{
			{Space: Space, Local: "query", At: []server.Target{server.AtAccount}, Handle: f.query},
			{Space: Space, Local: "metadata", At: []server.Target{server.AtAccount}, Handle: f.metadata},
			{Space: Space, Local: "prefs", At: []server.Target{server.AtAccount}, Handle: f.preferences},
		},
	}
}

type feature struct {
	Config
	prefs *recent.Memory[*prefs]
}

func refused(c stanza.Condition) server.Answer { return server.Answer{Condition: c} }

// read gives an entry as a stanza.
func read(e archive.Entry) (stanza.Stanza, error) {
	el, err := xmlstream.ParseDocument(e.Stanza, xmlstream.Options{})
	if err != nil {
		return stanza.Stanza{}, err
	}
	return stanza.From(el)
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
