package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"

	"github.com/spf13/cobra"

	"sallyport/gateway/radio"
)

func (a *app) hfChannel() *cobra.Command {
	var check, quiet bool
	var log, picture string
	cmd := &cobra.Command{
		Use:   "channel",
		Short: "Simulate an HF channel for nodes that connect to it",
		Long: `Simulate the modems and the air between stations until interrupted: half
duplex, interleaver and turnaround delays, fading, bit errors, collisions. Each
transmission becomes a line: who keyed for how long, and what every other
station made of it. On a terminal the last lines are what is on the air now.

A file that works:

  stations = ["ship", "shore"]
  profile  = "sky-good"   # clean surface sky-good sky-moderate sky-poor
  speed    = 1.0          # how much faster than real time
  listen   = "127.0.0.1:5070"
  [[path]]                # where a path differs
  from = "ship"
  to   = "shore"
  loss = 0.1              # share of frames
  [[window]]
  kind = "outage"         # or "jam"
  begin = "5m"
  for   = "30s"

Nothing proves who a station is: listen where only your nodes can reach it.`,
		Example: `  sallyport hf channel -c hf-channel.toml
  sallyport hf channel -c hf-channel.toml --log day.jsonl --svg day.svg
  sallyport hf channel -c hf-channel.toml --check`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, problems := radio.LoadChannel(a.hfFile(cmd, defaultChannel))
			if check {
				return a.checked(problems)
			}
			if err := a.startable(problems); err != nil {
				return err
			}
			return a.runChannel(cmd, c, channelOutput{log: log, picture: picture, quiet: quiet})
		},
	}
	f := cmd.Flags()
	f.BoolVar(&check, "check", false, "check the file and do nothing else")
	f.BoolVarP(&quiet, "quiet", "q", false, "do not write a line for each transmission")
	f.StringVar(&log, "log", "", "write each transmission as a line of JSON to `FILE`")
	f.StringVar(&picture, "svg", "", "draw who keyed when, at the end, to `FILE`")
	return cmd
}

// channelOutput is where a channel is told.
type channelOutput struct {
	log, picture string
	quiet        bool
}

func (a *app) runChannel(cmd *cobra.Command, c radio.Channel, o channelOutput) (err error) {
	ctx, stop := interruptible(cmd.Context())
	defer stop()
	roll, words := radio.NewRoll(a.out, radio.Columns(a.out)), radio.NewTeller(c.Stations)
	run := radio.ChannelRun{Lines: roll, Air: func(now []radio.Told) { roll.Show(words.Lines(now)...) }, Ready: func(at net.Addr) {
		fmt.Fprintf(a.err, "stations may connect to %s\n", at)
	}}
	if o.quiet {
		run.Lines, run.Air = nil, nil
	}
	if o.log != "" {
		f, err := os.OpenFile(o.log, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o644) //nolint:gosec // no message is in it
		if err != nil {
			return fmt.Errorf("log: %w", err)
		}
		defer func() { err = errors.Join(err, f.Close()) }()
		run.Log = io.Writer(f)
	}
	picture, err := radio.RunChannel(ctx, c, run)
	if err != nil {
		return fmt.Errorf("channel: %w", err)
	}
	switch {
	case o.picture == "":
		return nil
	case picture == nil:
		fmt.Fprintln(a.err, "nobody keyed, so there is nothing to draw")
		return nil
	}
	if err := os.WriteFile(o.picture, picture, 0o644); err != nil { //nolint:gosec // no message is in it
		return fmt.Errorf("picture: %w", err)
	}
	fmt.Fprintln(a.err, printable("drawn to "+o.picture))
	return nil
}
