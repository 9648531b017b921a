package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sallyport/gateway/control"
)

// watchEvery is how often a picture is taken anew.
const watchEvery = 2 * time.Second

func (a *app) linkStatus() *cobra.Command {
	var watch, story bool
	cmd := &cobra.Command{
		Use:   "status [LINK]",
		Short: "Show the links of the running node, and what goes over them",
		Long: `Show the state of each link, which precedences go over it, how good it is, and
what waits for its peer; for a link with a name also what fills it, class by
class and for what, what its budgets have left, and the story of its latest
attempts to connect. Needs the role view. Ordinary server-to-server streams are
shown by 'sallyport peer show'.`,
		Example: `  sallyport link status
  sallyport link status sat
  sallyport link status --watch`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			name := strings.Join(args, "")
			story = story || name != ""
			if !watch {
				return a.showLinks(cmd.Context(), a.out, name, story)
			}
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt)
			defer stop()
			return a.watchLinks(ctx, name, story)
		},
	}
	cmd.Flags().BoolVar(&watch, "watch", false, "show it again every two seconds, until interrupted")
	cmd.Flags().BoolVar(&story, "story", false, "tell the latest attempts of every link")
	return cmd
}

// watchLinks shows pictures until ctx ends: a fresh screen each, or one JSON value each.
func (a *app) watchLinks(ctx context.Context, name string, story bool) error {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		var picture bytes.Buffer
		if !a.json {
			picture.WriteString("\x1b[H\x1b[2J")
		}
		if err := a.showLinks(ctx, &picture, name, story); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		if _, err := a.out.Write(picture.Bytes()); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (a *app) showLinks(ctx context.Context, w io.Writer, name string, story bool) error {
	var links []control.LinkStatus
	if err := a.ask(ctx, control.VerbLinkStatus, nil, &links); err != nil {
		return err
	}
	if name != "" {
		var one []control.LinkStatus
		for _, l := range links {
			if l.Name == name {
				one = append(one, l)
			}
		}
		if links = one; one == nil {
			return fmt.Errorf("there is no link %q; see 'sallyport link status'", name)
		}
	}
	var waits control.SpoolStatus
	if err := a.ask(ctx, control.VerbSpoolList, control.SpoolQuestion{}, &waits); err != nil {
		return err
	}
	on := *a
	on.out = w
	if a.json {
		return on.printJSON(map[string]any{"links": links, "waiting": waits.Lanes})
	}
	on.printLinks(links, waits.Lanes, story, time.Now())
	return nil
}

func (a *app) printLinks(links []control.LinkStatus, waits []control.SpoolLane, story bool, now time.Time) {
	if len(links) == 0 {
		fmt.Fprintln(a.out, "There is no link but s2s, whose streams 'sallyport peer list' shows.")
		return
	}
	rows := [][]string{{"LINK", "PEER", "STATE", "FOR", "CARRIES", "TRIP", "LOSS", "OUT", "SAVED"}}
	for i := range links {
		l := &links[i]
		carries, trip, state := classes(l.Carries), "-", l.State
		if d, err := time.ParseDuration(l.RoundTrip); err == nil {
			trip = brief(d)
		}
		if l.InboundOnly {
			carries = "inbound only"
		}
		if l.Silence != "" {
			state += ", silent"
		}
		rows = append(rows, []string{
			l.Name, l.Peer, state, ago(now, l.Since), carries, trip, lost(l.Loss), brieflySized(int64(l.BytesOut)), brieflySized(l.Saved + int64(l.Folded)), //nolint:gosec // sizes
		})
	}
	a.printTable(rows)
	if len(waits) > 0 {
		rows = [][]string{{"PEER", "PRECEDENCE", "WAITING", "SIZE", "OLDEST"}}
		for _, w := range waits {
			class := w.Class
			if w.Paced {
				class += ", paced"
			}
			if w.Aside {
				class += ", aside"
			}
			rows = append(rows, []string{w.Peer, class, fmt.Sprint(w.Entries), bytesOf(w.Bytes), ago(now, w.Oldest)})
		}
		fmt.Fprintln(a.out)
		a.printTable(rows)
	}
	for i := range links {
		if story {
			fmt.Fprintln(a.out)
			a.printStory(&links[i], now)
		}
	}
}

func (a *app) printStory(l *control.LinkStatus, now time.Time) {
	retry := ""
	if !l.Retry.IsZero() {
		retry = "in " + ago(l.Retry, now)
	}
	a.printFacts([][]string{
		{"link", l.Name + " to " + l.Peer + ", " + l.Kind + ", " + l.State},
		{"silence", silenceWords(l)},
		{"carrier", l.Carrier},
		{"next try", retry},
		{"fingerprint", l.Fingerprint},
		{"bytes", sized(l.BytesOut) + " out, " + sized(l.BytesIn) + " in"},
		{"saved", bytesOf(l.Saved) + " by compression, " + sized(l.Folded) + " by folding"},
		{"stanzas", fmt.Sprintf("%d out, %d in, %d repeated, %d not confirmed", l.StanzasOut, l.StanzasIn, l.Repetitions, l.Unconfirmed)},
	})
	a.printUsage(l)
	a.printBudgets(l)
	for _, w := range l.Warnings {
		printBroken(a.out, "! ", printable(w), 2)
	}
	for _, t := range l.Story {
		what := "tried "
		if t.Inbound {
			what = "was opened from "
		}
		fmt.Fprintln(a.out, printable(ago(now, t.At)+" ago it "+what+t.Address))
		for _, s := range t.Steps {
			printBroken(a.out, "  ", printable(s), 4)
		}
		if t.Advice != "" {
			printBroken(a.out, "  > ", printable(t.Advice), 4)
		}
	}
}

// silenceWords say why a link sends nothing, and what ends that.
func silenceWords(l *control.LinkStatus) string {
	if l.Silence == "" {
		return ""
	}
	return l.Silence + "; 'sallyport link emcon " + l.Name + " off' ends it"
}

// classes are the precedences that go over a link, in a few letters.
func classes(list []string) string {
	order := []string{"routine", "priority", "immediate", "flash"}
	first := slices.Index(order, strings.Join(list[:min(1, len(list))], ""))
	switch {
	case len(list) == len(order):
		return "all"
	case len(list) > 1 && first >= 0 && len(order)-first >= len(list) && slices.Equal(list, order[first:first+len(list)]):
		return list[0] + "-" + list[len(list)-1]
	}
	return strings.Join(list, " ")
}

// brieflySized is a number of bytes in at most six characters.
func brieflySized(n int64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.1fG", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%.1fM", float64(n)/(1<<20))
	case n >= 1<<10:
		return fmt.Sprintf("%.1fK", float64(n)/(1<<10))
	}
	return strconv.FormatInt(n, 10)
}
