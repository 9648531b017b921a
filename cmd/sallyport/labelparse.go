package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sallyport/labels"
	"sallyport/labels/labelfile"
)

func (a *app) labelParse() *cobra.Command {
	var f labelFlags
	var to string
	cmd := &cobra.Command{
		Use:   "parse [FILE]",
		Short: "Print what a label or clearance says, or convert it",
		Long: `Print the normal form of a label or clearance: policy, classifications and
category values, with their names where the policy is loaded. Binary forms can
be read without a policy, by number.

With --to it is written in another syntax instead: ess, ess-der, ess-hex,
sdn801c, stanag-4774, spiffing or text; a label also as xep-0258 or ic-ism.`,
		Example: `  sallyport label parse label.ber
  sallyport label parse --policy nato.xml --to stanag-4774 label.ber
  echo MQYCAQQGASk= | sallyport label parse --json`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			reg, err := a.loadAny(cmd, &f.policyFlags)
			if err != nil {
				return err
			}
			name := "-"
			if len(args) > 0 {
				name = args[0]
			}
			s, err := a.open(name, f.syntax, reg, &f)
			if err != nil {
				return withAdvice(err)
			}
			if to != "" {
				return a.convert(s, to, reg, &f)
			}
			return a.parsed(s, reg)
		},
	}
	f.add(cmd)
	cmd.Flags().StringVar(&to, "to", "", "write it as `WORD`")
	cmd.Flags().StringVar(&f.lang, "lang", "", "language `TAG` of markings")
	return cmd
}

// loadAny is load for what can do without a policy: none is loaded when none is named.
func (a *app) loadAny(cmd *cobra.Command, f *policyFlags) (policies, error) {
	if len(f.files) == 0 && !cmd.Flags().Changed("config") {
		if _, _, err := a.configured(); err != nil {
			reg, err := labels.NewRegistry()
			return policies{Registry: reg}, err
		}
	}
	return a.load(f)
}

func (a *app) convert(s *source, word string, reg policies, f *labelFlags) error {
	to, ok := labelfile.ParseSyntax(word)
	if !ok {
		return fmt.Errorf("--to: there is no syntax %q; 'sallyport label parse --help' lists them", word)
	}
	at, err := f.when()
	if err != nil {
		return err
	}
	var out []byte
	if len(s.Clearances) > 0 {
		c, err := s.Clearance(reg.Registry)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, withAdvice(err))
		}
		out, err = labelfile.AppendClearance(nil, c, to)
		if err != nil {
			return err
		}
	} else {
		l, err := s.Label(reg.Registry)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, withAdvice(err))
		}
		out, err = labelfile.AppendLabel(nil, l, to, labelfile.WriteOptions{At: at, Lang: f.lang, ICISM: reg.ism})
		if err != nil {
			return err
		}
	}
	_, err = a.out.Write(out)
	return err
}

// formJSON is a label or clearance for programs.
type formJSON struct {
	What    string      `json:"what"`
	Policy  namedJSON   `json:"policy"`
	Classes []classJSON `json:"classifications"`
	Values  []valueJSON `json:"categories"`
	Privacy string      `json:"privacy_mark,omitempty"`
	Error   string      `json:"error,omitempty"`
	Note    string      `json:"note,omitempty"`
}

type namedJSON struct {
	ID   string `json:"id"`
	Name string `json:"name,omitempty"`
}

type classJSON struct {
	LACV uint32 `json:"lacv"`
	Name string `json:"name,omitempty"`
}

type valueJSON struct {
	TagSet namedJSON `json:"tag_set"`
	Kind   string    `json:"kind"`
	LACV   uint32    `json:"lacv"`
	Name   string    `json:"name,omitempty"`
}

type parsedJSON struct {
	Syntax   string     `json:"syntax"`
	Detected bool       `json:"detected"`
	Forms    []formJSON `json:"forms"`
	Notes    []string   `json:"notes"`
}

