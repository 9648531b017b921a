package peers

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"text/template"
)

// Auth is how a server proves itself to others and wants them to prove themselves.
type Auth uint8

const (
	// ExternalOrDialback is what ordinary servers do: certificates first, dialback when they do not prove it.
	ExternalOrDialback Auth = iota
	// ExternalOnly has no dialback at all.
	ExternalOnly
	// DialbackOnly never looks at certificates for authentication; streams are still encrypted.
	DialbackOnly
)

// Archive is where a server keeps the messages of its users (XEP-0313).
type Archive uint8

const (
	// NoArchive keeps nothing.
	NoArchive Archive = iota
	// DefaultArchive keeps both ends' copies of all messages in what the server uses when it is told nothing: Prosody in files,
	// ejabberd in Mnesia.
	DefaultArchive
	// SQLiteArchive keeps them in SQLite, with the server's own settings for it.
	SQLiteArchive
)

// Settings describe one server. The zero values of the choices are what most scenarios want.
type Settings struct {
	Domain   string         // users are here; rooms are at conference.<Domain>
	Addr     netip.Addr     // listens on 5222 (clients) and 5269 (servers) of it
	Resolver netip.AddrPort // the only name server it may ask
	Dir      string         // its own directory, existing and empty at first start
	CA       string         // PEM file of the authorities it trusts
	Pair     Pair           // its certificate, for Domain and Rooms

	Auth Auth
	// OptionalTLS lets server-to-server streams stay in clear. Default: TLS required.
	OptionalTLS bool
	// Bidi offers and asks for XEP-0288 (Prosody only: ejabberd 23.01 has none).
	Bidi bool
	// StreamManagement offers XEP-0198 to other servers (Prosody only: ejabberd 23.01 has it for clients alone).
	StreamManagement bool
	// DirectTLS makes it listen also for servers that speak TLS from the first byte (XEP-0368).
	DirectTLS bool
	// StanzaLimit is the most bytes of a stanza that it takes from other servers, and says so (XEP-0478; Prosody only,
	// from 10000 on). 0: its default, of which it says nothing.
	StanzaLimit int
	// Archive switches mod_mam on, for all messages of all users.
	Archive Archive
	// Debug makes the logs long.
	Debug bool
}

// Rooms is the domain of its MUC service.
func (s Settings) Rooms() string { return "conference." + s.Domain }

// Clients is where clients connect (STARTTLS).
func (s Settings) Clients() netip.AddrPort { return netip.AddrPortFrom(s.Addr, 5222) }

// Servers is where other servers connect.
func (s Settings) Servers() netip.AddrPort { return netip.AddrPortFrom(s.Addr, 5269) }

// DirectServers is where other servers connect with direct TLS.
func (s Settings) DirectServers() netip.AddrPort { return netip.AddrPortFrom(s.Addr, 5270) }

// Log is the file with everything it says.
func (s Settings) Log() string { return filepath.Join(s.Dir, "server.log") }

// Server is a third-party XMPP server under our control. One goroutine owns it.
type Server struct {
	Settings
	Name string

	command Command
	booted  string // what it says when it has started for good; empty: an open port is enough
	proc    *Process
}

// Start runs the server and returns once it accepts clients and servers.
func (s *Server) Start() error {
	if s.proc != nil && s.proc.Running() {
		return errors.New(s.Name + " runs already")
	}
	proc, err := StartProcess(s.command)
	if err != nil {
		return err
	}
	s.proc = proc
	ports := []netip.AddrPort{s.Clients(), s.Servers()}
	if s.DirectTLS {
		ports = append(ports, s.DirectServers())
	}
	for _, addr := range ports {
		if err := proc.AwaitPort(addr, startTimeout); err != nil {
			proc.Kill()
			return err
		}
	}
	if s.booted == "" {
		return nil
	}
	return proc.AwaitLine(s.booted, startTimeout)
}

// Stop ends the server in good order: it closes its streams.
func (s *Server) Stop() error {
	if s.proc == nil {
		return nil
	}
	return s.proc.Stop()
}

// Kill ends the server as a crash would.
func (s *Server) Kill() {
	if s.proc != nil {
		s.proc.Kill()
	}
}

// PID of the running server, for measurements.
func (s *Server) PID() int { return s.proc.PID() }

// LogTail is the end of the server's log.
func (s *Server) LogTail(n int) string {
	b, err := tailOf(s.Log(), n)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

func writeTemplate(path, text string, data any) error {
	t, err := template.New(filepath.Base(path)).Parse(text)
	if err != nil {
		return fmt.Errorf("template of %s: %w", path, err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if err := t.Execute(f, data); err != nil {
		_ = f.Close()
		return fmt.Errorf("write %s: %w", path, err)
	}
	return f.Close()
}
