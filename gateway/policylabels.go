package gateway

import (
	"fmt"

	"sallyport/gateway/config"
	"sallyport/labels/xep0258"
	"sallyport/peering"
)

// labels reads what the configuration says of labels and lays it down for sides, links and messages without a label.
func (b *policyBuild) labels() {
	b.resolved = config.ResolveLabels(b.cfg, b.def.Labels, func(key, text, _ string) { b.bad("%s: %s", key, text) })
	for _, f := range b.resolved.Files {
		b.sourceFile(f)
	}
	b.def.Sides = map[string]peering.Side{}
	for name, s := range b.resolved.Sides {
		b.def.Sides[name] = peering.Side{LabelPolicy: s.Policy, DefaultLabel: s.Default}
	}
	b.def.LinkClear, b.def.DefaultLabel, b.def.ICISM = b.resolved.Links, b.resolved.Default, b.cfg.Policy.ICISM
	for i := range b.cfg.DefaultLabels {
		b.defaultLabel(&b.cfg.DefaultLabels[i], i)
	}
}

func (b *policyBuild) defaultLabel(c *config.DefaultLabel, i int) {
	d := peering.DefaultLabel{ID: c.ID, Label: b.resolved.Defaults[i]}
	for _, f := range []struct {
		in  []string
		out *[]peering.AddressPattern
	}{{c.From, &d.From}, {c.To, &d.To}, {c.Rooms, &d.Rooms}, {c.Users, &d.Users}, {c.Domains, &d.Domains}} {
		for _, text := range f.in {
			a, ok := peering.ParseAddressPattern(text)
			if !ok {
				b.bad("default label %s: %q is neither a domain, *.domain, nor a bare address", c.ID, text)
			}
			*f.out = append(*f.out, a)
		}
	}
	b.def.DefaultLabels = append(b.def.DefaultLabels, d)
}

// labelling is how a peer labels and is labelled.
func (b *policyBuild) labelling(c *config.Peer, l *peering.Labelling) {
	r := b.resolved.Peers[c.Name]
	*l = peering.Labelling{
		Clearances: r.Clearances, DefaultLabel: r.Default, LabelPolicy: r.Policy,
		TranslateIn: r.In, TranslateOut: r.Out, Table: r.Table, Discard: r.Discard,
		TrustEquivalents: r.TrustEquivalents, KeepPrivacyMarks: c.KeepPrivacyMarks, DEROnly: c.DEROnly, Lenient: c.LenientLabels,
		Language: c.MarkingLanguage, FirstLines: r.FirstLines, WriteFirstLine: c.WriteFirstLine,
	}
	switch c.Unlabelled {
	case config.UnlabelledDefault:
		l.Unlabelled = peering.UnlabelledDefault
	case config.UnlabelledRefuse:
	}
	switch c.SendLabels {
	case config.SendAlways:
		l.SendLabels = peering.SendAlways
	case config.SendNever:
		l.SendLabels = peering.SendNever
	case config.SendAsReceived:
	}
	if c.Name == peerLocal && (l.SendLabels == peering.SendNever || l.WriteFirstLine) { // its clients know less than it does
		l.Clients = peering.ToClients{NoLabels: l.SendLabels == peering.SendNever, FirstLine: l.WriteFirstLine, WhereKnown: c.LabelsWhereKnown}
		l.SendLabels, l.WriteFirstLine = peering.SendAlways, false
	}
	switch c.AddEquivalent {
	case config.EquivalentOriginal:
		l.Equivalents = peering.AddOriginal
	case config.EquivalentTranslation:
		l.Equivalents = peering.AddTranslation
	case config.EquivalentNone:
	}
	switch c.Subjects {
	case config.SubjectsXEP0258:
		l.Subjects = peering.FreeSubjects
	case config.SubjectsJudge:
	}
	for _, s := range c.LabelSyntaxes {
		syntax, err := labelSyntax(s)
		if err != nil {
			b.bad("peer %s: %w", c.Name, err)
		}
		l.LabelSyntaxes = append(l.LabelSyntaxes, syntax)
	}
}

func labelSyntax(s config.LabelSyntax) (xep0258.Syntax, error) {
	switch s {
	case config.SyntaxESS:
		return xep0258.ESS, nil
	case config.SyntaxNATO4774:
		return xep0258.STANAG4774, nil
	case config.SyntaxICISM:
		return xep0258.ICISM, nil
	case config.SyntaxSDN801c:
		return xep0258.SDN801c, nil
	}
	return xep0258.NoSyntax, fmt.Errorf("label syntax %q is not known", s)
}