func (a *app) parsed(s *source, reg policies) error {
	j := parsedJSON{Syntax: s.Syntax.String(), Detected: s.detected, Forms: []formJSON{}, Notes: append([]string{}, s.Notes...)}
	for _, e := range append(append([]labelfile.Entry[labels.LabelForm]{}, s.Labels...), s.Equivalent...) {
		f := labels.ClearanceForm{Policy: e.Form.Policy, Classes: []uint32{e.Form.Class}, Values: e.Form.Values}
		j.Forms = append(j.Forms, form(e.Role, f, e.Form.PrivacyMark, e.Err, reg))
	}
	for _, e := range s.Clearances {
		j.Forms = append(j.Forms, form(e.Role, e.Form, "", e.Err, reg))
	}
	if a.json {
		return a.printJSON(j)
	}
	a.printFacts([][]string{{"file", s.how()}, {"note", strings.Join(j.Notes, "; ")}})
	for i := range j.Forms {
		fmt.Fprintln(a.out)
		a.printForm(&j.Forms[i])
	}
	return nil
}

// form names what can be named.
func form(what string, f labels.ClearanceForm, privacy string, err error, reg policies) formJSON {
	out := formJSON{What: what, Policy: namedJSON{ID: f.Policy}, Classes: []classJSON{}, Values: []valueJSON{}, Privacy: privacy}
	if err != nil {
		out.Error = err.Error()
	}
	p, loaded := reg.Policy(f.Policy)
	if !loaded && f.Policy != "" {
		out.Note = "the policy is not loaded: numbers only; name its file with --policy"
	}
	if f.Policy == "" {
		return out
	}
	sets := map[string]string{}
	for _, t := range p.Tags() {
		sets[t.TagSet] = t.TagSetName
	}
	if loaded {
		out.Policy.Name = p.Name()
	}
	for _, n := range f.Classes {
		c := classJSON{LACV: n}
		if loaded {
			c.Name, _ = p.ClassName(n)
		}
		out.Classes = append(out.Classes, c)
	}
	for _, v := range f.Values {
		info, _ := p.Category(v)
		out.Values = append(out.Values, valueJSON{namedJSON{v.TagSet, sets[v.TagSet]}, v.Kind.String(), v.LACV, info.Name})
	}
	return out
}

func (a *app) printForm(f *formJSON) {
	names := make([]string, len(f.Classes))
	for i, c := range f.Classes {
		if names[i] = strconv.FormatUint(uint64(c.LACV), 10); c.Name != "" {
			names[i] = c.Name + " (" + names[i] + ")"
		}
	}
	a.printFacts([][]string{
		{"what", f.What},
		{"unreadable", f.Error},
		{"policy", strings.TrimSpace(f.Policy.Name + " " + f.Policy.ID)},
		{"class", strings.Join(names, ", ")},
		{"privacy mark", f.Privacy},
		{"note", f.Note},
	})
	if len(f.Values) == 0 {
		return
	}
	rows := [][]string{{"TAG SET", "", "KIND", "LACV", "VALUE"}}
	named := false
	for _, v := range f.Values {
		named = named || v.TagSet.Name != "" || v.Name != ""
		rows = append(rows, []string{v.TagSet.ID, v.TagSet.Name, v.Kind, strconv.FormatUint(uint64(v.LACV), 10), v.Name})
	}
	for i, r := range rows {
		if !named {
			rows[i] = []string{r[0], r[2], r[3]}
		}
	}
	fmt.Fprintln(a.out)
	a.printTable(rows)
}

// day writes a date, with its time when it is not midnight.
func day(t time.Time) string {
	if t = t.UTC(); t.Equal(t.Truncate(24 * time.Hour)) {
		return t.Format(time.DateOnly)
	}
	return t.Format(time.RFC3339)
}

// period writes when something is valid, "" for always.
func period(from, to time.Time) string {
	switch {
	case from.IsZero() && to.IsZero():
		return ""
	case from.IsZero():
		return "until " + day(to)
	case to.IsZero():
		return "from " + day(from)
	}
	return day(from) + " to " + day(to)
}
