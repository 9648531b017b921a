package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sallyport/labels"
	"sallyport/labels/cases"
	"sallyport/labels/labelfile"
)

func (a *app) labelTranslate() *cobra.Command {
	var f labelFlags
	var to, reading, syntax string
	var discard []string
	cmd := &cobra.Command{
		Use:   "translate --to POLICY [LABEL]",
		Short: "Say what a label becomes under another policy, step by step",
		Long: `Translate a label through the equivalences of its policy or of the target. Both
must be loaded; --to names the target by name or object identifier.

--reading says whose equivalences are used: outbound (those of the label's
policy, as the originator's side does), foreign-spif (the same, as the
recipient's side does) or local-spif (those of the target, backwards). Without
it: outbound when the label's policy lists the target, else local-spif.

A category without an equivalent stops the translation, unless --discard lists
its value: --discard "TAGSET/VALUE", both by name, the tag set also by object
identifier. A peer has such a list in its "discardable".

With --syntax-out only the translated label is printed, in that syntax.

Exits with 0 when there is a translation, with 5 when there is none.`,
		Example: `  sallyport label translate --policy a.xml --policy b.xml --to B label.xml
  sallyport label translate --policy a.xml --policy b.xml --to 2.999.1 \
      --reading local-spif --syntax-out ess label.xml
  sallyport label translate --policy a.xml --policy b.xml --to B \
      --discard "Info/STAFF" label.xml`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			return a.translate(&f, translateFlags{to, reading, syntax, discard}, args)
		},
	}
	f.add(cmd)
	cmd.Flags().StringVar(&to, "to", "", "target `POLICY`")
	cmd.Flags().StringVar(&reading, "reading", "", "`WORD`: outbound, foreign-spif or local-spif")
	cmd.Flags().StringArrayVar(&discard, "discard", nil, "drop `VALUE` if need be; repeatable")
	cmd.Flags().StringVar(&syntax, "syntax-out", "", "print the result as `WORD` alone")
	cmd.Flags().StringVar(&f.lang, "lang", "", "language `TAG` of markings")
	cmd.Flags().StringVar(&f.color, "color", "auto", "`WHEN` to colour: auto, always, never")
	_ = cmd.MarkFlagRequired("to")
	return cmd
}

// translationJSON is a translation for programs.
type translationJSON struct {
	Status  string    `json:"status"`
	Reason  string    `json:"reason,omitempty"`
	Reading string    `json:"reading"`
	From    string    `json:"from"`
	To      namedJSON `json:"to"`
	Marking string    `json:"marking,omitempty"`
	Form    *formJSON `json:"label,omitempty"`
	Steps   []string  `json:"steps"`
}

// translateFlags say how it is translated.
type translateFlags struct {
	to, reading, syntax string
	discard             []string
}

func (a *app) translate(f *labelFlags, how translateFlags, args []string) error {
	at, err := f.when()
	if err != nil {
		return err
	}
	reg, err := a.load(&f.policyFlags)
	if err != nil {
		return err
	}
	s, l, err := a.label(args, reg, f)
	if err != nil {
		return err
	}
	to, err := policyNamed(reg, how.to)
	if err != nil {
		return fmt.Errorf("--to: %w", err)
	}
	reading := cases.ReadingFor(l.Policy(), to)
	if how.reading != "" {
		var ok bool
		if reading, ok = labels.ParseReading(how.reading); !ok || reading == labels.Table {
			return fmt.Errorf("--reading: %q is none of outbound, foreign-spif, local-spif", how.reading)
		}
	}
	var o labels.TranslatorOptions
	for _, text := range how.discard {
		values, err := valuesNamed(l.Policy(), text)
		if err != nil {
			return fmt.Errorf("--discard: %w", err)
		}
		o.Discard = append(o.Discard, values...)
	}
	t, problems := labels.NewTranslator(l.Policy(), to, reading, o)
	if t == nil {
		return fmt.Errorf("%s cannot be translated to %s: %s", l.Policy().Name(), to.Name(), problems[0].Text)
	}
	result := t.Translate(l, at)
	if how.syntax != "" {
		return a.translated(result, how.syntax, at, f)
	}
	if err := a.printTranslation(f, s, l, to, reading, result, reg); err != nil {
		return err
	}
	if result.Label() == nil {
		return answerNo{}
	}
	return nil
}

