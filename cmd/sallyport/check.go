package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/spf13/cobra"

	"sallyport/gateway"
	"sallyport/gateway/config"
	"sallyport/peering"
)

func (a *app) checkCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check",
		Short: "Say what is wrong or risky in a configuration",
		Long: `Read a configuration as run would, with every file it names, and print all
problems at once, each with file, line and what to do. Errors keep a node from
starting; warnings are risks that are yours to take.

Exits with 0 when there are no errors, with 5 when there are.`,
		Example: `  sallyport check -c sallyport.toml
  sallyport check -c sallyport.toml --json`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return a.check() },
	}
}

// problem is one problem as JSON.
type problem struct {
	Severity string `json:"severity"`
	File     string `json:"file"`
	Line     int    `json:"line,omitempty"`
	Key      string `json:"key,omitempty"`
	Text     string `json:"text"`
	Advice   string `json:"advice,omitempty"`
}

func (a *app) check() error {
	cfg, problems := config.Load(a.config)
	if cfg != nil {
		policy, err := gateway.BuildPolicy(cfg)
		if err != nil {
			problems = append(problems, config.Problem{File: a.config, Text: err.Error()})
		} else {
			problems = append(problems, rollbacks(cfg, policy)...)
		}
	}
	if a.json {
		list := make([]problem, len(problems))
		for i, p := range problems {
			list[i] = problem{p.Severity.String(), p.File, p.Line, p.Key, p.Text, p.Advice}
		}
		if err := a.printJSON(list); err != nil {
			return err
		}
	} else {
		a.printProblems(a.out, problems)
	}
	if problems.Failed() {
		return answerNo{}
	}
	return nil
}

// rollbacks are the problems of security policies that are older than what was active. Who may not read the state
// directory learns that this was not looked at.
func rollbacks(cfg *config.Config, p *peering.Policy) config.Problems {
	back, err := gateway.FindRollbacks(cfg, p)
	switch {
	case errors.Is(err, fs.ErrPermission):
		return config.Problems{{
			Severity: config.Warning, File: cfg.Source.Path, Key: "node.state",
			Text: "cannot be read by you, so that it is not known whether a security policy goes back", Advice: "check as the user of the node",
		}}
	case err != nil:
		return config.Problems{{File: cfg.Source.Path, Key: "node.state", Text: err.Error()}}
	}
	var out config.Problems
	for _, r := range back {
		out = append(out, config.Problem{File: r.File, Text: r.Err.Error(), Advice: gateway.RollbackAdvice})
	}
	return out
}

// printProblems writes each problem with its place in front, as editors look for it, and
// the advice below it.
func (a *app) printProblems(w io.Writer, problems config.Problems) {
	counts := map[config.Severity]int{}
	for _, p := range problems {
		counts[p.Severity]++
		advice := p.Advice
		p.Advice = ""
		printBroken(w, "", printable(p.String()), 4)
		if advice != "" {
			printBroken(w, "    -> ", printable(advice), 7)
		}
	}
	if len(problems) > 0 {
		fmt.Fprintln(w)
	}
	fmt.Fprintf(w, "%s: %s, %s\n", a.config, count(counts[config.Error], "error"), count(counts[config.Warning], "warning"))
}

func count(n int, what string) string {
	switch n {
	case 0:
		return "no " + what + "s"
	case 1:
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
