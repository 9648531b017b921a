package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sallyport/internal/xmpp/xmlstream"
	"sallyport/labels"
	"sallyport/labels/catalogue"
	"sallyport/labels/labelfile"
	"sallyport/labels/xep0258"
)

// catalogueFlags say what is listed.
type catalogueFlags struct {
	labelFlags
	of, clearance string
	xml           bool
	generate      catalogue.Generate

	from, to, user, recipient string // a way through the gateway
}

func (a *app) labelCatalogue() *cobra.Command {
	var f catalogueFlags
	cmd := &cobra.Command{
		Use:   "catalogue [FILE]",
		Short: "List labels to choose from, of a policy or of a catalogue file",
		Long: `List the labels that a catalogue file holds (the catalog element of XEP-0258, or
Genericode), or without FILE those of a policy: each classification with each
category value it allows and with what the rules require, valid at the time of
the question, nothing obsolete. With several policies loaded --of names one.

With --clearance only what that clearance covers is listed. With --xml the
catalog element is written, as clients get it.

With --from and --to, peers of the configuration, the labels are listed that may
be chosen for messages from one to the other: those of the catalogue of the
second peer, or of FILE, or else of the policy that governs the first, as far as
they are valid and can be translated, and as both peers, their links, --user and
--recipient are cleared for them. What was left out is counted, with the reason.`,
		Example: `  sallyport label catalogue --policy nato.xml --clearance alice.xml
  sallyport label catalogue --policy nato.xml --class SECRET --xml
  sallyport label catalogue --policy nato.xml catalog.xml
  sallyport label catalogue --config sallyport.toml --from office --to partner \
      --user juliet@in.example`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return a.catalogue(&f, args) },
	}
	f.policyFlags.add(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.at, "at", "", "`TIME` of the question (default now)")
	flags.StringVar(&f.lang, "lang", "", "language `TAG` of markings")
	flags.StringVar(&f.color, "color", "auto", "`WHEN` to colour: auto, always, never")
	flags.StringVar(&f.of, "of", "", "`POLICY` to list, by name or identifier")
	flags.StringVar(&f.clearance, "clearance", "", "list what the clearance in `FILE` covers")
	flags.StringArrayVar(&f.generate.Classes, "class", nil, "only classification `NAME`; repeatable")
	flags.StringArrayVar(&f.generate.TagSets, "tag-set", nil, "only values of tag set `NAME`; repeatable")
	flags.BoolVar(&f.generate.ClassOnly, "class-only", false, "classifications and what they require")
	flags.IntVar(&f.generate.MaxItems, "max", 0, "at most `N` labels")
	flags.StringVar(&f.from, "from", "", "`PEER` that the messages come from")
	flags.StringVar(&f.to, "to", "", "`PEER` that they go to")
	flags.StringVar(&f.user, "user", "", "`JID` who sends them")
	flags.StringVar(&f.recipient, "recipient", "", "`JID` who gets them")
	cmd.MarkFlagsRequiredTogether("from", "to")
	cmd.MarkFlagsMutuallyExclusive("from", "clearance")
	cmd.MarkFlagsMutuallyExclusive("from", "policy")
	flags.BoolVar(&f.xml, "xml", false, "write the catalog element")
	return cmd
}

func (a *app) catalogue(f *catalogueFlags, args []string) error {
	colored, err := a.colors(f.color)
	if err != nil {
		return err
	}
	at, err := f.when()
	if err != nil {
		return err
	}
	if f.from != "" {
		return a.choices(f, args, at, colored)
	}
	reg, err := a.load(&f.policyFlags)
	if err != nil {
		return err
	}
	held, err := a.cataloguedFor(f, reg)
	if err != nil {
		return err
	}
	c, err := a.catalogueOf(f, args, reg, held, at)
	if err != nil {
		return err
	}
	switch {
	case f.xml:
		return a.writeCatalogue(c, f.lang, at)
	case a.json:
		return a.printJSON(catalogueOut(c, f.lang, reg))
	}
	a.printCatalogue(c, f.lang, colored, nil)
	return nil
}

// cataloguedFor reads the clearances that --clearance names.
func (a *app) cataloguedFor(f *catalogueFlags, reg policies) ([]*labels.Clearance, error) {
	if f.clearance == "" {
		return nil, nil
	}
	s, err := a.open(f.clearance, "", reg, &f.labelFlags)
	if err != nil {
		return nil, fmt.Errorf("clearance %w", err)
	}
	list, err := s.ClearanceList(reg.Registry)
	if err != nil {
		return nil, fmt.Errorf("clearance %s: %w", s.name, withAdvice(err))
	}
	return list, nil
}

