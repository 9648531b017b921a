package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

// Bounds on everything that is waited for.
const (
	startTime = 90 * time.Second // until the node is ready
	actTime   = 60 * time.Second // until a stanza has become something
	endTime   = 30 * time.Second // for streams to close in order
)

// options are the command line.
type options struct {
	sallyport string
	state     string
	once      bool
	out       io.Writer
}

func main() {
	o := options{out: os.Stdout}
	flag.StringVar(&o.sallyport, "sallyport", "build/sallyport", "run the program `PATH`")
	flag.StringVar(&o.state, "state", "run", "keep keys, configuration and state in `DIR`, made on first start")
	flag.BoolVar(&o.once, "once", false, "end after the show instead of staying up")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, o)
	interrupted := ctx.Err() != nil
	stop()
	if err != nil && !interrupted {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

// run is the whole show. It returns when it is over, or the context is.
func run(ctx context.Context, o options) (err error) {
	if err := runnable(o.sallyport); err != nil {
		return err
	}
	st, err := openState(o.state)
	if err != nil {
		return err
	}
	inside, outside, err := castOf(st)
	if err != nil {
		return err
	}
	for _, p := range []*domain{inside, outside} {
		defer func() { err = errors.Join(err, p.Close()) }()
		if err := p.Start(ctx); err != nil {
			return err
		}
	}
	n, err := startNode(ctx, o.sallyport, st)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, n.stop()) }()
	s := newScreen(o.out)
	s.opening(st)
	scene := &stage{node: n, state: st, inside: inside, outside: outside}
	sum, err := play(ctx, scene, s)
	if err != nil {
		return err
	}
	status, err := scene.settle(ctx)
	if err != nil {
		return err
	}
	s.closing(sum, &status)
	s.further(o, st)
	if o.once {
		return nil
	}
	p, err := startPeople(ctx, o.sallyport, st)
	defer func() { err = errors.Join(err, p.stop()) }()
	if err != nil {
		return err
	}
	s.people(p, st)
	s.staying()
	return n.wait(ctx)
}

// runnable says in time, and in words, that the program is not there.
func runnable(path string) error {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return fmt.Errorf("%s is not there: build it with 'make build', or name it with -sallyport", path)
	case info.IsDir() || info.Mode()&0o111 == 0:
		return fmt.Errorf("%s is not a program: name one with -sallyport", path)
	}
	return nil
}

// shown is a path as a reader in this folder would type it.
func shown(path string) string {
	wd, err := os.Getwd()
	if err != nil {
		return path
	}
	if rel, err := filepath.Rel(wd, path); err == nil && filepath.IsLocal(rel) {
		return rel
	}
	return path
}
