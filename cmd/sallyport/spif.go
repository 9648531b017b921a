package main

import (
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"sallyport/labels"
	"sallyport/labels/spif"
)

func (a *app) spifCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "spif",
		Short: "Show and check security policies (Open XML SPIF)",
		Long: `Show what a security policy says, or what is wrong with it. Without FILE the
policies are those of the configuration.`,
		Example: `  sallyport spif check nato.xml
  sallyport spif show nato.xml --lang fr`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.spifShow(), a.spifCheck())
	return cmd
}

func (a *app) spifCheck() *cobra.Command {
	var lenient bool
	cmd := &cobra.Command{
		Use:   "check [FILE...]",
		Short: "Say what is wrong with security policies",
		Long: `Read policies as the gateway does and print every defect with its file, its
line, what is wrong and the word of the rule. Errors keep a policy from being
used. Of several policies it is also checked whether the equivalences of one
exist in the other.

Exits with 0 when there are no errors, with 5 when there are.`,
		Example: `  sallyport spif check nato.xml
  sallyport spif check --json nato.xml partner.xml`,
		RunE: func(_ *cobra.Command, args []string) error { return a.checkSPIF(args, lenient) },
	}
	cmd.Flags().BoolVar(&lenient, "lenient", false, "accept known slips of published files")
	return cmd
}

// defectJSON is one defect for programs.
type defectJSON struct {
	Severity string `json:"severity"`
	File     string `json:"file"`
	Line     int    `json:"line,omitempty"`
	Rule     string `json:"rule"`
	Text     string `json:"text"`
}

func (a *app) checkSPIF(files []string, lenient bool) error {
	if len(files) == 0 {
		var err error
		if files, _, err = a.configured(); err != nil {
			return err
		}
	}
	var list []*labels.Policy
	from := map[string]string{}
	var defects []spif.Problem
	failed := false
	for _, file := range files {
		p, problems := spif.LoadWith(spif.Options{AnyNamespace: lenient}, file)
		defects = append(defects, problems...)
		if failed = failed || p == nil; p != nil {
			list, from[p.Name()] = append(list, p), file
		}
	}
	reg, err := labels.NewRegistry(list...)
	if err != nil {
		failed = true
		defects = append(defects, spif.Problem{File: files[len(files)-1], Rule: "policies", Text: err.Error()})
	}
	for _, q := range reg.Check() {
		failed = failed || !q.Warning
		defects = append(defects, spif.Problem{File: from[q.Policy], Line: q.Line, Rule: q.Rule, Text: q.Text, Warning: q.Warning})
	}
	if a.json {
		out := make([]defectJSON, len(defects))
		for i, d := range defects {
			out[i] = defectJSON{severity(d), d.File, d.Line, d.Rule, d.Text}
		}
		err = a.printJSON(out)
	} else {
		a.printDefects(a.out, defects, false)
		a.printSum(defects, files)
		err = nil
	}
	if err == nil && failed {
		err = answerNo{}
	}
	return err
}

func severity(d spif.Problem) string {
	if d.Warning {
		return "warning"
	}
	return "error"
}

// printDefects writes each defect with its place in front, as editors look for it; those of one place and text once.
func (a *app) printDefects(w io.Writer, defects []spif.Problem, errorsOnly bool) {
	for _, d := range defects {
		if errorsOnly && d.Warning {
			continue
		}
		printBroken(w, "", printable(d.String()), 4)
	}
}

func (a *app) printSum(defects []spif.Problem, files []string) {
	wrong := map[string][2]int{}
	for _, d := range defects {
		n := wrong[d.File]
		if d.Warning {
			n[1]++
		} else {
			n[0]++
		}
		wrong[d.File] = n
	}
	if len(defects) > 0 {
		fmt.Fprintln(a.out)
	}
	for _, file := range files {
		n := wrong[file]
		fmt.Fprintf(a.out, "%s: %s, %s\n", file, count(n[0], "error"), count(n[1], "warning"))
	}
}

// readFile reads a file of bounded size.
func readFile(name string, limit int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: %w", name, err)
	case int64(len(b)) > limit:
		return nil, fmt.Errorf("%s: larger than %s", name, bytesOf(limit))
	}
	return b, nil
}
