package main

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sallyport/gateway/radio"
)

func (a *app) hfStatus() *cobra.Command {
	var watch, changes bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show a running HF node: links, rate, loss, queues, who transmits",
		Long: `Show the running node: who transmits now, the state of the link with each
other node, frames in the window, measured loss, queues, bound clients, what
other nodes were asked for, and the latest changes (all with --changes). The
node is that of -c FILE, or that of --socket PATH.`,
		Example: `  sallyport hf status -c hf-node.toml
  sallyport hf status -c hf-node.toml --watch
  sallyport hf status --socket hf-node.sock --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			latest := 3
			if changes {
				latest = -1
			}
			if !watch {
				return a.showNode(cmd, latest)
			}
			ctx, stop := interruptible(cmd.Context())
			defer stop()
			cmd.SetContext(ctx)
			return a.watchNode(ctx, cmd, latest)
		},
	}
	cmd.Flags().BoolVar(&watch, "watch", false, "show it again every second, until interrupted")
	cmd.Flags().BoolVar(&changes, "changes", false, "tell all changes that the node remembers")
	return cmd
}

// watchNode shows pictures until ctx ends: a fresh screen each, or one JSON value each.
func (a *app) watchNode(ctx context.Context, cmd *cobra.Command, latest int) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	out := a.out
	defer func() { a.out = out }()
	for {
		var picture bytes.Buffer
		if !a.json {
			picture.WriteString("\x1b[H\x1b[2J")
		}
		a.out = &picture
		err := a.showNode(cmd, latest)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		if _, err := out.Write(picture.Bytes()); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (a *app) showNode(cmd *cobra.Command, latest int) error {
	var s radio.Status
	if err := a.askNode(cmd, radio.VerbStatus, nil, &s); err != nil {
		return err
	}
	if a.json {
		return a.printJSON(s)
	}
	a.printNode(s)
	a.printAsked(s)
	a.printChanges(s, latest)
	return nil
}

func (a *app) printNode(s radio.Status) {
	snr, capture, modes := "", "", ""
	if s.SNR != nil {
		snr = fmt.Sprintf(", SNR %d dB", *s.SNR)
	}
	if s.Capture != nil {
		capture = fmt.Sprintf("on, %d frames, %d dropped", s.Capture.Frames, s.Capture.Dropped)
	}
	if s.EMCON {
		modes = "EMCON: hears, but keys nothing"
	} else if s.Broadcast {
		modes = "broadcast only"
	}
	var clients []string
	for _, c := range s.Clients {
		clients = append(clients, fmt.Sprintf("SAP %s rank %d", c.Name, c.Rank))
	}
	if clients == nil {
		clients = []string{"none"}
	}
	c := s.Counts
	a.printFacts([][]string{
		{"node", s.Address + " at " + s.Time.Format("15:04:05")},
		{"waveform", fmt.Sprintf("%s, %d bit/s", s.Waveform, s.Rate)},
		{"mode", modes},
		{"channel", s.Channel + snr},
		{"awaiting", s.Awaiting},
		{"clients", strings.Join(clients, ", ")},
		{"hard link", s.Hard},
		{"U_PDUs", fmt.Sprintf("%d wait, %d under way; %d taken, %d confirmed, %d rejected, %d received", s.Waiting, s.UnderWay, c.Requests, c.Confirmed, c.Rejected, c.Indications)},
		{"delay", delayWords(c)},
		{"air time", fmt.Sprintf("%.0f s in %d transmissions", c.Airtime, c.Trains)},
		{"capture", capture},
	})
	if len(s.Remotes) == 0 {
		return
	}
	rows := [][]string{{"REMOTE", "LINK", "FOR", "WINDOW", "QUEUE", "SENT", "AGAIN", "HEARD", "BAD", "LOSS"}}
	for _, r := range s.Remotes {
		link := r.Link
		if r.Exclusive {
			link += ", hard"
		}
		since := ""
		if r.Link != "none" {
			since = (time.Duration(r.Seconds) * time.Second).String()
		}
		rows = append(rows, []string{
			r.Address, link, since, fmt.Sprint(r.Window), fmt.Sprint(r.Queue), fmt.Sprint(r.Sent), fmt.Sprint(r.Again),
			fmt.Sprint(r.Heard), fmt.Sprint(r.Damaged), fmt.Sprintf("%.0f %%", 100*r.Loss),
		})
	}
	fmt.Fprintln(a.out)
	a.printTable(rows)
}

// printAsked tells what other nodes were asked for and have not answered.
func (a *app) printAsked(s radio.Status) {
	for _, q := range s.Asked {
		if q.Ended.IsZero() {
			printBroken(a.out, "asked     ", printable(q.Remote+": "+q.What+", "+s.Time.Sub(q.Since).Round(time.Second).String()+" ago"), 10)
		}
	}
}

// printChanges tells the latest changes; a negative number is all.
func (a *app) printChanges(s radio.Status, latest int) {
	list := s.Changes
	if latest >= 0 && len(list) > latest {
		list = list[len(list)-latest:]
	}
	if len(list) > 0 {
		fmt.Fprintln(a.out)
	}
	for _, c := range list {
		a.printChange(c.Time, c.Kind, c.Remote, c.Text)
	}
}

func delayWords(c radio.Counts) string {
	if c.Delay == 0 {
		return ""
	}
	return fmt.Sprintf("%.1f s from a request to its confirmation, %.1f s at most", c.Delay, c.Slowest)
}
