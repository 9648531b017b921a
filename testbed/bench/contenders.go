package main

import (
	"context"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"

	"sallyport/testbed/imserver"
	"sallyport/testbed/peers"
	"sallyport/testbed/scenario"
)

// home is the name of the program under test as a server.
const home = "sallyport"

// field is the servers of one race, running.
type field struct {
	all     []contender
	running closers
}

func (f *field) close() error { return f.running.close() }

// wishes are what a pair of other servers is to be.
type wishes struct {
	accounts int
	archive  peers.Archive
	trust    string    // file of the CA that vouches for remote servers; empty: that of the test bed
	notes    [2]string // tell Prosody and ejabberd from others of the same program
}

// addPeers starts a Prosody and an ejabberd.
func (s *settings) addPeers(ctx context.Context, f *field, w wishes) error {
	if s.ours {
		return nil
	}
	dir, err := os.MkdirTemp(s.work, "peers")
	if err != nil {
		return err
	}
	adjust := func(p *peers.Settings, _ *peers.CA) error {
		p.Archive = w.archive
		if w.trust != "" {
			p.CA = w.trust
		}
		return nil
	}
	bed, err := peers.OpenBed(dir, peers.Options{Prosody: adjust, Ejabberd: adjust})
	if err != nil {
		return err
	}
	f.running.add(bed.Close)
	bed.PublishDirect()
	if err := bed.Start(); err != nil {
		return err
	}
	for i, p := range []*peers.Server{bed.Prosody, bed.Ejabberd} {
		at := []string{"-host", p.Clients().String(), "-domain", p.Domain}
		if err := s.register(ctx, w.accounts, at); err != nil {
			return err
		}
		f.all = append(f.all, contender{name: p.Name + w.notes[i], process: p.Name, servers: p.Servers(), args: users(at...), pid: p.PID()})
	}
	return nil
}

// addHome starts the program under test with the configuration that init makes.
func (s *settings) addHome(f *field, n int, note string, w imserver.Wishes) error {
	h, err := s.startHome(f, n, w)
	if err != nil {
		return err
	}
	at := []string{"-host", h.Clients.String(), "-domain", imserver.Domain, "-password", imserver.Password}
	f.all = append(f.all, contender{name: home + note, process: home, servers: homeServers(h), args: users(at...), pid: h.PID()})
	return nil
}

// homeServers is where servers connect to it, if they may.
func homeServers(h *imserver.Home) netip.AddrPort { return netip.AddrPortFrom(h.Clients.Addr(), 5269) }

func (s *settings) startHome(f *field, n int, w imserver.Wishes) (*imserver.Home, error) {
	binary, err := filepath.Abs(s.sallyport)
	if err != nil {
		return nil, err
	}
	if err := os.Setenv(scenario.BinaryVariable, binary); err != nil {
		return nil, err
	}
	block, err := peers.ClaimBlock()
	if err != nil {
		return nil, err
	}
	f.running.add(block.Close)
	if w.Dir, err = os.MkdirTemp(s.work, "home"); err != nil {
		return nil, err
	}
	w.Run = s.profileArgs()
	w.Addr = block.AddrPort(1, 5222).Addr()
	for i := range n {
		w.Users = append(w.Users, "load"+strconv.Itoa(i))
	}
	if len(w.Flags) > 0 {
		w.Flags = append(w.Flags, "--listen-servers", netip.AddrPortFrom(w.Addr, 5269).String())
	}
	h, err := imserver.New(w)
	if err != nil {
		return nil, err
	}
	if err := h.Run(); err != nil {
		return nil, err
	}
	f.running.add(h.Stop)
	return h, nil
}

func (f *field) last() *contender { return &f.all[len(f.all)-1] }
