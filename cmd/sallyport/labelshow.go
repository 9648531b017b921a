package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sallyport/labels"
	"sallyport/labels/cases"
)

func (a *app) labelShow() *cobra.Command {
	var f labelFlags
	cmd := &cobra.Command{
		Use:   "show [LABEL]",
		Short: "Explain what a label means, with nothing but its policy",
		Long: `Explain a label to somebody who has only its policy: the classification and its
place among the others, every category with what it asks of a clearance, the
rules that apply, whether the label is valid and why not, its markings in all
places and languages, and what it is under the other policies that are loaded.`,
		Example: `  sallyport label show --policy nato.xml label.xml
  sallyport label show --policy a.xml --policy b.xml --json label.ber`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return a.show(&f, args) },
	}
	f.add(cmd)
	cmd.Flags().StringVar(&f.color, "color", "auto", "`WHEN` to colour: auto, always, never")
	return cmd
}

// shown is all that is said of a label.
type shown struct {
	Syntax      string           `json:"syntax"`
	Detected    bool             `json:"detected"`
	Notes       []string         `json:"notes"`
	Policy      namedJSON        `json:"policy"`
	Version     string           `json:"version,omitempty"`
	File        string           `json:"file"`
	Period      string           `json:"period,omitempty"`
	Class       shownClass       `json:"classification"`
	Categories  []shownCategory  `json:"categories"`
	Privacy     string           `json:"privacy_mark,omitempty"`
	Needs       []string         `json:"needs"`
	Rules       []string         `json:"rules"`
	Obsolete    []string         `json:"obsolete"`
	At          time.Time        `json:"at"`
	Valid       answerJSON       `json:"valid"`
	Markings    []shownMarking   `json:"markings"`
	Equivalents []shownElsewhere `json:"equivalents"`
}

type shownClass struct {
	Name     string   `json:"name"`
	LACV     uint32   `json:"lacv"`
	Rank     int      `json:"rank"` // from the lowest, 1
	All      []string `json:"all"`  // lowest first
	Color    string   `json:"color,omitempty"`
	Obsolete bool     `json:"obsolete,omitempty"`
}

type shownCategory struct {
	TagSet   namedJSON `json:"tag_set"`
	Tag      string    `json:"tag"`
	Name     string    `json:"name"`
	LACV     uint32    `json:"lacv"`
	Kind     string    `json:"kind"`
	Meaning  string    `json:"meaning"`
	Obsolete bool      `json:"obsolete,omitempty"`
	Period   string    `json:"period,omitempty"`

	tag int // its position: names of tags may repeat
}

type shownMarking struct {
	Lang       string   `json:"lang,omitempty"`
	Places     []string `json:"places"`
	Text       string   `json:"text"`
	Foreground string   `json:"fgcolor,omitempty"`
	Background string   `json:"bgcolor,omitempty"`
	Header     string   `json:"header,omitempty"`
}

// shownElsewhere is what a label is under another policy.
type shownElsewhere struct {
	Policy  namedJSON `json:"policy"`
	Loaded  bool      `json:"loaded"`
	Reading string    `json:"reading,omitempty"`
	Status  string    `json:"status,omitempty"`
	Reason  string    `json:"reason,omitempty"`
	Marking string    `json:"marking,omitempty"`
}

func (a *app) show(f *labelFlags, args []string) error {
	colored, err := a.colors(f.color)
	if err != nil {
		return err
	}
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
	j := describe(s, l, reg, at)
	if a.json {
		return a.printJSON(j)
	}
	a.printShown(&j, s, l, colored)
	return nil
}

// describe gathers what the policy says of the label.
func describe(s *source, l *labels.Label, reg policies, at time.Time) shown {
	p := l.Policy()
	from, to := p.Period()
	j := shown{
		Syntax: s.Syntax.String(), Detected: s.detected, Notes: append([]string{}, s.Notes...),
		Policy: namedJSON{p.ID(), p.Name()}, Version: p.Version(), File: reg.from[p.ID()], Period: period(from, to),
		Privacy: l.Form().PrivacyMark, At: at.UTC(), Valid: answer(p.Validate(l, at)),
		Categories: []shownCategory{}, Needs: []string{}, Rules: []string{}, Obsolete: []string{},
	}
	j.class(l)
	j.categories(l)
	j.Markings = markings(l)
	j.Equivalents = elsewhere(l, reg, at)
	return j
}

func (j *shown) class(l *labels.Label) {
	for i, c := range l.Policy().Classes() {
		j.Class.All = append(j.Class.All, c.Name)
		if c.LACV != l.Form().Class {
			continue
		}
		j.Class.Name, j.Class.LACV, j.Class.Rank, j.Class.Color, j.Class.Obsolete = c.Name, c.LACV, i+1, c.Color, c.Obsolete
		for _, rule := range c.Required {
			j.Rules = append(j.Rules, c.Name+" needs "+rule)
		}
		if c.Obsolete {
			j.Obsolete = append(j.Obsolete, "classification "+c.Name)
		}
	}
	j.Needs = append(j.Needs, "the classification "+j.Class.Name)
}

