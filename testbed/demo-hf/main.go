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
	flag.StringVar(&o.sallyport, "sallyport", "build/sallyport", "the program")
	flag.StringVar(&o.state, "state", "run-hf", "folder for files, logs and the picture")
	flag.Float64Var(&o.speed, "speed", 4, "how much faster than real time")
	flag.StringVar(&o.profile, "profile", "sky-good", "of the channel")
	flag.StringVar(&o.waveform, "waveform", "110a-1200-short", "of both nodes")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "demo-hf:", err)
		os.Exit(1)
	}
}

// run plays the whole piece once.
func run(ctx context.Context, o options, out io.Writer) (err error) {
	s, err := setStage(o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	fmt.Fprintf(out, "A ship and a shore station, %s, channel %q, %gx real time.\n", o.waveform, o.profile, o.speed)
	fmt.Fprintf(out, "Each line is a transmission; between them, what people say and hear.\n\n")
	if err := s.start(ctx); err != nil {
		return err
	}
	p := newPlay(out, o.speed)
	follow, end := context.WithCancel(ctx)
	followed := make(chan error, 1)
	go func() { followed <- p.follow(follow, s.told()) }()
	acted := act(ctx, s, p)
	closed := s.close() // before the end of following: the channel tells its last when it stops
	end()
	err = errors.Join(acted, closed, <-followed)
	if err != nil {
		return err
	}
	p.summary()
	fmt.Fprintf(out, "Who keyed when:   %s\nThe log of it:    %s\n", s.file("channel.svg"), s.file("channel.jsonl"))
	fmt.Fprintf(out, "For Wireshark:    %s\n", s.file("ship-sis-0001.pcap"))
	fmt.Fprintf(out, "                  %s\n", s.file("ship-dpdu-0001.pcap"))
	return nil
}

// act connects the speakers and lets them talk.
func act(ctx context.Context, s *stage, p *play) error {
	cast := map[string]speaker{}
	for _, n := range s.nodes {
		c, err := dialSpeaker(ctx, n)
		if err != nil {
			return fmt.Errorf("%s: %w", n.name, err)
		}
		defer c.Close()
		cast[n.name] = c
	}
	if err := p.perform(ctx, cast); err != nil {
		return err
	}
	time.Sleep(time.Duration(float64(afterwards) / p.speed)) // the last acknowledgement belongs to the picture
	return nil
}

// afterwards is how long the channel goes on when all has been heard, in its own time.
const afterwards = 5 * time.Second

func absolute(name string) string {
	abs, err := filepath.Abs(name)
	if err != nil {
		return name
	}
	return abs
}
