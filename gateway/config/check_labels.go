package config

import (
	"slices"

	"sallyport/labels"
)

// labels resolves what the configuration says of labels, and names what is risky in it.
func (c *checker) resolveLabels(reg *labels.Registry) *Labels {
	return resolve(c.cfg, &resolver{reg: reg, bad: c.bad, skip: c.errorAt})
}

// labels looks at what a peer says of labels by itself.
func (c *checker) labels(key string, p *Peer) {
	c.unlabelled(key, p)
	hasPolicy := len(c.cfg.Policy.SPIF) > 0 || c.errorAt("policy.spif")
	for _, file := range []struct {
		key   string
		given bool
	}{
		{".clearance", len(p.Clearance) > 0},
		{".default-label", p.DefaultLabel != ""},
		{".label-policy", p.LabelPolicy != ""},
		{".catalogue", p.Catalogue != ""},
	} {
		if file.given && !hasPolicy {
			c.bad(key+file.key, "means nothing without a security policy", "name one in policy.spif")
		}
	}
	if len(c.cfg.Policy.SPIF) > 0 && len(p.Clearance) == 0 && !c.errorAt(key+".clearance") {
		c.risk(key+".clearance", "is missing; nothing that has a label can go to this peer or come from it", "name a file with its clearance")
	}
	if len(p.LabelSyntaxes) == 0 && !c.errorAt(key+".label-syntaxes") {
		c.bad(key+".label-syntaxes", "is empty; no label of the peer could be read", `write ["ess"], for example`)
	}
	if slices.Contains(p.LabelSyntaxes, SyntaxICISM) && c.cfg.Policy.ICISM == nil && !c.errorAt("policy.ic-ism") {
		c.bad(key+".label-syntaxes", "ic-ism is not known without a mapping", "add [policy.ic-ism]")
	}
	c.translation(key, p)
	c.firstLine(key, p)
	c.channels(key, p)
}

func (c *checker) unlabelled(key string, p *Peer) {
	usesDefault := p.Unlabelled == UnlabelledDefault // what it is sent is labelled by default of the peer that sent it
	side := c.cfg.Side(p.Side)
	elsewhere := c.cfg.Policy.DefaultLabel != "" || len(c.cfg.DefaultLabels) > 0 || side != nil && side.DefaultLabel != ""
	switch {
	case usesDefault && p.DefaultLabel == "" && !elsewhere && !c.errorAt(key+".default-label"):
		c.bad(key+".default-label", "is missing, but unlabelled needs it", "name a file with a label")
	case !usesDefault && p.DefaultLabel != "":
		c.risk(key+".default-label", "stands in for an empty label only", `set unlabelled = "default" if it shall stand in for a missing one`)
	case usesDefault:
		c.risk(key+".unlabelled", "what has no label is held to be what default-label says", "use refuse where the peer can label")
	}
}

func (c *checker) translation(key string, p *Peer) {
	side := c.cfg.Side(p.Side)
	if p.TranslateOut != TranslateNone && p.LabelPolicy == "" && (side == nil || side.LabelPolicy == "") && !c.errorAt(key+".label-policy") {
		c.bad(key+".translate-out", "wants a translation, but nothing says to which policy", "set label-policy of the peer or of its side")
	}
	if p.TranslateIn != TranslateNone && !slices.ContainsFunc(c.cfg.Sides, func(s Side) bool { return s.Name != p.Side && s.LabelPolicy != "" }) {
		c.bad(key+".translate-in", "wants a translation, but no other side has a label policy", "set label-policy of the side that its labels go to")
	}
	byTable := p.TranslateIn == TranslateTable || p.TranslateOut == TranslateTable
	switch {
	case byTable && len(p.Translations) == 0 && !c.errorAt(key+".translation"):
		c.bad(key+".translation", "is empty, so nothing could be translated by table", "add [["+key+".translation]] with from and to")
	case !byTable && len(p.Translations) > 0:
		c.bad(key+".translation", "is used by no translation", `set translate-in or translate-out = "table", or remove it`)
	}
	none := p.TranslateIn == TranslateNone && p.TranslateOut == TranslateNone
	switch {
	case p.AddEquivalent != EquivalentNone && none:
		c.risk(key+".add-equivalent", "has no effect, labels for this peer are not translated", "set translate-out")
	case p.AddEquivalent != EquivalentNone:
		c.risk(key+".add-equivalent", "the peer sees what the label was under the policy of others", "use none where it need not")
	}
	if len(p.Discardable) > 0 && none {
		c.bad(key+".discardable", "is used by no translation", "set translate-in or translate-out, or remove it")
	}
	if len(p.Discardable) > 0 && !none {
		c.risk(key+".discardable", "a translation may lose what these values say", "ask the owners of both policies")
	}
}

func (c *checker) firstLine(key string, p *Peer) {
	switch {
	case p.ReadFirstLine && p.Catalogue == "" && !c.errorAt(key+".catalogue"):
		c.bad(key+".catalogue", "is missing, but read-first-line needs it", "name a file with the labels of the peer")
	case p.ReadFirstLine:
		c.risk(key+".read-first-line", "anybody can type a first line; it is believed as a label",
			"use it only where the peer's own system writes the line and takes away what people type")
	}
	if p.WriteFirstLine && p.SendLabels != SendNever {
		c.risk(key+".write-first-line", "the marking is written into the text although the peer is sent labels", `set send-labels = "never" if it knows none`)
	}
	if p.SendLabels == SendNever && !p.WriteFirstLine {
		c.risk(key+".send-labels", "nothing tells the peer how sensitive a message is", "set write-first-line = true")
	}
}

// channels names settings that let the sender's own octets, or unchecked text, across.
func (c *checker) channels(key string, p *Peer) {
	if len(p.TrustEquivalents) > 0 {
		c.risk(key+".trust-equivalents", "the peer is believed when it says what a label means that cannot be read here",
			"leave it out where the label itself can be read, or be translated")
	}
	if p.KeepPrivacyMarks {
		c.risk(key+".keep-privacy-marks", "a privacy mark is text of the sender that nobody checks", "leave it out")
	}
	if p.Subjects == SubjectsXEP0258 {
		c.risk(key+".subjects", "the subject of a room crosses whatever it says, if the other peer says so too", "use judge")
	}
	if p.LenientLabels {
		c.risk(key+".lenient-labels", "labels that break the standard are read", "ask the peer to correct them")
	}
}

// defaultLabels looks at the entries of default-label and the links.
func (c *checker) defaultLabels() {
	seen := map[string]bool{}
	used := slices.ContainsFunc(c.cfg.Peers, func(p Peer) bool { return p.Unlabelled == UnlabelledDefault })
	for i := range c.cfg.DefaultLabels {
		d, key := &c.cfg.DefaultLabels[i], entryKey("default-label", i+1)
		if d.ID != "" && seen[d.ID] {
			c.bad(key+".id", "is the id of another entry, too", "give each entry its own")
		}
		seen[d.ID] = true
		scopes := 0
		for _, list := range [][]string{append(slices.Clone(d.From), d.To...), d.Rooms, d.Users, d.Domains} {
			if len(list) > 0 {
				scopes++
			}
		}
		if scopes != 1 {
			c.bad(key, "must say for whom it is in exactly one way", "write rooms, users or domains, or from and to")
		}
	}
	if len(c.cfg.DefaultLabels) > 0 && !used {
		c.risk("default-label", "stands in for empty labels only", `set unlabelled = "default" of the peers that it is for`)
	}
}
