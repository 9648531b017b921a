package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sallyport/gateway/control"
)

func (a *app) spoolCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "spool",
		Short: "Look at what waits for peers that cannot be reached",
		Long: `The spool keeps what goes to peers with links of their own, or with
spool = true, until it has been delivered. Nothing of the content is shown.`,
		Example: `  sallyport spool list
  sallyport spool expire 4711`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.spoolList(), a.spoolShow(), a.spoolExpire(), a.spoolRetry())
	return cmd
}

func (a *app) spoolList() *cobra.Command {
	var q control.SpoolQuestion
	cmd := &cobra.Command{
		Use:   "list [PEER]",
		Short: "List what waits, by peer and precedence",
		Long: `List what waits, by peer and precedence, with the age of the oldest, and what
became of everything that waited before. Needs the role view.

What may not travel over any link that works now stands aside and holds nothing
up.`,
		Example: `  sallyport spool list
  sallyport spool list ship --entries 20`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				q.Peer = args[0]
			}
			var s control.SpoolStatus
			if err := a.ask(cmd.Context(), control.VerbSpoolList, q, &s); err != nil {
				return err
			}
			if a.json {
				return a.printJSON(s)
			}
			a.printSpool(&s, time.Now())
			return nil
		},
	}
	cmd.Flags().IntVar(&q.Limit, "entries", 0, "also list up to `N` entries")
	cmd.Flags().Uint64Var(&q.From, "from", 0, "list entries from number `N` on")
	return cmd
}

func (a *app) printSpool(s *control.SpoolStatus, now time.Time) {
	if s.Epoch == "" {
		fmt.Fprintln(a.out, "This node keeps nothing.")
		return
	}
	if s.Error != "" {
		printBroken(a.out, "! ", printable("the spool has stopped: "+s.Error), 2)
	}
	if s.Warning != "" {
		printBroken(a.out, "! ", printable(s.Warning), 2)
	}
	if s.DiskFull {
		fmt.Fprintln(a.out, "! the disk is full: nothing new is taken, what is here is kept")
	}
	if s.Balance != 0 {
		fmt.Fprintf(a.out, "! the sums do not add up: %d unaccounted for\n", s.Balance)
	}
	a.printFacts([][]string{
		{"spool", fmt.Sprintf("%d entries, %s of stanzas, %s on disk in %s", s.Entries, bytesOf(s.Bytes), bytesOf(s.DiskBytes), count(s.Segments, "segment"))},
		{"epoch", s.Epoch},
	})
	if len(s.Lanes) > 0 {
		rows := [][]string{{"PEER", "PRECEDENCE", "WAITING", "TO BE SENT", "SIZE", "OLDEST"}}
		for _, l := range s.Lanes {
			class := l.Class
			if l.Paced {
				class += ", paced"
			}
			if l.Aside {
				class += ", aside"
			}
			rows = append(rows, []string{
				l.Peer, class, fmt.Sprint(l.Entries - l.Underway), fmt.Sprint(l.Underway), bytesOf(l.Bytes), ago(now, l.Oldest),
			})
		}
		fmt.Fprintln(a.out)
		a.printTable(rows)
	}
	fmt.Fprintln(a.out)
	a.printTable([][]string{
		{"TAKEN", "WAIT", "DELIVERED", "BOUNCED", "REFUSED", "EXPIRED", "REPLACED", "IN DOUBT", "DAMAGED"},
		numbers(s.Accepted, s.Queued, s.Delivered, s.Bounced, s.Refused, s.Expired, s.Superseded, s.InDoubt, s.Damaged),
	})
	if len(s.List) == 0 {
		return
	}
	rows := [][]string{{"NUMBER", "PEER", "PRECEDENCE", "STATE", "KIND", "SIZE", "AGE", "EXPIRES IN"}}
	for _, e := range s.List {
		left := ""
		if !e.Expires.IsZero() {
			left = ago(e.Expires, now)
		}
		rows = append(rows, []string{fmt.Sprint(e.Number), e.Peer, e.Class, e.State, e.Kind, bytesOf(int64(e.Bytes)), ago(now, e.Accepted), left})
	}
	fmt.Fprintln(a.out)
	a.printTable(rows)
	if s.More {
		fmt.Fprintf(a.out, "There are more, from %d on.\n", s.List[len(s.List)-1].Number+1)
	}
}

