package main

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"sallyport/gateway"
	"sallyport/gateway/audit"
	"sallyport/gateway/config"
)

func (a *app) auditReplay(flags *auditFlags) *cobra.Command {
	var f audit.Filter
	cmd := &cobra.Command{
		Use:   "replay",
		Short: "Judge recorded decisions again, under any policy",
		Long: `Judge every recorded decision again under the policy of the configuration that
-c names, with the facts that were used then, and list those that would come out
otherwise: what a new policy would have changed, or, under the same one, proof
that nothing was decided by anything but the policy.

Only records with content can be judged again: set content = true in [audit].
The log may be in use. Nothing is sent and nothing is recorded.

Exits with 0 when every decision comes out the same, with 5 when one does not.`,
		Example: `  sallyport audit replay -c /etc/sallyport/sallyport.toml
  sallyport audit replay -c next.toml --dir /srv/audit --first 1200`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return a.replay(flags.dir, f) },
	}
	cmd.Flags().Uint64Var(&f.FirstSeq, "first", 0, "begin with record `NUMBER`")
	cmd.Flags().Uint64Var(&f.LastSeq, "last", 0, "end with record `NUMBER`")
	return cmd
}

func (a *app) replay(dir string, f audit.Filter) error {
	cfg, problems := config.Load(a.config)
	if problems.Failed() {
		a.printProblems(a.err, problems)
		return errors.New("the configuration has errors")
	}
	policy, err := gateway.BuildPolicy(cfg)
	if err != nil {
		return fmt.Errorf("policy: %w", err)
	}
	if dir == "" {
		dir = string(cfg.Audit.Dir)
	}
	f.Kind = audit.Decision
	var count gateway.ReplayCount
	rows := [][]string{{"RECORD", "FROM", "TO", "WAS", "WOULD BE"}}
	different := []gateway.Replayed{}
	for r, err := range gateway.Replay(policy, audit.ReadDir(dir, f), &count) {
		if err != nil {
			return fmt.Errorf("replay %s: %w", dir, err)
		}
		different = append(different, r)
		rows = append(rows, []string{strconv.FormatUint(r.Seq, 10), r.From, r.To, judgmentWords(r.Was), judgmentWords(r.Now)})
	}
	if a.json {
		err = a.printJSON(struct {
			gateway.ReplayCount
			Changes []gateway.Replayed `json:"changes"`
		}{count, different})
	} else {
		if len(different) > 0 {
			a.printTable(rows)
			fmt.Fprintln(a.out)
		}
		fmt.Fprintf(a.out, "%d decisions: %d the same, %d different, %d without content\n",
			count.Decisions, count.Same, count.Different, count.NoContent)
	}
	if err == nil && count.Different > 0 {
		return answerNo{}
	}
	return err
}

func judgmentWords(j gateway.Judgment) string {
	if j.Stage == "" {
		return j.Outcome
	}
	return j.Outcome + " at " + j.Stage + ": " + j.Reason
}
