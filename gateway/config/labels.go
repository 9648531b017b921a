package config

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"sallyport/labels"
	"sallyport/labels/catalogue"
	"sallyport/labels/labelfile"
	"sallyport/labels/textmark"
	"sallyport/rules"
)

// Labels is what the files and names of a configuration mean under its security policies: labels, clearances, ways to
// translate. Files lists what was read for it.
type Labels struct {
	Peers    map[string]PeerLabels
	Sides    map[string]SideLabels
	Links    map[string]labels.ClearanceSet
	Subjects []labels.ClearanceSet // of Config.Clearances, in their order
	Defaults []*labels.Label       // of Config.DefaultLabels, in their order
	Default  *labels.Label         // of the policy
	Rules    []rules.RuleSpec      // with the labels of relabel rules
	// Accounts are the clearances that accounts of the server can have, Catalogues what their users can choose from; that of everybody
	// has no name. Both only where clients can connect.
	Accounts   map[string]labels.ClearanceSet
	Catalogues map[string]*catalogue.Catalogue
	Files      []File
}

// PeerLabels are those of one peer.
type PeerLabels struct {
	Clearances       labels.ClearanceSet
	Default          *labels.Label
	Policy           *labels.Policy // it names itself
	In, Out          labels.Reading
	Table            []labels.Mapping
	Discard          []labels.Value
	TrustEquivalents []string // OID
	FirstLines       *textmark.Table
}

// SideLabels are those of one side.
type SideLabels struct {
	Policy  *labels.Policy
	Default *labels.Label
}

// resolver reads the files and looks up the names.
type resolver struct {
	reg  *labels.Registry
	bad  func(key, text, advice string)
	skip func(key string) bool // what was reported already
	out  Labels
}

// ResolveLabels reads every label, clearance and catalogue that the configuration names, and tells every problem with
// the key it concerns.
func ResolveLabels(cfg *Config, reg *labels.Registry, bad func(key, text, advice string)) *Labels {
	return resolve(cfg, &resolver{reg: reg, bad: bad, skip: func(string) bool { return false }})
}

func resolve(cfg *Config, r *resolver) *Labels {
	r.out = Labels{Peers: map[string]PeerLabels{}, Sides: map[string]SideLabels{}, Links: map[string]labels.ClearanceSet{}}
	r.out.Default = r.label("policy.default-label", cfg.Policy.DefaultLabel)
	for i := range cfg.Sides {
		s, key := &cfg.Sides[i], joinKey("side", cfg.Sides[i].Name)
		r.out.Sides[s.Name] = SideLabels{r.policy(key+".label-policy", s.LabelPolicy), r.label(key+".default-label", s.DefaultLabel)}
	}
	for i := range cfg.Links {
		l := &cfg.Links[i]
		if len(l.Clearance) > 0 {
			r.out.Links[l.Name] = r.clearances(joinKey("link", l.Name)+".clearance", l.Clearance)
		}
	}
	for i := range cfg.Clearances {
		r.out.Subjects = append(r.out.Subjects, r.clearances(entryKey("clearance", i+1)+".clearance", cfg.Clearances[i].Clearance))
	}
	for i := range cfg.DefaultLabels {
		r.out.Defaults = append(r.out.Defaults, r.label(entryKey("default-label", i+1)+".label", cfg.DefaultLabels[i].Label))
	}
	for i := range cfg.Peers {
		r.out.Peers[cfg.Peers[i].Name] = r.peer(cfg.Peers[i].tableOfLabels(), &cfg.Peers[i])
	}
	if cfg.Server.Open() {
		r.server(&cfg.Server)
	}
	r.out.Rules = slices.Clone(cfg.Rules)
	for i := range r.out.Rules {
		rule := &r.out.Rules[i]
		rule.NewLabel = r.label(entryKey("rule", i+1)+".label", File(rule.Label))
	}
	if m := cfg.Policy.ICISM; m != nil {
		for _, text := range m.Check(r.reg) {
			r.bad("policy.ic-ism", text, "")
		}
	}
	return &r.out
}

// server reads what accounts can be given.
func (r *resolver) server(s *Server) {
	r.out.Accounts, r.out.Catalogues = map[string]labels.ClearanceSet{}, map[string]*catalogue.Catalogue{}
	for i := range s.Clearances {
		c := &s.Clearances[i]
		r.out.Accounts[c.Name] = r.clearances(joinKey("server.clearance", c.Name)+".file", c.File)
	}
	r.out.Catalogues[""], _ = r.catalogue("server.labels.catalogue", s.Labels.Catalogue)
	for i := range s.Catalogues {
		c := &s.Catalogues[i]
		r.out.Catalogues[c.Name], _ = r.catalogue(joinKey("server.catalogue", c.Name)+".file", c.File)
	}
}

