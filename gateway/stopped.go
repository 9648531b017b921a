package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"sallyport/gateway/audit"
	"sallyport/gateway/config"
	"sallyport/gateway/control"
	"sallyport/internal/disk"
	"sallyport/internal/role"
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/server"
	"sallyport/server/admin"
	"sallyport/server/search"
	"sallyport/server/store"
)

// ErrHeld says that the audit log of a node is in use: it runs, though it could not be asked, or starts, or ends, or somebody else
// changes something.
var ErrHeld = errors.New("a process holds the audit log of this node")

// Stopped is the desk of a node that does not run: the same operations under the same check, recorded in the same audit log, which it
// holds so that the node cannot start meanwhile. One goroutine uses it.
type Stopped struct {
	desk   *control.Desk
	by     control.Caller
	record recorder
	store  *store.Store
}

// OpenStopped opens the store and the audit log that a configuration names. ErrHeld. Who may open both is the node's own user.
func OpenStopped(ctx context.Context, path string, now func() time.Time) (s *Stopped, err error) {
	s, cfg, err := holdStopped(path, now)
	if err != nil {
		return nil, err
	}
	options, err := StoreOptions(&cfg.Server.Store)
	if err != nil {
		return nil, joinClose(err, s.record.log)
	}
	options.Alone = true // a node of another configuration would not see what is changed
	if s.store, err = store.Open(ctx, options); err != nil {
		return nil, joinClose(err, s.record.log)
	}
	of := operating(func() *config.Server { return &cfg.Server }, s.store)
	of.Accounts, of.Now = Directory(s.store, &cfg.Server, now), now
	of.Sessions = func() admin.Sessions { return nobody{} }
	of.Changed, of.Card = func(jid.JID) {}, carding(s.store, search.New(s.store))
	of.Stop = func(time.Duration, bool) error { return errStopped }
	of.Listed = func(context.Context, string) error { return nil } // the node reads them when it starts
	if s.desk, err = control.NewDesk(s.record, verbsOf(admin.New(of))); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// holdStopped opens the audit log, and no store.
func holdStopped(path string, now func() time.Time) (*Stopped, *config.Config, error) {
	cfg, err := config.LoadStopped(path)
	if err != nil {
		return nil, nil, err
	}
	by, err := ownUser(string(cfg.Node.State))
	if err != nil {
		return nil, nil, err
	}
	log, err := openAudit(cfg, "", &Options{Now: now})
	if errors.Is(err, disk.ErrLocked) {
		err = ErrHeld
	}
	if err != nil {
		return nil, nil, err
	}
	return &Stopped{by: by, record: recorder{node: cfg.Node.Name, now: now, log: log}}, cfg, nil
}

// NoteStopped writes into the audit log of a node that does not run how far a backup of its store, or a restore, came; the verb says which.
// The store is not touched. ErrHeld.
func NoteStopped(ctx context.Context, path, verb string, n control.StoreNote, now func() time.Time) error {
	s, _, err := holdStopped(path, now)
	if err != nil {
		return err
	}
	if s.desk, err = control.NewDesk(s.record, control.StoreVerbs(s.record)); err == nil {
		err = s.Ask(ctx, verb, n, nil)
	}
	return errors.Join(err, s.record.log.Close())
}

// Ask is as control.Client.Call.
func (s *Stopped) Ask(ctx context.Context, verb string, args, result any) error {
	question, err := json.Marshal(args)
	if err != nil {
		return fmt.Errorf("ask %s: %w", verb, err)
	}
	answer, err := s.desk.Ask(ctx, s.by, verb, question)
	if err != nil || result == nil {
		return err
	}
	return json.Unmarshal(answer, result)
}

// Close lets a node start again.
func (s *Stopped) Close() error { return errors.Join(s.store.Close(), s.record.log.Close()) }

// ownUser is who runs this process, who has to be the owner of the node's state.
func ownUser(state string) (control.Caller, error) {
	if err := ownState(state); err != nil {
		return control.Caller{}, fmt.Errorf("no node is running, and %w", err)
	}
	uid := os.Geteuid()
	//nolint:gosec // user and process ids are never negative on Unix
	return control.Caller{UID: uint32(uid), GID: uint32(os.Getegid()), PID: int32(os.Getpid()), User: nameOf(uid), Role: role.Policy}, nil
}

// recorder writes what is done while no node runs.
type recorder struct {
	node string
	now  func() time.Time
	log  *audit.Log
}

// Record implements control.Recorder.
func (r recorder) Record(_ context.Context, e control.Event) error {
	rec := commandRecord(e)
	rec.Time, rec.Node = r.now(), r.node
	rec.Reason = strings.TrimSuffix("no node running: "+rec.Reason, ": ")
	return appendTo(r.log, &rec)
}

// errStopped answers what only a running node can do.
var errStopped = errors.New("no node is running")

// nobody is connected to a node that does not run.
type nobody struct{}

// Present, End, RemoveContact and Regroup are admin.Sessions.
func (nobody) Present(jid.JID) []server.Present { return nil }

func (nobody) End(jid.JID, stanza.StreamCondition, string) int { return 0 }

func (nobody) RemoveContact(context.Context, jid.JID, jid.JID) (bool, error) {
	return false, errStopped
}

func (nobody) Regroup() {}
