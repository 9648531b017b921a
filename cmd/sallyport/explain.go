package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sallyport/gateway"
	"sallyport/gateway/config"
	"sallyport/gateway/control"
	"sallyport/peering"
)

// maxStanza bounds what is read to be explained, in bytes.
const maxStanza = 1 << 20

func (a *app) explainCommand() *cobra.Command {
	var q control.ExplainQuestion
	var live bool
	cmd := &cobra.Command{
		Use:   "explain --from PEER [FILE]",
		Short: "Say what would become of a stanza, and why",
		Long: `Judge one stanza as if a peer had sent it and print the whole way through the
stages, what would change, and what would have allowed it. The stanza is read
from FILE, or from standard input. Nothing is sent and nothing is recorded.

The configuration that -c names is used; with --live, the running node is asked
instead, under the policy it has now. Needs the role view then.

Exits with 0 when the stanza would cross, with 5 when it would not.`,
		Example: `  sallyport explain --from office message.xml
  sallyport explain --from partner --to office --live < presence.xml`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			stanza, err := a.readStanza(args)
			if err != nil {
				return err
			}
			q.Stanza = stanza
			return a.explain(cmd, q, live)
		},
	}
	f := cmd.Flags()
	f.StringVar(&q.From, "from", "", "`PEER` that sends it")
	f.StringVar(&q.To, "to", "", "`PEER` it should go to; exits with 5 when it would not")
	f.StringVar(&q.Domain, "domain", "", "`DOMAIN` the peer has proved (default that of the sender)")
	f.BoolVar(&live, "live", false, "ask the running node")
	_ = cmd.MarkFlagRequired("from")
	return cmd
}

func (a *app) readStanza(args []string) (string, error) {
	r := a.in
	if len(args) == 1 && args[0] != "-" {
		f, err := os.Open(args[0])
		if err != nil {
			return "", fmt.Errorf("read the stanza: %w", err)
		}
		defer f.Close()
		r = f
	}
	b, err := io.ReadAll(io.LimitReader(r, maxStanza+1))
	switch {
	case err != nil:
		return "", fmt.Errorf("read the stanza: %w", err)
	case len(b) > maxStanza:
		return "", errors.New("read the stanza: it is larger than 1 MiB, and no peer may send that much")
	case strings.TrimSpace(string(b)) == "":
		return "", errors.New("read the stanza: there is none; name a file with one <message/>, <presence/> or <iq/>")
	}
	return string(b), nil
}

func (a *app) explain(cmd *cobra.Command, q control.ExplainQuestion, live bool) error {
	var x peering.Explanation
	if live {
		if err := a.ask(cmd.Context(), control.VerbExplain, q, &x); err != nil {
			return err
		}
	} else {
		cfg, problems := config.Load(a.config)
		if problems.Failed() {
			a.printProblems(a.err, problems)
			return errors.New("the configuration has errors")
		}
		policy, err := gateway.BuildPolicy(cfg)
		if err != nil {
			return err
		}
		if x, err = gateway.Explain(policy, q, time.Now()); err != nil {
			return err
		}
	}
	if a.json {
		if err := a.printJSON(x); err != nil {
			return err
		}
	} else {
		a.printExplanation(&x)
	}
	if x.Outcome != peering.Release.String() || q.To != "" && x.ToPeer != q.To {
		return answerNo{}
	}
	return nil
}

func (a *app) printExplanation(x *peering.Explanation) {
	outcome := strings.ToUpper(x.Outcome)
	switch {
	case x.Outcome != peering.Release.String():
		outcome += " at stage " + x.Stage + ": " + x.Reason
	case x.Changed:
		outcome += ", changed"
	default:
		outcome += " as it is"
	}
	to := x.ToPeer
	if to == "" {
		to = "nobody"
	}
	a.printFacts([][]string{
		{"outcome", outcome},
		{"way", x.FromPeer + " to " + to},
		{"policy", short(x.Policy)},
		{"rule", x.Rule},
		{"because", x.Detail},
		{"would allow it", x.Allowing},
		{"sender gets", x.Condition},
		{"label in", x.LabelIn},
		{"label out", x.LabelOut},
	})
	if x.Label != nil {
		a.printLabelFacts(x.Label)
	}
	rows := [][]string{{"STAGE", "CHANGED", "WHAT"}}
	for _, s := range x.Steps {
		what := s.Note
		if s.Subject != "" {
			what += ": " + s.Subject
		}
		changed := ""
		if s.Changed {
			changed = "yes"
		}
		rows = append(rows, []string{s.Stage, changed, what})
	}
	fmt.Fprintln(a.out)
	a.printTable(rows)
	if len(x.Diff) > 0 {
		fmt.Fprint(a.out, "\nDifference (- as it came, + as it leaves):\n")
		for _, line := range x.Diff {
			fmt.Fprintln(a.out, printable(line))
		}
	}
}

// printLabelFacts lays out how the label was found, who was asked about it, and how it leaves.
func (a *app) printLabelFacts(x *peering.ExplainedLabel) {
	sent := x.Sent
	if x.Written == "" {
		sent = "" // it was checked, and none leaves
	}
	fmt.Fprintln(a.out)
	a.printFacts([][]string{
		{"label from", x.Source},
		{"syntax", x.Syntax},
		{"sha256", x.Digest},
		{"in numbers", x.Received},
		{"replaced by rule", x.RelabelledBy},
		{"sent as", sent},
	})
	for _, t := range x.Translations {
		line := "Translated for the " + t.For + ": " + t.Status
		if t.Reason != "" {
			line += ", " + t.Reason
		}
		fmt.Fprintln(a.out)
		printBroken(a.out, "", printable(line), 2)
		for _, s := range t.Steps {
			printBroken(a.out, "  ", printable(s), 4)
		}
	}
	for _, c := range x.Checks {
		fmt.Fprintln(a.out)
		printBroken(a.out, "", printable("Clearance of "+c.Subject+", asked at "+c.Stage+": "+c.Result), 2)
		printBroken(a.out, "  label      ", printable(c.Label), 13)
		printBroken(a.out, "  clearance  ", printable(c.Clearance), 13)
	}
}
