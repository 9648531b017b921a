package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sallyport/gateway/control"
)

func (a *app) statusCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "Show the running node at a glance",
		Long: `Show what runs, under which policy, whether it takes and releases stanzas, and
what became of those it took. Needs the role view.`,
		Example: `  sallyport status
  sallyport status --json | jq .stanzas`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var s control.Status
			if err := a.ask(cmd.Context(), control.VerbStatus, nil, &s); err != nil {
				return err
			}
			if a.json {
				return a.printJSON(s)
			}
			a.printStatus(&s, time.Now())
			return nil
		},
	}
}

func (a *app) printStatus(s *control.Status, now time.Time) {
	for _, p := range s.Problems {
		printBroken(a.out, "! ", printable(p), 2)
	}
	if s.LastReloadError != "" {
		fmt.Fprintln(a.out, "! the latest reload failed, the configuration before it is active:")
		for line := range strings.Lines(s.LastReloadError) {
			printBroken(a.out, "    ", printable(strings.TrimSuffix(line, "\n")), 8)
		}
	}
	facts := [][]string{
		{"node", fmt.Sprintf("%s, version %s, process %d", s.Node, s.Version, s.PID)},
		{"ready", yesNo(s.Ready) + ", up " + ago(now, s.Started)},
		{"config", s.Config + " (" + short(s.Digest) + "), read " + ago(now, s.Reloaded) + " ago"},
		{"policy", short(s.Policy)},
		{"audit", auditLine(&s.Audit, now)},
	}
	a.printFacts(facts)
	rows := [][]string{{"SIDE", "STREAMS", "PENDING", "LISTENS ON"}}
	for _, side := range s.Sides {
		rows = append(rows, []string{side.Name, fmt.Sprint(side.Streams), fmt.Sprint(side.Pending), strings.Join(side.Listen, " ")})
	}
	fmt.Fprintln(a.out)
	a.printTable(rows)
	if v := s.Server; v != nil {
		fmt.Fprintln(a.out)
		a.printTable([][]string{
			{"SERVER", "ONLINE", "CLIENTS", "AVAILABLE", "LISTENS ON"},
			{strings.Join(v.Domains, " "), fmt.Sprint(v.Users), fmt.Sprint(v.Sessions), fmt.Sprint(v.Available), strings.Join(v.Listen, " ")},
		})
	}
	fmt.Fprintln(a.out)
	z := &s.Stanzas
	a.printTable([][]string{
		{"ACCEPTED", "DELIVERED", "REFUSED", "BOUNCED", "EXPIRED", "IN DOUBT"},
		numbers(z.Accepted, z.Delivered, z.Refused, z.Bounced, z.Expired, z.InDoubt),
	})
	fmt.Fprintln(a.out)
	a.printTable([][]string{
		{"DECIDING", "QUEUED", "HELD", "DROPPED", "SUPERSEDED", "DAMAGED"},
		numbers(z.Deciding, z.Queued, z.Held, z.Dropped, z.Superseded, z.Damaged),
	})
	if z.Folded+z.Answered > 0 {
		fmt.Fprintf(a.out, "\nNeed not cross: %d answered here (of those delivered), %d folded (of those superseded).\n", z.Answered, z.Folded)
	}
}

func auditLine(s *control.AuditStatus, now time.Time) string {
	if s.Error != "" {
		return "FAILED, nothing is released: " + s.Error
	}
	line := fmt.Sprintf("record %d, %s in %s", s.Seq, bytesOf(s.Bytes), count(s.Segments, "segment"))
	if !s.Signed.IsZero() {
		line += ", signed " + ago(now, s.Signed) + " ago"
	}
	return line
}

func (a *app) reloadCommand() *cobra.Command {
	var q control.ReloadQuestion
	cmd := &cobra.Command{
		Use:   "reload",
		Short: "Make the running node read its configuration again",
		Long: `Make the running node read its configuration again, without dropping streams.
When the new one has errors, the old one keeps running and the errors are
printed. Needs the role policy; the audit log says who did it.

A security policy (SPIF) only goes forward: a file with a lower version than
was active, or with other content under the same version, is refused, also at
a start. --allow-rollback takes it once; the audit log says so.`,
		Example: `  sallyport check && sallyport reload
  sallyport reload --allow-rollback`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var r control.Reloaded
			if err := a.ask(cmd.Context(), control.VerbReload, q, &r); err != nil {
				return err
			}
			if a.json {
				return a.printJSON(r)
			}
			for _, w := range r.Warnings {
				printBroken(a.out, "", printable(w), 4)
			}
			if !r.Changed {
				fmt.Fprintf(a.out, "All was read again, certificates too. Policy %s has not changed and stays active.\n", short(r.Policy))
				return nil
			}
			fmt.Fprintf(a.out, "Policy %s is active, before it was %s.\n", short(r.Policy), short(r.Before))
			return nil
		},
	}
	cmd.Flags().BoolVar(&q.AllowRollback, "allow-rollback", false, "go back to older security policies, on purpose")
	return cmd
}

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version of this program",
		Example: `  sallyport version`,
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if a.json {
				return a.printJSON(map[string]string{"version": version})
			}
			fmt.Fprintln(a.out, "sallyport", version)
			return nil
		},
	}
}
