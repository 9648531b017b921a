package control

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"sallyport/internal/accept"
	"sallyport/internal/role"
)

// Options describe a server.
type Options struct {
	Path     string
	Group    int     // may open the socket, too; -1: nobody but the own user and root
	Grants   []Grant // who has which role
	Verbs    []Verb
	Recorder Recorder // required, or Desk
	Desk     *Desk    // made of Verbs and Recorder where nil

	// Identify tells who is on the other end; nil asks the system.
	Identify func(*net.UnixConn) (Identity, error)
}

// listener is what is used of a net.UnixListener.
type listener interface {
	AcceptUnix() (*net.UnixConn, error)
	Close() error
}

// Server answers on the socket. Close ends it.
type Server struct {
	listener listener
	path     string
	inode    os.FileInfo // of our socket; another node may have taken the path
	desk     *Desk
	identify func(*net.UnixConn) (Identity, error)
	own      uint32
	grants   atomic.Pointer[[]Grant]

	mu      sync.Mutex // guards closed, and that no client is added after it is set
	closed  bool
	clients sync.WaitGroup
	slots   chan struct{}
	stop    context.Context // ended by Close
	cancel  context.CancelFunc
}

// Listen takes the socket. A socket that nobody answers on is replaced.
func Listen(o Options) (*Server, error) {
	s := &Server{
		path: o.Path, desk: o.Desk, identify: o.Identify,
		own: uint32(os.Geteuid()), slots: make(chan struct{}, maxClients), //nolint:gosec // never negative on Unix
	}
	if s.desk == nil {
		desk, err := NewDesk(o.Recorder, o.Verbs)
		if err != nil {
			return nil, fmt.Errorf("control socket: %w", err)
		}
		s.desk = desk
	}
	if s.identify == nil {
		s.identify = systemIdentity
	}
	s.SetGrants(o.Grants)
	l, err := bind(o.Path, o.Group)
	if err != nil {
		return nil, fmt.Errorf("control socket %s: %w", o.Path, err)
	}
	s.listener = l
	if s.inode, err = os.Lstat(o.Path); err != nil {
		l.Close()
		return nil, fmt.Errorf("control socket: %w", err)
	}
	s.stop, s.cancel = context.WithCancel(context.Background())
	return s, nil
}

// SetGrants replaces who has which role, for questions from now on.
func (s *Server) SetGrants(grants []Grant) { s.grants.Store(&grants) }

// Serve answers until Close.
func (s *Server) Serve() error {
	take := func(conn *net.UnixConn) {
		if !s.admit() {
			_ = conn.Close()
			return
		}
		go s.client(conn)
	}
	if err := accept.Each(s.stop, s.listener.AcceptUnix, func(error) {}, take); err != nil {
		return fmt.Errorf("control socket: %w", err)
	}
	return nil
}

func (s *Server) admit() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.clients.Add(1)
	}
	return !s.closed
}

// Close ends all connections and waits for verbs that run. The socket is removed.
func (s *Server) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.cancel()
	err := s.listener.Close()
	s.clients.Wait()
	return errors.Join(err, remove(s.path, s.inode))
}

// client serves one connection.
func (s *Server) client(conn *net.UnixConn) {
	defer s.clients.Done()
	defer conn.Close()
	done := context.AfterFunc(s.stop, func() { conn.Close() })
	defer done()
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	default:
		s.write(conn, answer{Error: &CallError{Busy, "too many connections to the control socket; try again"}})
		return
	}
	r := bufio.NewReader(conn)
	for s.one(conn, r) {
	}
}

// one answers one question and reports whether another may follow. Who asks is looked up
// anew each time, so that taking a role away works on open connections, too.
func (s *Server) one(conn *net.UnixConn, r *bufio.Reader) bool {
	if conn.SetReadDeadline(time.Now().Add(questionTime)) != nil {
		return false
	}
	line, err := readLine(r, maxQuestion)
	if errors.Is(err, errTooLong) {
		s.write(conn, answer{Error: &CallError{BadQuestion, fmt.Sprintf("question: more than %d bytes", maxQuestion)}})
		return false
	}
	if err != nil {
		return false
	}
	who, err := s.identify(conn)
	if err != nil {
		s.write(conn, answer{Error: &CallError{Denied, "the system does not say who you are"}})
		return false
	}
	by := Caller{UID: who.UID, GID: who.GID, PID: who.PID, User: who.User, Role: who.role(*s.grants.Load(), s.own)}
	result, err := s.ask(line, by)
	if err != nil {
		var ce *CallError
		if !errors.As(err, &ce) {
			ce = &CallError{Failed, err.Error()}
		}
		return s.write(conn, answer{Error: ce})
	}
	return s.write(conn, answer{OK: true, Result: result})
}

func (s *Server) write(conn *net.UnixConn, a answer) bool {
	if conn.SetWriteDeadline(time.Now().Add(writeTime)) != nil {
		return false
	}
	_, err := conn.Write(encode(a))
	return err == nil
}

// ask checks the role, records and runs.
func (s *Server) ask(line []byte, by Caller) (json.RawMessage, error) {
	ctx, cancel := context.WithTimeout(s.stop, answerTime)
	defer cancel()
	if by.Role == role.None {
		return nil, s.desk.Deny(ctx, Event{By: by}, "you have no role on this gateway; ask for one in [control] of its configuration")
	}
	var q question
	if err := decodeStrict(line, &q); err != nil {
		return nil, err
	}
	return s.desk.Ask(ctx, by, q.Verb, q.Args)
}