// categories describes the values, and says tag by tag what they ask of a clearance.
func (j *shown) categories(l *labels.Label) {
	p := l.Policy()
	tags := p.Tags()
	byTag := make([][]string, len(tags))
	for c := range l.Categories() {
		info, _ := p.Category(c.Value)
		t := &tags[info.Tag]
		byTag[info.Tag] = append(byTag[info.Tag], c.Name)
		j.Categories = append(j.Categories, shownCategory{
			TagSet: namedJSON{t.TagSet, t.TagSetName}, Tag: t.Name, Name: c.Name, LACV: c.LACV, Kind: c.Kind.String(),
			Meaning: meaning(c.Kind), Obsolete: info.Obsolete, Period: period(info.NotBefore, info.NotAfter),
			tag: info.Tag,
		})
		for _, rule := range info.Rules {
			j.Rules = append(j.Rules, c.Name+" "+rule)
		}
		if dates := period(info.NotBefore, info.NotAfter); dates != "" {
			j.Rules = append(j.Rules, c.Name+" only "+dates)
		}
		if info.Obsolete {
			j.Obsolete = append(j.Obsolete, t.TagSetName+" "+c.Name)
		}
	}
	for i, names := range byTag {
		if len(names) == 0 {
			continue
		}
		if limit := limits(&tags[i]); limit != "" {
			j.Rules = append(j.Rules, tagName(&tags[i])+" takes "+limit)
		}
		switch tags[i].Kind.Type() {
		case labels.TypeRestrictive:
			j.Needs = append(j.Needs, each(tagName(&tags[i]), names, "all of "))
		case labels.TypePermissive:
			j.Needs = append(j.Needs, each(tagName(&tags[i]), names, "at least one of "))
		case labels.TypeInformative, labels.NoType:
		}
	}
}

func each(tag string, names []string, how string) string {
	if len(names) == 1 {
		how = ""
	}
	return "from " + tag + ": " + how + strings.Join(names, ", ")
}

// tagName is a tag's name with that of its set, once when they are the same.
func tagName(t *labels.TagInfo) string {
	if t.Name == "" || t.Name == t.TagSetName {
		return t.TagSetName
	}
	return t.TagSetName + "/" + t.Name
}

// limits says how many values of a tag a label may have, "" for any number.
func limits(t *labels.TagInfo) string {
	switch {
	case t.Single:
		return "one value"
	case t.Max > 0 && t.Min > 1:
		return fmt.Sprintf("%d to %d values", t.Min, t.Max)
	case t.Max > 0:
		return "at most " + count(t.Max, "value")
	case t.Min > 1:
		return "at least " + count(t.Min, "value")
	}
	return ""
}

// meaning is a kind in plain words.
func meaning(k labels.Kind) string {
	switch k.Type() {
	case labels.TypeRestrictive:
		return "all of these are needed"
	case labels.TypePermissive:
		return "one of these is needed"
	case labels.TypeInformative:
		return "for information"
	case labels.NoType:
	}
	return "not known"
}

// markings are those of all places and languages; places with the same text stand together.
func markings(l *labels.Label) []shownMarking {
	p := l.Policy()
	var out []shownMarking
	for _, lang := range append([]string{""}, p.Languages()...) {
		first := len(out)
		for place := labels.PageBottom; place <= labels.InputTitle; place++ {
			m := p.MarkingAt(l, place, lang)
			i := slices.IndexFunc(out[first:], func(o shownMarking) bool { return o.Text == m.Text && o.Header == m.Header })
			if i >= 0 {
				out[first+i].Places = append(out[first+i].Places, place.String())
				continue
			}
			out = append(out, shownMarking{lang, []string{place.String()}, m.Text, m.Foreground, m.Background, m.Header})
		}
	}
	return out
}

// elsewhere is the label under the other policies: those that are loaded, and those its own policy only names.
func elsewhere(l *labels.Label, reg policies, at time.Time) []shownElsewhere {
	p := l.Policy()
	out := []shownElsewhere{}
	for _, to := range reg.Policies() {
		reading := cases.ReadingFor(p, to)
		if to.ID() == p.ID() || reading == labels.LocalSPIF && cases.ReadingFor(to, p) != labels.Outbound {
			continue // neither names the other
		}
		e := shownElsewhere{Policy: namedJSON{to.ID(), to.Name()}, Loaded: true, Reading: reading.String()}
		t, problems := labels.NewTranslator(p, to, reading, labels.TranslatorOptions{})
		if t == nil {
			e.Status, e.Reason = labels.NoMapping.String(), problems[0].Text
		} else {
			r := t.Translate(l, at)
			e.Status, e.Reason = r.Status.String(), r.Reason
			if made := r.Label(); made != nil {
				e.Marking = made.String()
			}
		}
		out = append(out, e)
	}
	for _, named := range p.Equivalents() {
		if _, loaded := reg.Policy(named.ID); !loaded {
			out = append(out, shownElsewhere{Policy: namedJSON{named.ID, named.Name}})
		}
	}
	return out
}
