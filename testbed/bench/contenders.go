package main

import (
	"context"
	"errors"
	"fmt"
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

// addPeers starts a Prosody and an ejabberd with so many accounts. notes tell them from others of the same program.
func (s *settings) addPeers(ctx context.Context, f *field, n int, archive peers.Archive, notes [2]string) error {
	if s.ours {
		return nil
	}
	dir, err := os.MkdirTemp(s.work, "peers")
	if err != nil {
		return err
	}
	keep := func(p *peers.Settings, _ *peers.CA) error {
		p.Archive = archive
		return nil
	}
	bed, err := peers.OpenBed(dir, peers.Options{Prosody: keep, Ejabberd: keep})
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
		if err := s.register(ctx, n, at); err != nil {
			return err
		}
		f.all = append(f.all, contender{name: p.Name + notes[i], process: p.Name, args: users(at...), pid: p.PID()})
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
	f.all = append(f.all, contender{name: home + note, process: home, args: users(at...), pid: h.PID()})
	return nil
}

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

// chatters is how many accounts talk in a race of messages: half of them to the other half.
const chatters = 40

// oneToOne: messages from users to users of the same server, who keep no archive.
func oneToOne(ctx context.Context, s *settings) (rows []Row, err error) {
	f := &field{}
	defer func() { err = errors.Join(err, f.close()) }()
	if err := s.buildLoad(ctx); err != nil {
		return nil, err
	}
	if err := s.addPeers(ctx, f, chatters, peers.NoArchive, [2]string{}); err != nil {
		return nil, err
	}
	if err := s.addHome(f, chatters, "", imserver.Wishes{}); err != nil {
		return nil, err
	}
	// Of ours the archive cannot be switched off, so its users say that they want none.
	f.last().args = append(f.last().args, "-archive", "never")
	got, err := s.chat(ctx, f, 60_000)
	if err != nil {
		return nil, err
	}
	return raceRows("1:1", "msg", f.all, got, budgets{yardstick: "ejabberd", ofEjabberd: 1.0 / 7}), nil
}

// chat lets half of the accounts talk to the other half, 240 messages under way in all.
func (s *settings) chat(ctx context.Context, f *field, most int) (map[string]*samples, error) {
	half := strconv.Itoa(chatters / 2)
	return s.race(ctx, most, f.all, "msg", "-senders", half, "-receivers", half, "-window", "12", "-warm", "10")
}

func (f *field) last() *contender { return &f.all[len(f.all)-1] }

// withArchive: the same, and both ends' archives keep every message. Only ours has it on disk before it goes on.
func withArchive(ctx context.Context, s *settings) (rows []Row, err error) {
	f := &field{}
	defer func() { err = errors.Join(err, f.close()) }()
	if err := s.buildLoad(ctx); err != nil {
		return nil, err
	}
	if err := s.addPeers(ctx, f, chatters, peers.DefaultArchive, [2]string{" (files, no sync)", " (Mnesia, no sync)"}); err != nil {
		return nil, err
	}
	if err := s.addPeers(ctx, f, chatters, peers.SQLiteArchive, [2]string{" (SQLite)", " (SQLite)"}); err != nil {
		return nil, fmt.Errorf("with SQLite: %w", err)
	}
	if err := s.addHome(f, chatters, " (SQLite, synced first)", imserver.Wishes{}); err != nil {
		return nil, err
	}
	got, err := s.chat(ctx, f, 40_000)
	if err != nil {
		return nil, err
	}
	return raceRows("1:1 with archive", "msg", f.all, got, budgets{yardstick: "ejabberd (Mnesia, no sync)", ofEjabberd: 1 / 4.4}), nil
}
