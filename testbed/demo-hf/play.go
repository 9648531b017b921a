package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
)

// line is something that somebody says.
type line struct{ who, text string }

// turns are said one after the other; the lines of one turn at the same time.
var turns = [][]line{
	{{"ship", "Shore, this is the ship. Engine trouble, making six knots. Expect to arrive at 2140 instead of 1800."}},
	{{"shore", "Understood, 2140. A tug stands by from 2100."}},
	{{"ship", "We have one crew member with a broken arm. Please send an ambulance to the quay."}, {"shore", "Which berth draught do you need?"}},
	{{"shore", "Ambulance is ordered. Stay on this channel."}},
	{{"ship", "Draught six metres. Thank you, out."}},
}

// heardWithin bounds a turn, in real time.
const heardWithin = 3 * time.Minute

// tellAfter lets the line of a transmission be printed before what was heard by it.
const tellAfter = 250 * time.Millisecond

// play prints what happens.
type play struct {
	speed float64

	mu     sync.Mutex // guards what follows
	out    io.Writer
	delays []time.Duration // of the channel
}

func newPlay(out io.Writer, speed float64) *play { return &play{out: out, speed: speed} }

func (p *play) print(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintf(p.out, format, args...)
}

// perform lets the cast say their turns; each waits until the one before has been heard.
func (p *play) perform(ctx context.Context, cast map[string]speaker) error {
	other := map[string]string{"ship": "shore", "shore": "ship"}
	for _, turn := range turns {
		ctx, stop := context.WithTimeout(ctx, heardWithin)
		errs := make(chan error, len(turn))
		for _, l := range turn {
			go func() { errs <- p.carry(ctx, l, cast[l.who], cast[other[l.who]], other[l.who]) }()
		}
		var err error
		for range turn {
			err = errors.Join(err, <-errs)
		}
		stop()
		if err != nil {
			return err
		}
	}
	return nil
}

func (p *play) carry(ctx context.Context, l line, from, to speaker, name string) error {
	p.print("          » %s says: %s\n", l.who, l.text)
	begun := time.Now()
	if err := from.Say(ctx, l.text); err != nil {
		return fmt.Errorf("%s says: %w", l.who, err)
	}
	text, err := to.Hear(ctx)
	if err != nil {
		return fmt.Errorf("%s hears: %w", name, err)
	}
	if text != l.text {
		return fmt.Errorf("%s hears %q instead of %q", name, text, l.text)
	}
	delay := time.Duration(float64(time.Since(begun)) * p.speed)
	time.Sleep(tellAfter)
	p.print("          « %s hears it after %.0f s\n", name, delay.Seconds())
	p.mu.Lock()
	defer p.mu.Unlock()
	p.delays = append(p.delays, delay)
	return nil
}

// follow prints what the channel tells, as it grows, until ctx ends.
func (p *play) follow(ctx context.Context, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	var rest []byte
	for last := false; ; {
		news, err := io.ReadAll(f)
		if err != nil {
			return err
		}
		rest = append(rest, news...)
		for end := bytes.IndexByte(rest, '\n') + 1; end > 0; end = bytes.IndexByte(rest, '\n') + 1 {
			if shown := string(rest[:end]); !strings.HasPrefix(shown, "stations may") && !strings.HasPrefix(shown, "drawn to") {
				p.print("%s", shown)
			}
			rest = rest[end:]
		}
		if last {
			return nil
		}
		select {
		case <-ctx.Done():
			last = true
		case <-tick.C:
		}
	}
}

func (p *play) summary() {
	p.mu.Lock()
	defer p.mu.Unlock()
	var sum, most time.Duration
	for _, d := range p.delays {
		sum += d
		most = max(most, d)
	}
	mean := sum / time.Duration(max(1, len(p.delays)))
	fmt.Fprintf(p.out, "\n%d messages crossed, each once and in order: %.0f s on average, %.0f s at most.\n", len(p.delays), mean.Seconds(), most.Seconds())
}
