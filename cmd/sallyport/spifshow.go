package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"sallyport/labels"
)

func (a *app) spifShow() *cobra.Command {
	var f labelFlags
	cmd := &cobra.Command{
		Use:   "show [FILE...]",
		Short: "Show what security policies say",
		Long: `Print each policy: its head, the classifications from the lowest, every tag with
its values, what each asks of a label and of a clearance, how it is marked, and
its equivalents in other policies: by name, if these are named, too.`,
		Example: `  sallyport spif show nato.xml
  sallyport spif show --lang fr nato.xml partner.xml`,
		RunE: func(_ *cobra.Command, args []string) error {
			colored, err := a.colors(f.color)
			if err != nil {
				return err
			}
			f.files = args
			reg, err := a.load(&f.policyFlags)
			if err != nil {
				return err
			}
			out := []policyJSON{}
			for _, p := range reg.Policies() {
				out = append(out, policyOut(p, &reg, f.lang))
			}
			if a.json {
				return a.printJSON(out)
			}
			for i := range out {
				if i > 0 {
					fmt.Fprintln(a.out)
				}
				a.printPolicy(&out[i], colored)
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&f.lenient, "lenient", false, "accept known slips of published files")
	cmd.Flags().StringVar(&f.lang, "lang", "", "language `TAG` of markings")
	cmd.Flags().StringVar(&f.color, "color", "auto", "`WHEN` to colour: auto, always, never")
	return cmd
}

// policyJSON is a policy for programs.
type policyJSON struct {
	namedJSON
	File        string             `json:"file"`
	Version     string             `json:"version,omitempty"`
	Originator  string             `json:"originator,omitempty"`
	Created     string             `json:"created,omitempty"`
	Default     namedJSON          `json:"default_policy,omitzero"`
	Extensions  []string           `json:"extensions"`
	Digest      string             `json:"digest"`
	Period      string             `json:"period,omitempty"`
	Languages   []string           `json:"languages"`
	Classes     []policyClassJSON  `json:"classifications"`
	Tags        []policyTagJSON    `json:"tags"`
	Privacy     []string           `json:"privacy_marks"`
	Equivalents []policyEquivalent `json:"equivalent_policies"`
}

type policyClassJSON struct {
	classJSON
	Hierarchy   int      `json:"hierarchy"`
	Color       string   `json:"color,omitempty"`
	Background  string   `json:"bgcolor,omitempty"`
	Marking     string   `json:"marking"`
	Obsolete    bool     `json:"obsolete,omitempty"`
	Needs       []string `json:"needs"`
	Equivalents []string `json:"equivalents"`
}

type policyTagJSON struct {
	TagSet  namedJSON         `json:"tag_set"`
	Name    string            `json:"name"`
	Kind    string            `json:"kind"`
	Meaning string            `json:"meaning"`
	Limits  string            `json:"limits,omitempty"`
	Values  []policyValueJSON `json:"values"`
}

type policyValueJSON struct {
	classJSON
	Marking     string   `json:"marking,omitempty"`
	Obsolete    bool     `json:"obsolete,omitempty"`
	Typed       bool     `json:"typed_by_user,omitempty"`
	Period      string   `json:"period,omitempty"`
	Rules       []string `json:"rules"`
	Equivalents []string `json:"equivalents"`
}

type policyEquivalent struct {
	namedJSON
	Adds []string `json:"adds"`
}

// list is a slice that is never null in JSON.
func list(s []string) []string { return append([]string{}, s...) }

func policyOut(p *labels.Policy, reg *policies, lang string) policyJSON {
	from, to := p.Period()
	digest, about := p.Digest(), p.About()
	j := policyJSON{
		namedJSON: namedJSON{p.ID(), p.Name()}, File: reg.from[p.ID()], Version: p.Version(), Digest: fmt.Sprintf("%x", digest),
		Originator: about.Originator, Created: about.Created, Default: namedJSON{about.Default.ID, about.Default.Name},
		Extensions: list(about.Extensions), Period: period(from, to), Languages: list(p.Languages()), Classes: []policyClassJSON{}, Tags: []policyTagJSON{},
		Privacy: []string{}, Equivalents: []policyEquivalent{},
	}
	for _, c := range p.Classes() {
		out := policyClassJSON{
			classJSON: classJSON{c.LACV, c.Name}, Hierarchy: c.Hierarchy, Color: c.Color, Obsolete: c.Obsolete,
			Needs: list(c.Required), Equivalents: equivalences(c.Equivalents, reg),
		}
		if l, err := p.Label(labels.LabelForm{Policy: p.ID(), Class: c.LACV}); err == nil {
			out.Marking, _, out.Background = p.Marking(l, lang)
		}
		j.Classes = append(j.Classes, out)
	}
	for _, t := range p.Tags() {
		j.Tags = append(j.Tags, tagOut(p, reg, &t, lang))
	}
	for _, m := range p.PrivacyMarks() {
		name := m.Name
		if m.Obsolete {
			name += " (obsolete)"
		}
		j.Privacy = append(j.Privacy, name)
	}
	for _, e := range p.Equivalents() {
		j.Equivalents = append(j.Equivalents, policyEquivalent{namedJSON{e.ID, e.Name}, list(e.Adds(reg.Registry))})
	}
	return j
}

func tagOut(p *labels.Policy, reg *policies, t *labels.TagInfo, lang string) policyTagJSON {
	out := policyTagJSON{
		TagSet: namedJSON{t.TagSet, t.TagSetName}, Name: t.Name, Kind: t.Kind.String(), Meaning: meaning(t.Kind),
		Limits: limits(t), Values: []policyValueJSON{},
	}
	for _, c := range t.Categories {
		v := policyValueJSON{
			classJSON: classJSON{c.Value.LACV, c.Name}, Obsolete: c.Obsolete, Typed: c.Typed,
			Period: period(c.NotBefore, c.NotAfter), Rules: list(c.Rules), Equivalents: equivalences(c.Equivalents, reg),
		}
		// The marking of a clearance with this value alone is the value as it is shown, after "{}".
		if one, err := p.Clearance(labels.ClearanceForm{Policy: p.ID(), Values: []labels.Value{c.Value}}); err == nil {
			_, v.Marking, _ = strings.Cut(one.Marking(lang), "{}")
			v.Marking = strings.TrimSpace(v.Marking)
		}
		out.Values = append(out.Values, v)
	}
	return out
}

// equivalences says each in words.
func equivalences(all []labels.EquivalenceInfo, reg *policies) []string {
	out := []string{}
	for _, e := range all {
		out = append(out, e.Words(reg.Registry))
	}
	return out
}

func (a *app) printPolicy(j *policyJSON, colored bool) {
	a.printFacts([][]string{
		{"policy", j.Name + " " + j.ID},
		{"file", j.File},
		{"version", j.Version},
		{"digest", short(j.Digest)},
		{"originator", j.Originator},
		{"created", j.Created},
		{"valid", j.Period},
		{"languages", strings.Join(j.Languages, ", ")},
		{"privacy marks", strings.Join(j.Privacy, ", ")},
		{"if unlabelled", strings.TrimSpace(j.Default.Name + " " + j.Default.ID)},
		{"extensions", strings.Join(j.Extensions, ", ")},
	})
	fmt.Fprintln(a.out, "\nClassifications, lowest first")
	for i := range j.Classes {
		c := &j.Classes[i]
		head := fmt.Sprintf("  %s%s", swatch(c.Background, colored), printable(c.Name))
		words := []string{fmt.Sprintf("lacv %d", c.LACV)}
		if c.Color != "" {
			words = append(words, c.Color)
		}
		if c.Obsolete {
			words = append(words, "obsolete")
		}
		printBroken(a.out, head+"  ", printable(strings.Join(words, ", ")), 4)
		a.detail("marked", []string{c.Marking})
		a.detail("needs", c.Needs)
		a.detail("equals", c.Equivalents)
	}
	for i := range j.Tags {
		a.printTag(&j.Tags[i])
	}
	if len(j.Equivalents) > 0 {
		fmt.Fprintln(a.out, "\nEquivalent policies")
	}
	for _, e := range j.Equivalents {
		fmt.Fprintf(a.out, "  %s %s\n", printable(e.Name), e.ID)
		a.detail("adds", e.Adds)
	}
}

func (a *app) printTag(t *policyTagJSON) {
	name := t.TagSet.Name
	if t.Name != "" && t.Name != name {
		name += " / " + t.Name
	}
	head := t.Kind + ": " + t.Meaning
	if t.Limits != "" {
		head += "; " + t.Limits + " in a label"
	}
	fmt.Fprintf(a.out, "\n%s  %s\n", printable(name), t.TagSet.ID)
	printBroken(a.out, "  ", head, 2)
	width, number := 0, 0
	for _, v := range t.Values {
		width, number = max(width, len([]rune(printable(v.Name)))), max(number, len(strconv.FormatUint(uint64(v.LACV), 10)))
	}
	for i := range t.Values {
		v := &t.Values[i]
		line := fmt.Sprintf("  %*d  %s", number, v.LACV, pad(printable(v.Name), width, false))
		var words []string
		if v.Marking != "" && v.Marking != v.Name {
			words = append(words, "\""+v.Marking+"\"")
		}
		if v.Obsolete {
			words = append(words, "obsolete")
		}
		if v.Typed {
			words = append(words, "typed by users, not usable")
		}
		if v.Period != "" {
			words = append(words, v.Period)
		}
		printBroken(a.out, line+"  ", printable(strings.Join(words, ", ")), number+6)
		a.detail("rule", v.Rules)
		a.detail("equals", v.Equivalents)
	}
}

// detail writes lines below what they belong to.
func (a *app) detail(what string, lines []string) {
	for _, l := range lines {
		if l != "" {
			printBroken(a.out, "      "+what+"  ", printable(l), 8+len(what))
		}
	}
}
