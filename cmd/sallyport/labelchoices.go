package main

import (
	"errors"
	"fmt"
	"time"

	"sallyport/gateway"
	"sallyport/gateway/config"
	"sallyport/internal/xmpp/jid"
	"sallyport/labels/catalogue"
	"sallyport/peering"
)

// choicesJSON is what may be chosen, for programs.
type choicesJSON struct {
	catalogueJSON
	From    string       `json:"from"`
	To      string       `json:"to"`
	Denied  []denialJSON `json:"denied"`
	Unknown []string     `json:"unknown"` // of whom nothing is known, so that he leaves out nothing
}

type denialJSON struct {
	Who string `json:"who"`
	N   int    `json:"labels"`
}

// choices lists what may be chosen for a way through the gateway.
func (a *app) choices(f *catalogueFlags, args []string, at time.Time, colored bool) error {
	cfg, problems := config.Load(a.config)
	if problems.Failed() {
		a.printProblems(a.err, problems)
		return errors.New("the configuration has errors")
	}
	p, err := gateway.BuildPolicy(cfg)
	if err != nil {
		return err
	}
	q := peering.ChoiceQuestion{From: f.from, To: f.to, At: at}
	var unknown []string
	for _, who := range []struct {
		flag, text string
		into       *jid.JID
	}{{"user", f.user, &q.Sender}, {"recipient", f.recipient, &q.Recipient}} {
		if who.text == "" {
			continue
		}
		if *who.into, err = jid.Parse(who.text); err != nil {
			return fmt.Errorf("--%s: %w", who.flag, err)
		}
		if p.ClearanceOf(*who.into).Source == "" {
			unknown = append(unknown, who.into.Bare().String())
		}
	}
	if p.Peer(f.from) == nil || p.Peer(f.to) == nil {
		_, err := p.Choices(nil, q)
		return err
	}
	base, err := a.baseCatalogue(cfg, p, f, args, at)
	if err != nil {
		return err
	}
	c, err := p.Choices(base, q)
	if err != nil {
		return err
	}
	switch {
	case f.xml:
		return a.writeCatalogue(c.Catalogue, f.lang, at)
	case a.json:
		out := choicesJSON{catalogueOut(c.Catalogue, f.lang, policies{Registry: p.Labels()}), f.from, f.to, []denialJSON{}, append([]string{}, unknown...)}
		for _, d := range c.Denied {
			out.Denied = append(out.Denied, denialJSON(d))
		}
		return a.printJSON(out)
	}
	more := [][]string{{"way", f.from + " to " + f.to}}
	for _, d := range c.Denied {
		more = append(more, []string{"not cleared", fmt.Sprintf("%s, for %d", d.Who, d.N)})
	}
	for _, who := range unknown {
		more = append(more, []string{"not known", "what " + who + " is cleared for: his peer alone bounds him"})
	}
	a.printCatalogue(c.Catalogue, f.lang, colored, more)
	return nil
}

// baseCatalogue is what is filtered: a file, the catalogue of the destination, or all of the policy that governs where the
// messages come from.
func (a *app) baseCatalogue(cfg *config.Config, p *peering.Policy, f *catalogueFlags, args []string, at time.Time) (*catalogue.Catalogue, error) {
	name := string(cfg.Peer(f.to).Catalogue)
	if len(args) > 0 {
		name = args[0]
	}
	if name != "" {
		b, err := a.readCatalogue(name)
		if err != nil {
			return nil, err
		}
		c, err := catalogue.Parse(b, p.Labels())
		if err != nil {
			return nil, fmt.Errorf("catalogue %s: %w", name, withAdvice(err))
		}
		return c, nil
	}
	of := p.Peer(f.from).LabelPolicy
	if f.of != "" || of == nil {
		var err error
		if of, err = a.catalogued(f.of, policies{Registry: p.Labels()}); err != nil {
			return nil, fmt.Errorf("peer %s has no label-policy, nor has its side: %w", f.from, err)
		}
	}
	g := f.generate
	g.Lang, g.At = f.lang, at
	g.Unlabelled = p.Peer(f.from).Unlabelled == peering.UnlabelledDefault
	return catalogue.FromPolicy(of, g)
}