func (a *app) spoolShow() *cobra.Command {
	return &cobra.Command{
		Use:   "show NUMBER",
		Short: "Show one entry, and what would become of it now",
		Long: `Show one entry: whom it is from and to, which decision it goes back to, and
what the policy says of it today. Needs the role view.`,
		Example: `  sallyport spool show 4711`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			n, err := numbersOf(args)
			if err != nil {
				return err
			}
			var e control.SpoolDetail
			if err := a.ask(cmd.Context(), control.VerbSpoolShow, control.EntryQuestion{Number: n[0]}, &e); err != nil {
				return err
			}
			if a.json {
				return a.printJSON(e)
			}
			a.printEntry(&e, time.Now())
			return nil
		},
	}
}

func (a *app) printEntry(e *control.SpoolDetail, now time.Time) {
	outcome := e.Outcome
	if e.Reason != "" {
		outcome += ": " + e.Reason
	}
	left := "never"
	if !e.Expires.IsZero() {
		left = "in " + ago(e.Expires, now)
	}
	state := e.State
	if e.Link != "" {
		state += " over " + e.Link
	}
	a.printFacts([][]string{
		{"entry", fmt.Sprintf("%d for %s, %s, %s", e.Number, e.Peer, e.Class, state)},
		{"stanza", strings.TrimSpace(e.Kind + " " + e.ID)},
		{"from", e.From},
		{"to", e.To},
		{"label", e.Label},
		{"size", bytesOf(int64(e.Bytes))},
		{"taken", ago(now, e.Accepted) + " ago"},
		{"expires", left},
		{"judged now", outcome},
		{"may go by", strings.Join(e.Links, " ")},
		{"reference", e.Reference},
	})
}

func (a *app) spoolExpire() *cobra.Command {
	var q control.SpoolQuestion
	cmd := &cobra.Command{
		Use:   "expire (NUMBER ... | --peer PEER)",
		Short: "End entries before their time",
		Long: `End entries as if their lifetime were over: each is recorded, and its sender is
told. What a link has at this moment is left alone. Needs the role operate; the
audit log says who did it.`,
		Example: `  sallyport spool expire 4711 4712
  sallyport spool expire --peer ship`,
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			if q.Numbers, err = numbersOf(args); err != nil {
				return err
			}
			var done control.SpoolChanged
			if err := a.ask(cmd.Context(), control.VerbSpoolExpire, q, &done); err != nil {
				return err
			}
			if a.json {
				return a.printJSON(done)
			}
			fmt.Fprintf(a.out, "%s ended.\n", count(done.Entries, "stanza"))
			for _, n := range done.Left {
				fmt.Fprintf(a.out, "%d is not there, or a link has it now.\n", n)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&q.Peer, "peer", "", "all that waits for `PEER`")
	return cmd
}

func (a *app) spoolRetry() *cobra.Command {
	return &cobra.Command{
		Use:   "retry [PEER]",
		Short: "Try links again at once that have failed",
		Long: `Try links again at once that have failed, instead of at their next time. The
order of what waits stays. Needs the role operate; the audit log says who did
it.`,
		Example: `  sallyport spool retry ship`,
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var q control.SpoolQuestion
			if len(args) == 1 {
				q.Peer = args[0]
			}
			var done control.SpoolChanged
			if err := a.ask(cmd.Context(), control.VerbSpoolRetry, q, &done); err != nil {
				return err
			}
			if a.json {
				return a.printJSON(done)
			}
			fmt.Fprintf(a.out, "Trying again; %s to be sent.\n", count(done.Entries, "stanza"))
			return nil
		},
	}
}

func numbersOf(args []string) ([]uint64, error) {
	var out []uint64
	for _, arg := range args {
		n, err := strconv.ParseUint(arg, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("%q is not the number of an entry; see sallyport spool list --entries 20", arg)
		}
		out = append(out, n)
	}
	return out, nil
}
