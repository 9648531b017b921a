package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sallyport/gateway/audit"
)

func (a *app) linkHistory() *cobra.Command {
	var f auditFlags
	var since string
	var last int
	cmd := &cobra.Command{
		Use:   "history LINK",
		Short: "Tell what changed about a link, from the audit log",
		Long: `Print every change of a link that the audit log has, oldest first: when, what,
who ordered it, and why. Reads the files of the log; needs no running node.

Links of kind hf record the most: their node bound and lost, radio silence, and
what the node tells of its links on the air where the configuration lets it
('events' of link.NAME.hf). 'sallyport audit show --link' has all fields.`,
		Example: `  sallyport link history radio
  sallyport link history radio --since 1d`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			from, err := parseWhen(since, time.Now())
			if err != nil {
				return fmt.Errorf("--since: %w", err)
			}
			f.key = "-" // none is needed
			if err := f.complete(a.config, ""); err != nil {
				return err
			}
			return a.printHistory(f.dir, audit.Filter{Link: args[0], Kind: audit.PeerEvent, Since: from}, last)
		},
	}
	cmd.Flags().StringVar(&f.dir, "dir", "", "`DIR` of the log (default: see the configuration)")
	cmd.Flags().StringVar(&since, "since", "", "from `TIME` on")
	cmd.Flags().IntVar(&last, "last", 0, "only the last `N` changes")
	return cmd
}

func (a *app) printHistory(dir string, f audit.Filter, last int) error {
	var all []audit.Entry
	damaged := false
	for e, err := range audit.ReadDir(dir, f) {
		var p *audit.Problem
		switch {
		case errors.As(err, &p):
			damaged = true
			fmt.Fprintln(a.err, "sallyport: the log is damaged:", printable(p.String()))
		case err != nil:
			return err
		default:
			if all = append(all, e); last > 0 && len(all) > last {
				all = slices.Delete(all, 0, 1)
			}
		}
	}
	for i := range all {
		e := &all[i]
		if a.json {
			_, _ = a.out.Write(audit.AppendJSON(nil, e))
			continue
		}
		what := strings.ReplaceAll(strings.TrimPrefix(e.Rule, "hf-"), "-", " ") + ": " + e.Reason
		if e.From != "" {
			what += ", by " + e.From
		}
		head := e.Time.UTC().Format("2006-01-02 15:04:05Z  ")
		printBroken(a.out, head, printable(what), len(head))
	}
	if len(all) == 0 && !damaged && !a.json {
		fmt.Fprintln(a.out, "The log has no change of a link of that name.")
	}
	if damaged {
		return answerNo{}
	}
	return nil
}
