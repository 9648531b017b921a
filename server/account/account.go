package account

import (
	"context"
	"errors"
	"time"

	"sallyport/internal/xmpp/jid"
)

// Bounds on what one domain can make the store answer at once.
const (
	// MaxPage is the most accounts or groups that are listed at once.
	MaxPage = 1000
	// MaxMembers is the most members of a group.
	MaxMembers = 10_000
	// MaxGroups is the most groups that one account is a member of.
	MaxGroups = 1000
)

// What a store says of accounts, groups and domains. Callers decide by these.
var (
	ErrNotFound = errors.New("there is none of that name")
	ErrExists   = errors.New("exists already")
	// ErrChanged: somebody else has changed the entry since it was read.
	ErrChanged = errors.New("was changed by somebody else meanwhile")
	// ErrNoRoom is of all stores: nothing was changed, and the same may work later.
	ErrNoRoom = errors.New("the disk of the store is full")
)

// State says whether an account may log in. The zero value may not.
type State uint8

// The states of an account.
const (
	Disabled State = iota
	Enabled
)

// String is the word that the command line prints.
func (s State) String() string {
	if s == Enabled {
		return "enabled"
	}
	return "disabled"
}

// Account is who may log in. The zero value is nobody's.
type Account struct {
	JID   jid.JID // bare
	State State
	// Credentials, one for each hash, none of them the password. None: the account cannot log in by password.
	Credentials []Credential
	Clearance   string // name of a clearance in the configuration, empty for none
	Catalogue   string // name of a label catalogue in the configuration, empty for that of everybody
	Created     time.Time
	Changed     time.Time // the entry, by whom ever
	// Revision counts changes. A store replaces the entry only if it has this revision.
	Revision int64
}

// Credential finds the credential for a hash.
func (a *Account) Credential(h Hash) (Credential, bool) {
	for _, c := range a.Credentials {
		if c.Hash == h {
			return c, true
		}
	}
	return Credential{}, false
}

// Group is an explicit list of members, of this domain or others.
type Group struct {
	Domain  string // canonical
	Name    string // within the domain
	Title   string // what rosters show
	Members []jid.JID
	// Revision is as in Account.
	Revision int64
}

// Domain is what is kept for all names of a domain.
type Domain struct {
	Name    string // canonical
	Created time.Time
	// Decoy is the key that the salts of names without account are made from. It belongs to the service: all nodes have
	// the same.
	Decoy []byte
}

// Accounts keeps accounts. All methods are safe for concurrent use, and what they have changed is durable when they
// return without error.
type Accounts interface {
	// CreateAccount adds an account whose domain is known, with revision 1. ErrExists; ErrNotFound without the domain.
	CreateAccount(ctx context.Context, a Account) error
	// Account finds an account by its bare address. ErrNotFound.
	Account(ctx context.Context, bare jid.JID) (Account, error)
	// ReplaceAccount writes all of an account that still has the given revision, and counts it up. ErrNotFound, ErrChanged.
	ReplaceAccount(ctx context.Context, a Account) error
	// RemoveAccount removes an account with everything that is kept for it, group memberships included. ErrNotFound.
	RemoveAccount(ctx context.Context, bare jid.JID) error
	// ListAccounts gives up to limit accounts of a domain with localparts behind after, in the order of their bytes.
	ListAccounts(ctx context.Context, domain, after string, limit int) ([]Account, error)
}

// Groups keeps groups, under the same promises.
type Groups interface {
	// PutGroup creates a group (revision 0) or replaces one that still has the given revision. ErrExists, ErrChanged;
	// ErrNotFound without the domain.
	PutGroup(ctx context.Context, g Group) error
	// Group finds a group with its members, ordered. ErrNotFound.
	Group(ctx context.Context, domain, name string) (Group, error)
	// RemoveGroup removes a group. ErrNotFound.
	RemoveGroup(ctx context.Context, domain, name string) error
	// ListGroups gives up to limit groups of a domain with names behind after, without their members.
	ListGroups(ctx context.Context, domain, after string, limit int) ([]Group, error)
	// GroupsOf gives the names of up to MaxGroups groups of the domain that have the member.
	GroupsOf(ctx context.Context, domain string, member jid.JID) ([]string, error)
}

// Domains keeps domains, under the same promises.
type Domains interface {
	// EnsureDomain adds the domain unless it is there, and gives what is kept then.
	EnsureDomain(ctx context.Context, d Domain) (Domain, error)
	// Domain finds a domain. ErrNotFound.
	Domain(ctx context.Context, name string) (Domain, error)
	// ListDomains gives up to MaxPage domains with names behind after.
	ListDomains(ctx context.Context, after string) ([]Domain, error)
	// RemoveDomain removes a domain with everything that is kept under it. ErrNotFound.
	RemoveDomain(ctx context.Context, name string) error
	// CountAccounts counts the accounts and groups of a domain.
	CountAccounts(ctx context.Context, domain string) (accounts, groups int64, err error)
}

// Store keeps all three.
type Store interface {
	Accounts
	Groups
	Domains
}
