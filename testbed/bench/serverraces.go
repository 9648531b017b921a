package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"sallyport/testbed/imserver"
	"sallyport/testbed/peers"
)

// chatters is how many accounts talk in a race of messages: half of them to the other half.
const chatters = 40

// ejabberd is the yardstick of the budgets.
const ejabberd = "ejabberd"

// open builds the generator and makes an empty field; the caller closes it.
func (s *settings) open(ctx context.Context) (*field, error) {
	return &field{}, s.buildLoad(ctx)
}

// oneToOne: messages from users to users of the same server, who keep no archive.
func oneToOne(ctx context.Context, s *settings) (rows []Row, err error) {
	f, err := s.open(ctx)
	defer func() { err = errors.Join(err, f.close()) }()
	if err != nil {
		return nil, err
	}
	if err := s.addPeers(ctx, f, wishes{accounts: chatters}); err != nil {
		return nil, err
	}
	if err := s.addHome(f, chatters, "", imserver.Wishes{}); err != nil {
		return nil, err
	}
	f.withoutArchive()
	got, err := s.chat(ctx, f, 60_000)
	if err != nil {
		return nil, err
	}
	return raceRows("1:1", "msg", f.all, got, budgets{yardstick: ejabberd, ofEjabberd: 1.0 / 7}), nil
}

// withoutArchive: of ours the archive cannot be switched off, so its users say that they want none.
func (f *field) withoutArchive() { f.last().args = append(f.last().args, "-archive", "never") }

// withArchive: the same, and both ends' archives keep every message. The notes say who has it on disk before it goes on.
func withArchive(ctx context.Context, s *settings) (rows []Row, err error) {
	f, err := s.open(ctx)
	defer func() { err = errors.Join(err, f.close()) }()
	if err != nil {
		return nil, err
	}
	const mnesia, synced = " (Mnesia, no sync)", " (SQLite, synced)"
	w := wishes{accounts: chatters, archive: peers.DefaultArchive, notes: [2]string{" (files, no sync)", mnesia}}
	if err := s.addPeers(ctx, f, w); err != nil {
		return nil, err
	}
	w = wishes{accounts: chatters, archive: peers.SQLiteArchive, notes: [2]string{synced, synced}}
	if err := s.addPeers(ctx, f, w); err != nil {
		return nil, fmt.Errorf("with SQLite: %w", err)
	}
	if err := s.addHome(f, chatters, synced, imserver.Wishes{}); err != nil {
		return nil, err
	}
	got, err := s.chat(ctx, f, 40_000)
	if err != nil {
		return nil, err
	}
	return raceRows("1:1 with archive", "msg", f.all, got, budgets{yardstick: ejabberd + mnesia, also: ejabberd + synced, ofEjabberd: 1 / 4.4}), nil
}

// chat lets half of the accounts talk to the other half, 240 messages under way in all.
func (s *settings) chat(ctx context.Context, f *field, most int) (map[string]*samples, error) {
	half := strconv.Itoa(chatters / 2)
	return s.race(ctx, most, f.all, "msg", "-senders", half, "-receivers", half, "-window", "12", "-warm", "10")
}

// Who is told of whom in a race of presence. Ours takes no more than 120 changes of one account in a minute, which no setting changes: so
// there are several subjects, and each changes its presence 15 times a round.
const (
	watchers = 100
	subjects = 20
)

// presence: users change their presence, and all who subscribed to it are told.
func presence(ctx context.Context, s *settings) (rows []Row, err error) {
	f, err := s.open(ctx)
	defer func() { err = errors.Join(err, f.close()) }()
	if err != nil {
		return nil, err
	}
	if err := s.addPeers(ctx, f, wishes{accounts: subjects + watchers}); err != nil {
		return nil, err
	}
	if err := s.addHome(f, subjects+watchers, "", imserver.Wishes{}); err != nil {
		return nil, err
	}
	got, err := s.race(
		ctx, 15*subjects*watchers, f.all, "presence", "-subjects", strconv.Itoa(subjects), "-contacts", strconv.Itoa(watchers),
	)
	if err != nil {
		return nil, err
	}
	return raceRows("presence to 100", "deliveries", f.all, got, budgets{yardstick: ejabberd}), nil
}

// fromServers: users of four remote servers, which the generator plays, write to users of the server under test, who keep no archive.
func fromServers(ctx context.Context, s *settings) (rows []Row, err error) {
	f, err := s.open(ctx)
	defer func() { err = errors.Join(err, f.close()) }()
	if err != nil {
		return nil, err
	}
	b, err := openBench(s.work)
	if err != nil {
		return nil, err
	}
	f.running.add(b.close)
	generator, domains := b.at(hostGenerator, 5269), played("x", streams)
	if err := s.addPeers(ctx, f, wishes{accounts: chatters / 2, trust: b.ca.File}); err != nil {
		return nil, err
	}
	flags := []string{"--route", generator.String(), "--trust", b.ca.File}
	for _, d := range domains {
		flags = append(flags, "--outside", d)
	}
	if err := s.addHome(f, chatters/2, "", imserver.Wishes{Flags: flags}); err != nil {
		return nil, err
	}
	for i, c := range f.all {
		f.all[i].args = append(c.toArgs(), "-connect", c.servers.String())
	}
	f.withoutArchive()
	got, err := s.race(
		ctx, 60_000, f.all, "s2sin", "-x", strings.Join(domains, ","), "-listen-x", generator.String(), "-cert", b.pair.Cert, "-key", b.pair.Key,
		"-receivers", strconv.Itoa(chatters/2), "-window", "12", "-warm", "10",
	)
	if err != nil {
		return nil, err
	}
	return raceRows("from servers", "msg", f.all, got, budgets{yardstick: ejabberd, ofEjabberd: 1.0 / 4}), nil
}

// toArgs are the contender's arguments for who only receives.
func (c contender) toArgs() []string {
	var all []string
	for _, a := range c.args {
		if name, ok := strings.CutPrefix(a, "-"); ok {
			a = "-to-" + name
		}
		all = append(all, a)
	}
	return all
}
