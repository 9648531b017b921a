package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"sallyport/labels"
)

// unreadable ends a command that answers to scripts and had nothing to answer about.
type unreadable struct{ err error }

func (e unreadable) Error() string { return e.err.Error() }
func (e unreadable) Unwrap() error { return e.err }

func (a *app) labelDecide() *cobra.Command {
	var f labelFlags
	var clearanceSyntax string
	cmd := &cobra.Command{
		Use:   "decide LABEL CLEARANCE",
		Short: "Say whether a clearance allows a label, and why",
		Long: `Answer the two questions that decide: is the label valid under its policy, and
does the clearance cover it. Both must be yes. Of several clearances in a file
the one under the policy of the label counts.

Exits with 0 for allow, with 5 for block, with 2 when something cannot be read.`,
		Example: `  sallyport label decide --policy nato.xml label.xml clearance.xml
  sallyport label decide --policy nato.xml - alice.pem < label.b64`,
		Args: cobra.ExactArgs(2),
		RunE: func(_ *cobra.Command, args []string) error {
			allow, err := a.decide(&f, clearanceSyntax, args[0], args[1])
			switch {
			case err != nil:
				return unreadable{err}
			case !allow:
				return answerNo{}
			}
			return nil
		},
	}
	f.add(cmd)
	cmd.Flags().StringVar(&clearanceSyntax, "clearance-syntax", "", "read the clearance as `WORD`")
	return cmd
}

// decisionJSON is a decision for programs.
type decisionJSON struct {
	Decision  string     `json:"decision"`
	Valid     answerJSON `json:"valid"`
	Access    answerJSON `json:"access"`
	Label     string     `json:"label"`
	Clearance string     `json:"clearance"`
	Policy    string     `json:"policy"`
	Read      []string   `json:"read_as"`
}

type answerJSON struct {
	Yes    bool   `json:"yes"`
	Reason string `json:"reason,omitempty"`
}

func (a *app) decide(f *labelFlags, clearanceSyntax, labelName, clearanceName string) (bool, error) {
	if labelName == "-" && clearanceName == "-" {
		return false, errors.New("only one of label and clearance can be standard input")
	}
	at, err := f.when()
	if err != nil {
		return false, err
	}
	reg, err := a.load(&f.policyFlags)
	if err != nil {
		return false, err
	}
	from, l, err := a.label([]string{labelName}, reg, f)
	if err != nil {
		return false, fmt.Errorf("label %w", err)
	}
	held, err := a.open(clearanceName, clearanceSyntax, reg, f)
	if err != nil {
		return false, fmt.Errorf("clearance %w", err)
	}
	list, err := held.ClearanceList(reg.Registry)
	if err != nil {
		return false, fmt.Errorf("clearance %s: %w", held.name, withAdvice(err))
	}
	c := pick(list, l.PolicyID())
	p := l.Policy()
	valid, access := answer(p.Validate(l, at)), answer(p.Decide(l, c))
	if c.PolicyID() != l.PolicyID() {
		access.Reason = fmt.Sprintf("the clearance is under policy %s, the label under %s; see 'sallyport label translate'", c.Policy().Name(), p.Name())
	}
	d := decisionJSON{
		Decision: "block", Valid: valid, Access: access, Label: l.String(), Policy: p.ID(),
		Clearance: "under " + c.Policy().Name() + ": " + c.Marking(""),
		Read:      []string{from.Syntax.String(), held.Syntax.String()},
	}
	if valid.Yes && access.Yes {
		d.Decision = "allow"
	}
	if a.json {
		return d.Decision == "allow", a.printJSON(d)
	}
	a.printFacts([][]string{
		{"decision", strings.ToUpper(d.Decision)},
		{"valid", valid.words()},
		{"access", access.words()},
		{"label", d.Label},
		{"", from.how()},
		{"clearance", d.Clearance},
		{" ", held.how()},
		{"ignored", strings.Join(c.Ignored(), ", ")},
		{"note", strings.Join(append(from.Notes, held.Notes...), "; ")},
	})
	return d.Decision == "allow", nil
}

// pick returns the clearance under a policy, else the first.
func pick(list []*labels.Clearance, policy string) *labels.Clearance {
	for _, c := range list {
		if c.PolicyID() == policy {
			return c
		}
	}
	return list[0]
}

func answer(d labels.Decision) answerJSON {
	if d.Granted {
		return answerJSON{Yes: true}
	}
	return answerJSON{Reason: d.Explain()}
}

func (j answerJSON) words() string {
	if j.Yes {
		return "yes"
	}
	return "no: " + j.Reason
}

func (a *app) labelMark() *cobra.Command {
	var f labelFlags
	var place string
	cmd := &cobra.Command{
		Use:   "mark [LABEL]",
		Short: "Print the marking of a label",
		Long: `Print the line that people see, for one place and language. The places are
pageBottom (the display marking of XMPP), pageTop, documentStart, documentEnd,
firstLineOfText, lastLineOfText, subject, xHeader, portionMarking, waterMark
and inputTitle. 'label show' prints all of them.`,
		Example: `  sallyport label mark --policy nato.xml label.xml
  sallyport label mark --policy nato.xml --lang fr --place subject label.xml`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return a.mark(&f, place, args) },
	}
	f.add(cmd)
	cmd.Flags().StringVar(&place, "place", labels.PageBottom.String(), "`PLACE` of the marking")
	cmd.Flags().StringVar(&f.lang, "lang", "", "language `TAG` such as fr or en-GB")
	cmd.Flags().StringVar(&f.color, "color", "auto", "`WHEN` to colour: auto, always, never")
	return cmd
}

func (a *app) mark(f *labelFlags, word string, args []string) error {
	place, ok := labels.ParsePlace(word)
	if !ok {
		return fmt.Errorf("--place: there is no place %q; 'sallyport label mark --help' lists them", word)
	}
	colored, err := a.colors(f.color)
	if err != nil {
		return err
	}
	reg, err := a.load(&f.policyFlags)
	if err != nil {
		return err
	}
	_, l, err := a.label(args, reg, f)
	if err != nil {
		return err
	}
	m := l.Policy().MarkingAt(l, place, f.lang)
	if a.json {
		return a.printJSON(markingJSON{place.String(), f.lang, m.Text, m.Foreground, m.Background, m.Header})
	}
	if m.Header != "" {
		fmt.Fprint(a.out, m.Header+": ")
	}
	fmt.Fprintln(a.out, bar(m, colored))
	return nil
}

// markingJSON is a marking for programs.
type markingJSON struct {
	Place      string `json:"place"`
	Lang       string `json:"lang,omitempty"`
	Text       string `json:"text"`
	Foreground string `json:"fgcolor,omitempty"`
	Background string `json:"bgcolor,omitempty"`
	Header     string `json:"header,omitempty"`
}
