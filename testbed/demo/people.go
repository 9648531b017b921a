package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"sallyport/gateway/config"
	"sallyport/gateway/newnode"
	"sallyport/testbed/peers"
)

// password is that of both accounts. Nobody but this machine can connect.
const password = "demonstration"

// home is a server of our own behind one side of the node, with an account to log in to.
type home struct {
	side, domain, user string // of the node; of the accounts; the account
	peer               string // what the node calls it
	host               string // address of its own on loopback
}

var homes = []home{
	{"inside", "chat.inside.example", "juliet", "people-inside", "127.0.0.22"},
	{"outside", "chat.outside.example", "romeo", "people-outside", "127.0.0.23"},
}

// peersOfHomes are added to the configuration of the example: the two servers, and that their people may talk.
func (s *state) peersOfHomes() (string, error) {
	var text strings.Builder
	text.WriteString("\n# ---- two servers for people to log in to, which the demonstration starts --------------\n")
	for _, h := range homes {
		at, err := s.ports.Free(netip.MustParseAddr(h.host))
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&text, `
[peer.%s]
side = %q
domains = [%q]
route = [%q]
authenticate = ["external"]
clearance = "policy/outside.clearance.xml"
unlabelled = "default"           # what these servers say without a label is unclassified
default-label = "policy/unclassified.label.xml"
kinds = { message = true, presence = true, iq = ["http://jabber.org/protocol/disco#info", "urn:xmpp:ping", "vcard-temp"] }
`, h.peer, h.side, h.domain, at)
	}
	fmt.Fprintf(&text, "\n[[pair]]\nbetween = [%q, %q]\n", homes[0].peer, homes[1].peer)
	return text.String(), nil
}

// people are the two servers while they run.
type people struct {
	procs []*peers.Process
	at    []config.Server // what each listens on
}

// startPeople starts both, made by what is behind `sallyport init`. There is nobody where the folder comes from before there were any.
func startPeople(ctx context.Context, binary string, st *state) (*people, error) {
	p := &people{}
	for i := range homes {
		h := &homes[i]
		own, node, err := addressesOfPlayer(st, h.peer)
		if err != nil {
			return p, fmt.Errorf("%w; remove %s to have it made anew", err, shown(st.config))
		}
		conf, err := h.configuration(st, own, node, homes[1-i].domain)
		if err != nil {
			return p, fmt.Errorf("server for %s: %w", h.domain, err)
		}
		if err := h.account(ctx, binary, conf); err != nil {
			return p, err
		}
		if err := p.start(binary, conf); err != nil {
			return p, fmt.Errorf("server for %s: %w", h.domain, err)
		}
	}
	return p, nil
}

// configuration makes a home what it is to be, unless it is already.
func (h *home) configuration(st *state, own, node netip.AddrPort, other string) (string, error) {
	dir, err := filepath.Abs(st.path(h.peer))
	if err != nil {
		return "", err
	}
	conf := filepath.Join(dir, newnode.ConfigFile)
	certs := filepath.Join(dir, "certs")
	if err := os.MkdirAll(certs, 0o755); err != nil {
		return "", err
	}
	for _, f := range []struct {
		from, to string
		mode     os.FileMode
	}{{h.peer + ".pem", "server.pem", 0o644}, {h.peer + ".key", "server.key", 0o600}} {
		b, err := os.ReadFile(st.path("certs", f.from))
		if err != nil {
			return "", err
		}
		if err := os.WriteFile(filepath.Join(certs, f.to), b, f.mode); err != nil {
			return "", err
		}
	}
	if _, err := os.Stat(conf); err == nil {
		return conf, nil
	}
	var clients [2]netip.AddrPort
	for i := range clients {
		if clients[i], err = st.ports.Free(own.Addr()); err != nil {
			return "", err
		}
	}
	ca, err := filepath.Abs(st.path("certs", "ca.pem"))
	if err != nil {
		return "", err
	}
	_, err = newnode.Write(dir, newnode.Plan{
		Node: h.peer, Domains: []string{h.domain}, Side: "people", Now: time.Now(),
		Listen: []string{clients[0].String()}, ListenDirect: []string{clients[1].String()},
		Outside: &newnode.Outside{Domains: []string{other}, Route: []string{node.String()}, Listen: []string{own.String()}, Trust: []string{ca}},
	})
	return conf, err
}

// account adds the one that a reader logs in to, unless it is there.
func (h *home) account(ctx context.Context, binary, conf string) error {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	who := h.user + "@" + h.domain
	if exec.CommandContext(ctx, binary, "user", "show", who, "-c", conf).Run() == nil {
		return nil
	}
	add := exec.CommandContext(ctx, binary, "user", "add", who, "-c", conf)
	add.Stdin = strings.NewReader(password + "\n")
	if out, err := add.CombinedOutput(); err != nil {
		return fmt.Errorf("add %s: %w\n%s", who, err, out)
	}
	return nil
}

func (p *people) start(binary, conf string) error {
	cfg, problems := config.Load(conf)
	if problems.Failed() {
		return problems.Err()
	}
	proc, err := peers.StartProcess(peers.Command{
		Name: filepath.Base(filepath.Dir(conf)), Argv: []string{binary, "run", "-c", conf}, Env: os.Environ(),
		Log: filepath.Join(filepath.Dir(conf), "sallyport.log"),
	})
	if err != nil {
		return err
	}
	p.procs, p.at = append(p.procs, proc), append(p.at, cfg.Server)
	return proc.AwaitLine(`"msg":"ready"`, startTime) // its ports open one after the other
}

// stop ends both in order.
func (p *people) stop() error {
	var all []error
	for _, proc := range p.procs {
		all = append(all, proc.Stop())
	}
	return errors.Join(all...)
}

// people says where to log in.
func (s *screen) people(p *people, st *state) {
	s.line()
	s.line(s.paint(bold, "Log in"))
	s.text("  ", "Two servers of Sallyport itself stand on either side of the node, each with an account for any XMPP client:")
	for i, h := range homes {
		s.line(fmt.Sprintf("  - %s@%s at %s", h.user, h.domain, p.at[i].Listen[0]))
	}
	s.text("  ", fmt.Sprintf("The password of both is %q; have the client trust %s. What they say to each other crosses the node.", password, shown(st.path("certs", "ca.pem"))))
}
