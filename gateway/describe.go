package gateway

import (
	"maps"

	"sallyport/gateway/audit"
	"sallyport/gateway/thin"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/labels"
	"sallyport/peering"
)

// describe fills the audit record of a decision. Nothing of the stanza goes in but its
// kind, type, id, addresses, size and digest; the whole arrival only where configured.
func (g *Gateway) describe(rec *audit.Record, f *flight, a *peering.Arrival) {
	v := &f.verdict
	rec.Time, rec.Node, rec.Serial = a.Time, a.Node, a.Serial
	rec.FromPeer, rec.ToPeer, rec.Link = a.Peer, v.ToPeer, a.Link
	from, to := v.Addresses()
	rec.From, rec.To = from.String(), to.String()
	describeStanza(rec, v.Source(), f.in.Malformed, &f.written)
	rec.Size = uint64(max(a.Bytes, 0))
	rec.Outcome = v.Outcome.String()
	rec.PolicyVersion = g.versionText(v.Version)
	if f.cause != peering.ByVerdict {
		rec.Outcome, rec.Reason, rec.Ref = outcomeBounced, f.cause.String(), v.Ref()
	}
	if f.home != nil {
		rec.Outcome, rec.Reason = outcomeAnswered, remembered(f.home)
	}
	if f.folded != thin.NoReason {
		rec.Outcome, rec.Reason = outcomeFolded, f.folded.String()
	}
	if r := &v.Refusal; v.Outcome != peering.Release {
		rec.Stage, rec.Rule, rec.Reason = r.Stage.String(), r.Rule, string(r.Reason)
		rec.Ref = v.Ref()
		if r.Condition != stanza.NoCondition {
			rec.Condition = r.Condition.String()
		}
	}
	rec.LabelIn, rec.LabelOut = v.Facts.MarkingIn, v.Facts.MarkingOut
	rec.Changed = g.labelWords(&v.Facts)
	if v.Changed {
		rec.Changed = append(rec.Changed, changes(&v.Trace)...)
	}
	if f.of != nil {
		rec.Changed = append(rec.Changed, remembered(f.of.answer))
	}
	if facts, err := peering.AppendFacts(f.facts[:0], &a.Facts); err == nil {
		if v.HasLabelFacts() { // how the label was found stands behind what was known
			facts = peering.AppendLabelFacts(facts, v)
		}
		rec.Facts, f.facts = facts, facts
	}
	if !g.keepContent || a.Stanza.IsZero() {
		return
	}
	if content, err := peering.AppendArrival(nil, a); err == nil {
		rec.Content = content
	}
}

// describeStanza says what it was, as far as could be read. What was digested is held in w: where that is what leaves,
// the link copies it.
func describeStanza(rec *audit.Record, s stanza.Stanza, m *stanza.Malformed, w *xmlstream.Written) {
	kind, typ, id, e := s.Kind(), s.Type(), s.ID(), s.Element()
	if m != nil {
		kind, typ, id, e = m.Kind, m.Type, m.ID, m.Element // of an oversized one only the start tag is left
	}
	rec.StanzaKind, rec.StanzaType, rec.StanzaID = kind.String(), typ.String(), id
	if e == nil {
		return
	}
	if sum, err := w.Digest(e, xmlstream.NSServer); err == nil {
		rec.Digest = sum
	}
}

func changes(t *peering.Trace) []string {
	var out []string
	for i := range t.Len() {
		if s := t.At(i); s.Changed {
			name := s.Stage.String() + ": " + s.Note
			if s.Subject != "" {
				name += " (" + s.Subject + ")"
			}
			out = append(out, name)
		}
	}
	return out
}

// labelWords says in words what was done about the label: given by default, read elsewhere than in the label, or
// translated. Rules that replace it are steps of the trace.
func (g *Gateway) labelWords(f *peering.LabelFacts) []string {
	var out []string
	switch {
	case f.Source.IsDefault():
		out = g.defaultWords(f)
	case f.Source != peering.OfLabel && f.Source != peering.NoLabelSource:
		out = append(out, labelFrom+f.SourceWords())
	}
	for _, t := range [...]*labels.Translation{f.TranslatedIn, f.TranslatedOut} {
		if t != nil && t.Status == labels.Translated {
			out = append(out, "label translated to "+t.Result.Policy().Name())
		}
	}
	return out
}

const labelFrom = "label from: "

// labelDefault is who gave a label: a peer, a room and so on, of that name.
type labelDefault struct {
	source peering.LabelSource
	name   string
}

// maxDefaultWords bounds the table of them, since a reload brings others.
const maxDefaultWords = 1000

// defaultWords says who gave the label. The words are made once for each, because all that one peer sends may be
// labelled so; nobody may change them.
func (g *Gateway) defaultWords(f *peering.LabelFacts) []string {
	who, known := labelDefault{f.Source, f.SourceName}, g.defaults.Load()
	if known != nil {
		if words := (*known)[who]; words != nil {
			return words
		}
	}
	words := []string{labelFrom + f.SourceWords()} // full: whoever appends gets memory of his own
	next := map[labelDefault][]string{who: words}
	if known != nil && len(*known) < maxDefaultWords {
		maps.Copy(next, *known)
	}
	g.defaults.Store(&next)
	return words
}

// Outcomes of decisions to release that were not sent: outcomeBounced found no room, outcomeAnswered was answered here.
const (
	outcomeBounced  = "bounced"
	outcomeAnswered = "answered"
)