// translated prints the result alone.
func (a *app) translated(t labels.Translation, word string, at time.Time, f *labelFlags) error {
	s, ok := labelfile.ParseSyntax(word)
	switch {
	case !ok:
		return fmt.Errorf("--syntax-out: there is no syntax %q", word)
	case t.Label() == nil:
		fmt.Fprintf(a.err, "sallyport: %s: %s\n", t.Status, printable(t.Reason))
		return answerNo{}
	}
	b, err := labelfile.AppendLabel(nil, t.Label(), s, labelfile.WriteOptions{At: at, Lang: f.lang})
	if err == nil {
		_, err = a.out.Write(b)
	}
	return err
}

func (a *app) printTranslation(f *labelFlags, s *source, l *labels.Label, to *labels.Policy, r labels.Reading,
	t labels.Translation, reg policies,
) error {
	colored, err := a.colors(f.color)
	if err != nil {
		return err
	}
	j := translationJSON{
		Status: t.Status.String(), Reason: t.Reason, Reading: r.String(), From: l.String(),
		To: namedJSON{to.ID(), to.Name()}, Steps: append([]string{}, t.Steps...),
	}
	var m labels.MarkingText
	if made := t.Label(); made != nil {
		m = to.MarkingAt(made, labels.PageBottom, f.lang)
		form := labelForm("label", made, reg)
		j.Marking, j.Form = m.Text, &form
	}
	if a.json {
		return a.printJSON(j)
	}
	a.printFacts([][]string{
		{"label", l.String()},
		{" ", s.how()},
		{"to", to.Name() + " " + to.ID()},
		{"reading", r.String() + ", " + readingWords(r, l.Policy(), to)},
		{"status", strings.ToUpper(j.Status)},
		{"because", j.Reason},
	})
	if len(t.Steps) > 0 {
		fmt.Fprintln(a.out)
	}
	for i, step := range t.Steps {
		printBroken(a.out, fmt.Sprintf("%3d  ", i+1), printable(step), 5)
	}
	if j.Form != nil {
		fmt.Fprintf(a.out, "\n%s\n\n", bar(m, colored))
		a.printForm(j.Form)
	}
	return nil
}

// valuesNamed finds the values that TAGSET/VALUE names. Both names may have slashes, so that every place to cut is tried;
// of two values with one name both are meant.
func valuesNamed(p *labels.Policy, text string) ([]labels.Value, error) {
	var out []labels.Value
	for i := range text {
		if text[i] != '/' {
			continue
		}
		set, name := text[:i], text[i+1:]
		for _, t := range p.Tags() {
			if t.TagSet != set && !strings.EqualFold(t.TagSetName, set) {
				continue
			}
			for n := range t.Categories {
				if strings.EqualFold(t.Categories[n].Name, name) {
					out = append(out, t.Categories[n].Value)
				}
			}
		}
	}
	switch {
	case !strings.Contains(text, "/"):
		return nil, fmt.Errorf("%q is not TAGSET/VALUE", text)
	case out == nil:
		return nil, fmt.Errorf("policy %s has no value %q; see 'sallyport spif show'", p.Name(), text)
	}
	return out, nil
}

func labelForm(what string, l *labels.Label, reg policies) formJSON {
	f := l.Form()
	return form(what, labels.ClearanceForm{Policy: f.Policy, Classes: []uint32{f.Class}, Values: f.Values}, f.PrivacyMark, nil, reg)
}

func readingWords(r labels.Reading, from, to *labels.Policy) string {
	switch r {
	case labels.Outbound:
		return "by the equivalences of " + from.Name() + " for what leaves (encrypt)"
	case labels.ForeignSPIF:
		return "by the equivalences of " + from.Name() + " for what comes (decrypt)"
	case labels.LocalSPIF:
		return "by the equivalences of " + to.Name() + " for what comes (decrypt), backwards"
	case labels.NoReading, labels.Table:
	}
	return "by none"
}

// policyNamed finds a loaded policy by object identifier or name.
func policyNamed(reg policies, word string) (*labels.Policy, error) {
	if p, ok := reg.Policy(word); ok {
		return p, nil
	}
	if p, ok := reg.ByName(word); ok {
		return p, nil
	}
	var names []string
	for _, p := range reg.Policies() {
		names = append(names, p.Name())
	}
	return nil, fmt.Errorf("policy %s is not loaded; those that are: %s", labels.Quote(word), strings.Join(names, ", "))
}
