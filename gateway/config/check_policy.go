package config

import (
	"fmt"
	"slices"
	"strings"

	"sallyport/labels"
	"sallyport/labels/spif"
	"sallyport/rules"
	"sallyport/rules/lint"
)

// policy compiles what the files and tables of the policy say, so that their mistakes are
// found with the others. The gateway compiles them again and keeps the result.
func (c *checker) policy() {
	reg := c.securityPolicies()
	c.defaultLabels()
	specs := c.cfg.Rules
	if reg != nil && len(c.cfg.Policy.SPIF) > 0 {
		specs = c.resolveLabels(reg).Rules
	}
	c.profiles()
	c.rules(specs, reg)
}

func (c *checker) securityPolicies() *labels.Registry {
	if len(c.cfg.Policy.SPIF) == 0 && !c.errorAt("policy.spif") {
		c.risk("policy.spif", "there is no security policy, so no label can be read, and what must have one is refused", "name a SPIF file")
	}
	var policies []*labels.Policy
	from := map[string]place{}
	for i, file := range c.cfg.Policy.SPIF {
		key := entryKey("policy.spif", i+1)
		if file == "" || c.errorAt(key) {
			continue
		}
		p, problems := spif.Load(string(file))
		for _, problem := range problems {
			c.foreign(key, problem)
		}
		if p == nil && !c.errorAt(key) {
			c.bad(key, shown(string(file))+" is not a security policy", "")
		}
		if p != nil {
			policies, from[p.Name()] = append(policies, p), place{key, string(file)}
		}
	}
	if c.errorAt("policy.spif") {
		return nil
	}
	reg, err := labels.NewRegistry(policies...)
	if err != nil {
		c.bad("policy.spif", err.Error(), "name each policy once")
		return nil
	}
	c.together(reg, from)
	return reg
}

// place is where a policy is named, and its file.
type place struct{ key, file string }

// together looks at what each policy says of the others. What would make a label of another policy lack something that
// it has to have is an error; what only makes fewer labels translatable is for 'sallyport spif check' to say.
func (c *checker) together(reg *labels.Registry, from map[string]place) {
	for _, p := range reg.Check() {
		if !p.Warning {
			at := from[p.Policy]
			c.foreign(at.key, spif.Problem{File: at.file, Line: p.Line, Rule: p.Rule, Text: p.Text})
		}
	}
}

// foreign takes over a problem that stands in another file.
func (c *checker) foreign(key string, p spif.Problem) {
	severity := Error
	if p.Warning {
		severity = Warning
	}
	c.addAt(Problem{Severity: severity, File: p.File, Line: p.Line, Key: key, Text: p.Text + " (" + p.Rule + ")"})
}

func builtinProfiles() []string { return []string{rules.Strict, rules.Chat, rules.Federation} }

// Profile is the profile that the policy names, one of the configuration's own or a
// built-in one.
func (c *Config) Profile() (rules.ProfileSpec, error) {
	for i := range c.Profiles {
		if c.Profiles[i].Name == c.Policy.Profile {
			return c.Profiles[i], nil
		}
	}
	if !slices.Contains(builtinProfiles(), c.Policy.Profile) {
		return rules.ProfileSpec{}, fmt.Errorf("there is no profile %q", c.Policy.Profile)
	}
	return rules.DefaultProfile(c.Policy.Profile), nil
}

func (c *checker) profiles() {
	names := builtinProfiles()
	for i := range c.cfg.Profiles {
		p := &c.cfg.Profiles[i]
		key := joinKey("profile", p.Name)
		c.name(key, p.Name)
		if slices.Contains(builtinProfiles(), p.Name) {
			c.bad(key, "is the name of a built-in profile", "give yours another name")
		}
		names = append(names, p.Name)
		_, problems := rules.CompileProfile(*p)
		for _, problem := range problems {
			c.bad(strings.TrimSuffix(key+"."+problem.Key, "."), problem.Text, "")
		}
		if p.Name != c.cfg.Policy.Profile {
			c.risk(key, "is not used", "name it in policy.profile, or remove it")
		} else if p.Mode == "strip" {
			c.risk(key+".mode", "what is not listed is removed without the sender being told, and the rest crosses", "use strict where senders can be told")
		}
	}
	if name := c.cfg.Policy.Profile; !slices.Contains(names, name) && !c.errorAt("policy.profile") {
		c.undefined("policy.profile", name, "profile", names)
	}
}

