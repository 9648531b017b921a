package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"time"

	"sallyport/gateway/radio"
	"sallyport/testbed/peers"
	"sallyport/testbed/player"
)

// patience is how long a program may take to start.
const patience = 90 * time.Second

// stations in the order in which they are named.
var stations = [...]string{"ship", "shore"}

// stage is everything that runs.
type stage struct {
	*files
	domains map[string]*player.Player
	running []*peers.Process // in the order of starting
	still   func() error     // ends the channel and draws its picture; nil before it runs
	log     *os.File
	closed  bool
}

// setStage starts all of it, the channel first. What has been started is ended if the rest cannot be.
func setStage(ctx context.Context, f *files, p *play) (s *stage, err error) {
	s = &stage{files: f, domains: map[string]*player.Player{}}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	if err := s.air(ctx, p); err != nil {
		return nil, err
	}
	for _, name := range stations {
		if err := s.spawn(name, "modem up", "hf", "node", "-c", f.path(name+".toml")); err != nil {
			return nil, err
		}
	}
	if _, err := s.sallyport(ctx, "hf", "capture", "-c", f.path("ship.toml"), f.path("ship")); err != nil {
		return nil, err
	}
	for _, name := range stations {
		if s.domains[name], err = player.New(f.players[name]); err != nil {
			return nil, err
		}
		if err := s.domains[name].Start(ctx); err != nil {
			return nil, err
		}
		if err := s.spawn(name+"-gateway", "", "run", "-c", f.path(name+"-gateway.toml")); err != nil {
			return nil, err
		}
	}
	for _, name := range stations {
		if err := s.ready(ctx, name); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// air runs the channel: in this process, so that it can be watched.
func (s *stage) air(ctx context.Context, p *play) error {
	var err error
	if s.log, err = os.Create(s.path("channel.jsonl")); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	began, ended := make(chan net.Addr, 1), make(chan error, 1)
	var picture []byte
	go func() {
		var err error
		picture, err = radio.RunChannel(ctx, s.channel, radio.ChannelRun{
			Ready: func(at net.Addr) { began <- at }, Lines: p, Log: io.Writer(s.log), Air: p.onAir,
		})
		ended <- err
	}()
	s.still = func() error {
		stop()
		err := <-ended
		if len(picture) > 0 {
			err = errors.Join(err, os.WriteFile(s.path("channel.svg"), picture, 0o644))
		}
		return errors.Join(err, s.log.Close())
	}
	select {
	case <-began:
		return nil
	case err := <-ended:
		ended <- err
		return fmt.Errorf("channel: %w", err)
	}
}

// spawn starts a program and waits until it has said that it is ready, if it says so.
func (s *stage) spawn(name, ready string, args ...string) error {
	p, err := peers.StartProcess(peers.Command{
		Name: name, Argv: append([]string{s.options.sallyport}, args...), Dir: s.dir, Env: os.Environ(), Log: s.path(name + ".log"),
	})
	if err != nil {
		return err
	}
	s.running = append(s.running, p)
	if ready == "" {
		return nil
	}
	return p.AwaitLine(ready, patience)
}

// close stops what runs: gateways, domains, nodes, and the channel last.
func (s *stage) close() error {
	if s.closed {
		return nil
	}
	s.closed = true
	var errs []error
	for i := len(s.running) - 1; i >= 0; i-- {
		p := s.running[i]
		errs = append(errs, p.Signal(syscall.SIGTERM), p.Stop())
		if i == len(stations) { // both gateways have ended
			for _, d := range s.domains {
				errs = append(errs, d.Close())
			}
		}
	}
	if s.still != nil {
		errs = append(errs, s.still())
	}
	return errors.Join(errs...)
}
