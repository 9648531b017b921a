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
)

// options are what the command line says.
type options struct {
	sallyport string
	state     string
	speed     float64
	profile   string
	waveform  string
}

func main() {
	var o options
	var real bool
	flag.StringVar(&o.sallyport, "sallyport", "build/sallyport", "run the program `PATH`")
	flag.StringVar(&o.state, "state", "run", "keep files, logs and the picture in `DIR`/hf, which is made anew")
	flag.Float64Var(&o.speed, "speed", 4, "let the channel run `N` times as fast as real time")
	flag.BoolVar(&real, "real", false, "the same as -speed 1")
	flag.StringVar(&o.profile, "profile", "sky-good", "`NAME` of the channel's profile: clean, surface, sky-good, sky-moderate, sky-poor")
	flag.StringVar(&o.waveform, "waveform", "110a-1200-short", "`NAME` of both nodes' waveform: see 'sallyport hf waveforms'")
	flag.Parse()
	if real {
		o.speed = 1
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, o, os.Stdout)
	interrupted := ctx.Err() != nil
	stop()
	if err != nil && !interrupted {
		fmt.Fprintln(os.Stderr, "demo-hf:", err)
		os.Exit(1)
	}
}

// run plays the whole piece once.
func run(ctx context.Context, o options, out io.Writer) (err error) {
	if _, err := os.Stat(o.sallyport); err != nil {
		return fmt.Errorf("%s is not there: build it with 'make build', or name it with -sallyport", o.sallyport)
	}
	f, err := makeFiles(o)
	if err != nil {
		return err
	}
	p := newPlay(out, o)
	p.opening()
	s, err := setStage(ctx, f, p)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	if err := p.perform(ctx, s); err != nil {
		return err
	}
	sum, err := s.sums(ctx)
	if err != nil {
		return err
	}
	if err := s.close(); err != nil { // the picture is drawn when the channel ends
		return err
	}
	p.closing(f, sum)
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