func (r *resolver) peer(key string, p *Peer) PeerLabels {
	out := PeerLabels{
		Clearances: r.clearances(key+".clearance", p.Clearance),
		Default:    r.label(key+".default-label", p.DefaultLabel),
		Policy:     r.policy(key+".label-policy", p.LabelPolicy),
	}
	out.In, _ = labels.ParseReading(string(p.TranslateIn))
	out.Out, _ = labels.ParseReading(string(p.TranslateOut))
	for i := range p.Translations {
		at := entryKey(key+".translation", i+1)
		from, to := r.label(at+".from", p.Translations[i].From), r.label(at+".to", p.Translations[i].To)
		if from != nil && to != nil {
			out.Table = append(out.Table, labels.Mapping{From: from, To: to})
		}
	}
	for i := range p.Discardable {
		out.Discard = append(out.Discard, r.category(entryKey(key+".discardable", i+1), &p.Discardable[i])...)
	}
	for i, name := range p.TrustEquivalents {
		if policy := r.policy(entryKey(key+".trust-equivalents", i+1), name); policy != nil {
			out.TrustEquivalents = append(out.TrustEquivalents, policy.ID())
		}
	}
	if p.ReadFirstLine && p.Catalogue != "" {
		out.FirstLines = r.markings(key+".catalogue", p)
	}
	return out
}

// policy looks a security policy up by name or object identifier.
func (r *resolver) policy(key, name string) *labels.Policy {
	if name == "" || r.skip(key) {
		return nil
	}
	if p, ok := r.reg.Policy(name); ok {
		return p
	}
	if p, ok := r.reg.ByName(name); ok {
		return p
	}
	var names, lower []string
	for _, p := range r.reg.Policies() {
		names, lower = append(names, p.Name()), append(lower, strings.ToLower(p.Name()))
	}
	advice := "the policies in policy.spif are " + strings.Join(names, ", ")
	if i := slices.Index(lower, nearest(name, lower)); i >= 0 {
		advice = "did you mean " + shown(names[i]) + "?"
	}
	r.bad(key, "there is no security policy "+shown(name), advice)
	return nil
}

func (r *resolver) label(key string, f File) *labels.Label {
	if f == "" || r.skip(key) {
		return nil
	}
	r.out.Files = append(r.out.Files, f)
	l, err := labelfile.LoadLabel(string(f), r.reg, labelfile.Options{})
	if err != nil {
		r.bad(key, err.Error(), "")
		return nil
	}
	return l
}

// clearances reads those of one subject: one under each policy, in as many files as there are.
func (r *resolver) clearances(key string, files Files) labels.ClearanceSet {
	var all []*labels.Clearance
	for i, f := range files {
		at := files.key(key, i)
		if f == "" || r.skip(at) {
			continue
		}
		r.out.Files = append(r.out.Files, f)
		list, err := labelfile.LoadClearances(string(f), r.reg, labelfile.Options{})
		if err != nil {
			r.bad(at, err.Error(), "")
			continue
		}
		all = append(all, list...)
	}
	set, err := labels.NewClearanceSet(all...)
	if err != nil {
		r.bad(key, err.Error(), "keep one clearance under each policy")
	}
	return set
}

// category finds a value by its names. Of two values with one name in a tag set both are meant.
func (r *resolver) category(key string, c *Category) []labels.Value {
	p := r.policy(key+".policy", c.Policy)
	if p == nil {
		return nil
	}
	var out []labels.Value
	for _, t := range p.Tags() {
		if t.TagSet != c.TagSet && !strings.EqualFold(t.TagSetName, c.TagSet) {
			continue
		}
		for i := range t.Categories {
			if strings.EqualFold(t.Categories[i].Name, c.Value) {
				out = append(out, t.Categories[i].Value)
			}
		}
	}
	if out == nil && !r.skip(key) {
		r.bad(key+".value", fmt.Sprintf("policy %s has no value %s in a tag set %s", p.Name(), shown(c.Value), shown(c.TagSet)), "see sallyport spif show")
	}
	return out
}

// markings makes the table of the first lines that a peer may label with: the markings of its catalogue, in its language
// and in that of the policy, and those that a catalogue in Genericode states itself.
func (r *resolver) markings(key string, p *Peer) *textmark.Table {
	c, b := r.catalogue(key, p.Catalogue)
	if c == nil {
		return nil
	}
	entries := [][]textmark.Entry{c.Markings(labels.FirstLineOfText, "")}
	if p.MarkingLanguage != "" {
		entries = append(entries, c.Markings(labels.FirstLineOfText, p.MarkingLanguage))
	}
	if own, err := catalogue.ParseMarkings(b, r.reg); err == nil {
		entries = append(entries, own)
	}
	t := textmark.NewTable(entries...)
	if t.Len() == 0 {
		r.bad(key, "has no label with a marking of its own, so no first line could be read", "list labels that have one")
	}
	return t
}

// catalogue reads a file with labels to choose from; nil where there is none. It returns its text, too.
func (r *resolver) catalogue(key string, f File) (*catalogue.Catalogue, []byte) {
	if f == "" || r.skip(key) {
		return nil, nil
	}
	r.out.Files = append(r.out.Files, f)
	b, err := os.ReadFile(string(f))
	if err != nil {
		r.bad(key, err.Error(), "")
		return nil, nil
	}
	c, err := catalogue.Parse(b, r.reg)
	if err != nil {
		r.bad(key, shown(string(f))+": "+err.Error(), "")
		return nil, nil
	}
	return c, b
}