// catalogueOf reads the file or makes the catalogue of a policy.
func (a *app) catalogueOf(f *catalogueFlags, args []string, reg policies, held []*labels.Clearance, at time.Time) (*catalogue.Catalogue, error) {
	if len(args) > 0 {
		b, err := a.readCatalogue(args[0])
		if err != nil {
			return nil, err
		}
		c, err := catalogue.Parse(b, reg.Registry)
		if err != nil {
			return nil, fmt.Errorf("catalogue %s: %w", args[0], withAdvice(err))
		}
		if f.clearance == "" {
			return c, nil
		}
		set, err := labels.NewClearanceSet(held...)
		if err != nil {
			return nil, err
		}
		nobody := catalogue.Subject{Standing: catalogue.NotConcerned}
		return c.For(catalogue.Filter{
			At: at, Sender: catalogue.Subject{Clearances: set}, Service: nobody, Peer: nobody, Link: nobody, Recipient: nobody,
		}), nil
	}
	p, err := a.catalogued(f.of, reg)
	if err != nil {
		return nil, err
	}
	g := f.generate
	g.Lang, g.At = f.lang, at
	if f.clearance != "" {
		if g.Clearance = pick(held, p.ID()); g.Clearance.PolicyID() != p.ID() {
			return nil, fmt.Errorf("clearance %s is under policy %s, not %s", f.clearance, g.Clearance.Policy().Name(), p.Name())
		}
	}
	return catalogue.FromPolicy(p, g)
}

func (a *app) readCatalogue(name string) ([]byte, error) {
	if name == "-" {
		return labelfile.Read(a.in)
	}
	return readFile(name, catalogue.MaxFile)
}

// catalogued is the policy to list.
func (a *app) catalogued(word string, reg policies) (*labels.Policy, error) {
	if word != "" {
		p, err := policyNamed(reg, word)
		if err != nil {
			return nil, fmt.Errorf("--of: %w", err)
		}
		return p, nil
	}
	all := reg.Policies()
	if len(all) != 1 {
		return nil, fmt.Errorf("%d policies are loaded; name the one to list with --of", len(all))
	}
	return all[0], nil
}

func (a *app) writeCatalogue(c *catalogue.Catalogue, lang string, at time.Time) error {
	e, err := c.Element(catalogue.Writing{Syntax: xep0258.ESS, Lang: lang, At: at})
	if err != nil {
		return err
	}
	b, err := xmlstream.AppendElement(nil, e, "")
	if err != nil {
		return err
	}
	_, err = a.out.Write(append(b, '\n'))
	return err
}

// catalogueJSON is a catalogue for programs.
type catalogueJSON struct {
	Name     string              `json:"name"`
	Desc     string              `json:"desc,omitempty"`
	ID       string              `json:"id"`
	Restrict bool                `json:"restrict"`
	Items    []catalogueItemJSON `json:"items"`
	Left     leftJSON            `json:"left_out"`
}

// leftJSON counts what is not listed, and why.
type leftJSON struct {
	NotCleared    int `json:"not_cleared"`
	Obsolete      int `json:"obsolete"`
	Invalid       int `json:"invalid"`
	NotTranslated int `json:"not_translated"`
	Unlabelled    int `json:"unlabelled"`
	Beyond        int `json:"beyond"`
}

type catalogueItemJSON struct {
	Selector string    `json:"selector"`
	Default  bool      `json:"default,omitempty"`
	Marking  string    `json:"marking,omitempty"`
	Label    *formJSON `json:"label"`
}

func catalogueOut(c *catalogue.Catalogue, lang string, reg policies) catalogueJSON {
	z := c.Left
	out := catalogueJSON{
		Name: c.Name, Desc: c.Desc, ID: c.ID, Restrict: c.Restrict, Items: []catalogueItemJSON{},
		Left: leftJSON{z.NotCleared, z.Obsolete, z.Invalid, z.NotTranslated, z.Unlabelled, z.Beyond},
	}
	for _, i := range c.Items {
		item := catalogueItemJSON{Selector: i.Selector, Default: i.Default}
		if i.Label != nil {
			form := labelForm("label", i.Label, reg)
			item.Label = &form
			item.Marking, _, _ = i.Label.Policy().Marking(i.Label, lang)
		}
		out.Items = append(out.Items, item)
	}
	return out
}

// printCatalogue prints a catalogue, with facts about it of the caller.
func (a *app) printCatalogue(c *catalogue.Catalogue, lang string, colored bool, more [][]string) {
	a.printFacts(append([][]string{
		{"catalogue", strings.TrimSpace(c.Name + " " + c.Desc)},
		{"labels", strconv.Itoa(len(c.Items))},
		{"left out", leftWords(c.Left)},
		{"restrict", map[bool]string{true: "yes: clients offer nothing else"}[c.Restrict]},
	}, more...))
	fmt.Fprintln(a.out)
	for _, i := range c.Items {
		mark := " "
		if i.Default {
			mark = "*"
		}
		if i.Label == nil {
			fmt.Fprintln(a.out, mark, "(send without a label)")
			continue
		}
		m := i.Label.Policy().MarkingAt(i.Label, labels.PageBottom, lang)
		printBroken(a.out, mark+" "+swatch(m.Background, colored), printable(m.Text), 4)
	}
}

// leftWords says what is not listed, and why.
func leftWords(l catalogue.Left) string {
	var out []string
	for _, w := range []struct {
		n    int
		what string
	}{
		{l.NotCleared, "not covered by the clearance"},
		{l.Obsolete, "obsolete"},
		{l.Invalid, "not valid now"},
		{l.NotTranslated, "without an equivalent"},
		{l.Unlabelled, "without a label"},
		{l.Beyond, "beyond the limit; see --max"},
	} {
		if w.n > 0 {
			out = append(out, fmt.Sprintf("%d %s", w.n, w.what))
		}
	}
	return strings.Join(out, ", ")
}
