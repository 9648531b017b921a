package admin

import (
	"context"
	"sync"
	"time"

	"sallyport/internal/role"
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/server"
	"sallyport/server/account"
	"sallyport/server/entity"
	"sallyport/server/hybrid"
	"sallyport/server/roster"
)

// Store keeps what belongs to administration. All methods are safe for concurrent use, and what they have changed is durable when
// they return without error.
type Store interface {
	// Setting gives what is kept for a domain by a name. account.ErrNotFound.
	Setting(ctx context.Context, domain, name string) ([]byte, error)
	// PutSetting keeps it; nil takes it away. account.ErrNotFound without the domain.
	PutSetting(ctx context.Context, domain, name string, content []byte) error
	// Note, PutNote: the same for an account, with which it goes. Noted gives up to limit of one name in a domain.
	Note(ctx context.Context, owner jid.JID, name string) ([]byte, error)
	PutNote(ctx context.Context, owner jid.JID, name string, content []byte) error
	Noted(ctx context.Context, domain, name string, limit int) (map[jid.JID][]byte, error)
	Roster(ctx context.Context, owner jid.JID) ([]roster.Item, hybrid.ID, error)
	Seen(ctx context.Context, owner jid.JID) (entity.Seen, error)
}

// Sessions is who is connected; *server.Server.
type Sessions interface {
	Present(of jid.JID) []server.Present
	End(who jid.JID, c stanza.StreamCondition, text string) int
	RemoveContact(ctx context.Context, owner, contact jid.JID) (bool, error)
	// Regroup looks for new members of groups.
	Regroup()
}

// Config is what operations need.
type Config struct {
	Accounts *account.Directory
	Store    Store
	Sessions func() Sessions // asked when one is needed, since features are made before the server
	Core     server.Core
	Serves   func(domain string) bool
	// Named is the role that the configuration gives to an account.
	Named func(bare jid.JID) role.Role
	// NamedIn are the accounts of a domain that it names.
	NamedIn func(domain jid.JID) []jid.JID
	// Labels are the clearances and the label catalogues that the configuration has for accounts.
	Labels func() (clearances, catalogues []string)
	// Changed hears of an account that was changed or removed, so that nobody goes on with what he remembers of it.
	Changed func(bare jid.JID)
	// Listed hears that a list of a domain in the store was changed.
	Listed func(ctx context.Context, domain string) error
	// Card keeps the vCard of an account.
	Card func(ctx context.Context, owner jid.JID, card *xmlstream.Element) error
	// Stop ends the node in order after a delay; again: and starts it again.
	Stop func(after time.Duration, again bool) error
	Now  func() time.Time
}

// Operations are all of them. They are safe for concurrent use.
type Operations struct {
	cfg      Config
	ofDomain map[string]bool // verbs that are about one domain

	listing sync.Mutex // held while a list is changed

	mu    sync.Mutex
	roles map[jid.JID]knownRole
	words map[wordKey]knownWord
}

// New makes them.
func New(cfg Config) *Operations {
	o := &Operations{cfg: cfg, ofDomain: make(map[string]bool), roles: make(map[jid.JID]knownRole), words: make(map[wordKey]knownWord)}
	for _, op := range o.List() {
		o.ofDomain[op.Name] = op.Name != nodeStop && op.Name != nodeRestart
	}
	return o
}

// nodeStop and nodeRestart are about the node, with all of its domains.
const (
	nodeStop    = "node.stop"
	nodeRestart = "node.restart"
)

// List is the table of operations.
func (o *Operations) List() []Operation {
	const looks, recorded = false, true
	return []Operation{
		operation("user.add", role.Operate, recorded, o.add),
		o.guarded(operation("user.remove", role.Operate, recorded, o.remove)),
		o.guarded(operation("user.disable", role.Operate, recorded, o.disable)),
		operation("user.enable", role.Operate, recorded, o.enable),
		o.guarded(operation("user.password", role.Operate, recorded, o.password)),
		operation("user.clearance", role.Policy, recorded, o.clearance),
		operation("user.catalogue", role.Operate, recorded, o.catalogue),
		o.guarded(operation("user.kick", role.Operate, recorded, o.kick)),
		operation("user.sessions", role.View, looks, o.sessions),
		operation("user.list", role.View, looks, o.list),
		operation("user.roster", role.View, recorded, o.roster),
		o.guarded(operation("user.roster.reset", role.Operate, recorded, o.resetRoster)),
		operation("user.last", role.View, looks, o.last),
		operation("user.stats", role.View, looks, o.stats),
		operation("group.add", role.Operate, recorded, o.addGroup),
		operation("group.title", role.Operate, recorded, o.titleGroup),
		operation("group.remove", role.Operate, recorded, o.removeGroup),
		operation("group.join", role.Operate, recorded, o.joinGroup),
		operation("group.leave", role.Operate, recorded, o.leaveGroup),
		operation("domain.lists", role.View, looks, o.outsiders),
		operation("domain.blacklist", role.Operate, recorded, o.changeList(blacklist)),
		operation("domain.whitelist", role.Operate, recorded, o.changeList(whitelist)),
		operation("domain.remove", role.Operate, recorded, o.removeDomain),
		operation("admin.list", role.View, looks, o.admins),
		operation("admin.set", role.Operate, recorded, o.setAdmins),
		operation("announce", role.Operate, recorded, o.announce),
		operation("motd.show", role.View, looks, o.showWord(motd)),
		operation("motd.set", role.Operate, recorded, o.setWord(motd)),
		operation("motd.delete", role.Operate, recorded, o.deleteWord(motd)),
		operation("welcome.show", role.View, looks, o.showWord(welcome)),
		operation("welcome.set", role.Operate, recorded, o.setWord(welcome)),
		operation("welcome.delete", role.Operate, recorded, o.deleteWord(welcome)),
		operation(nodeStop, role.Operate, recorded, o.stop(false)),
		operation(nodeRestart, role.Operate, recorded, o.stop(true)),
	}
}