// rules compiles the rules, finds the line of each problem by the id of the rule, and
// looks for names of sides and peers that nothing defines.
func (c *checker) rules(specs []rules.RuleSpec, reg *labels.Registry) {
	keys, twice := map[string]string{}, map[string]bool{}
	for i := range c.cfg.Rules {
		r, key := &c.cfg.Rules[i], entryKey("rule", i+1)
		if first, taken := keys[r.ID]; taken && r.ID != "" {
			twice[r.ID] = true
			c.bad(key+".id", fmt.Sprintf("is the id of the rule in line %d, too", c.index.lineOf(first)), "give each rule its own")
		} else {
			keys[r.ID] = key
		}
		keys[fmt.Sprintf("rule %d", i+1)] = key
		c.matched(key+".when", &r.When)
		c.classified(key+".when.labels", r.When.Labels, reg)
	}
	_, problems := rules.CompileRules(specs)
	for _, p := range problems {
		if p.Key == "id" && twice[p.ID] {
			continue // noted above, at the second
		}
		if p.Key == "label" && (reg == nil || c.errorAt(ruleKey(keys, p.ID, p.Key))) {
			continue // the file or the policies are reported
		}
		c.bad(ruleKey(keys, p.ID, p.Key), p.Text, "")
	}
	if len(problems) > 0 {
		return
	}
	for i := range c.cfg.Rules {
		if r := &c.cfg.Rules[i]; r.Action == "relabel" && r.Downgrade {
			c.risk(entryKey("rule", i+1)+".downgrade", "what this rule matches leaves under a label that may be lower than its own",
				"leave it out where the new label is never lower")
		}
	}
	for _, f := range lint.Rules(c.cfg.Rules, lint.Names{}) {
		c.risk(ruleKey(keys, f.Rule, f.Key), f.Text+" ("+f.Code.String()+")", "")
	}
}

// ruleKey is the full key of something about the rule with that id.
func ruleKey(keys map[string]string, id, key string) string {
	rule, known := keys[id]
	if !known {
		rule = "rule"
	}
	return strings.TrimSuffix(rule+"."+key, ".")
}

// matched looks up the names that a rule matches on.
func (c *checker) matched(key string, m *rules.MatchSpec) {
	var sides, peers []string
	for i := range c.cfg.Sides {
		sides = append(sides, c.cfg.Sides[i].Name)
	}
	for i := range c.cfg.Peers {
		peers = append(peers, c.cfg.Peers[i].Name)
	}
	for _, f := range []struct {
		key, what    string
		names, known []string
	}{
		{".from-side", "side", m.FromSide, sides},
		{".to-side", "side", m.ToSide, sides},
		{".from-peer", "peer", m.FromPeer, peers},
		{".to-peer", "peer", m.ToPeer, peers},
	} {
		for i, name := range f.names {
			if at := entryKey(key+f.key, i+1); name != "" && !slices.Contains(f.known, name) && !c.errorAt(at) {
				c.undefined(at, name, f.what, f.known)
			}
		}
	}
}

// classified looks up classifications. A misspelt one would match nothing, and what the
// rule is there to refuse would cross.
func (c *checker) classified(key string, names []string, reg *labels.Registry) {
	if reg == nil {
		return // the policies are reported
	}
	for i, name := range names {
		known := slices.ContainsFunc(reg.Policies(), func(p *labels.Policy) bool {
			_, ok := p.ClassNamed(name)
			return ok
		})
		if at := entryKey(key, i+1); name != "" && !known && !c.errorAt(at) {
			c.bad(at, "no policy has a classification "+shown(name), "see the SPIF files in policy.spif")
		}
	}
}
