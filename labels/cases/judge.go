package cases

import (
	"fmt"
	"io/fs"
	"strings"
	"time"

	"sallyport/labels"
	"sallyport/labels/labelfile"
	"sallyport/labels/spif"
)

// The kinds of rows.
const (
	kindPair      = "pair"
	kindMark      = "mark"
	kindTranslate = "translate"
)

// The words of an answer.
const (
	statusOK             = "ok"
	statusPolicyError    = "policy-error"
	statusLabelError     = "label-error"
	statusClearanceError = "clearance-error"
	basis                = "sallyport"
)

// Judge answers rows. It reads each policy once. Owned by one goroutine.
type Judge struct {
	Data    fs.FS // what the paths of a table are under
	At      time.Time
	Lenient bool // see spif.Options and nato4774.Options

	policies   map[string]policy // by path
	registries map[string]*labels.Registry
}

type policy struct {
	p   *labels.Policy
	err error
}

// Answer returns the row with its answer filled in. A policy, label or clearance that cannot be read is an answer too.
func (j *Judge) Answer(r Row) Row {
	a := Row{ID: r.ID, Kind: r.Kind, Group: r.Group, Policy: r.Policy, Label: r.Label, Clearance: r.Clearance, Lang: r.Lang, Target: r.Target}
	for _, f := range a.fields()[questions:] {
		*f = none
	}
	a.Status, a.Basis = statusOK, basis
	reg, err := j.registry(r.Policy)
	if err != nil {
		a.Status, a.Note = statusPolicyError, err.Error()
		return a
	}
	switch r.Kind {
	case kindPair:
		j.pair(&a, reg)
	case kindMark:
		j.mark(&a, reg)
	case kindTranslate:
		j.translate(&a, reg)
	}
	return a
}

func (j *Judge) pair(a *Row, reg *labels.Registry) {
	var notes []string
	a.Decision = "block"
	l, lerr := j.label(a.Label, reg)
	c, cerr := j.clearance(a.Clearance, reg)
	if cerr != nil {
		a.Status = statusClearanceError
		notes = append(notes, cerr.Error())
	} else {
		a.ClearanceMarking = orNone(c.Marking(lang(a)))
	}
	if lerr != nil {
		a.Status, a.Note = statusLabelError, lerr.Error()
		return
	}
	valid, reason := j.describe(a, l)
	if reason != "" {
		notes = append(notes, reason)
	}
	if cerr == nil {
		d := l.Policy().Decide(l, c)
		a.ACDF = "deny"
		switch {
		case d.Granted && valid:
			a.ACDF, a.Decision = "grant", "allow"
		case d.Granted:
			a.ACDF = "grant"
		default:
			notes = append(notes, d.Explain())
		}
	}
	a.Note = orNone(strings.Join(notes, "; "))
}

func (j *Judge) mark(a *Row, reg *labels.Registry) {
	l, err := j.label(a.Label, reg)
	if err != nil {
		a.Status, a.Note = statusLabelError, err.Error()
		return
	}
	_, reason := j.describe(a, l)
	a.Note = orNone(reason)
}

// describe fills in what a label says alone.
func (j *Judge) describe(a *Row, l *labels.Label) (valid bool, reason string) {
	text, _, _ := l.Policy().Marking(l, lang(a))
	a.Marking = orNone(text)
	d := l.Policy().Validate(l, j.At)
	a.Valid = fmt.Sprint(d.Granted)
	if !d.Granted {
		reason = d.Explain()
	}
	return d.Granted, reason
}

// translate uses the source policy's equivalences when it lists the target, else those of the target read backwards.
func (j *Judge) translate(a *Row, reg *labels.Registry) {
	to, ok := reg.Policy(a.Target)
	if !ok {
		a.Status, a.Note = statusPolicyError, "the target policy "+a.Target+" is not loaded"
		return
	}
	l, err := j.label(a.Label, reg)
	if err != nil {
		a.Status, a.Note = statusLabelError, err.Error()
		return
	}
	t, problems := labels.NewTranslator(l.Policy(), to, ReadingFor(l.Policy(), to), labels.TranslatorOptions{})
	if t == nil {
		a.Status, a.Note = labels.NoMapping.String(), problems[0].Text
		return
	}
	result := t.Translate(l, j.At)
	a.Status, a.Note = result.Status.String(), orNone(result.Reason)
	if made := result.Label(); made != nil {
		j.describe(a, made)
	}
}

// ReadingFor is the rule of a table: outbound when the source policy lists the target among its equivalents, else the
// target's own equivalences backwards.
func ReadingFor(from, to *labels.Policy) labels.Reading {
	for _, e := range from.Equivalents() {
		if e.ID == to.ID() {
			return labels.Outbound
		}
	}
	return labels.LocalSPIF
}

func (j *Judge) label(path string, reg *labels.Registry) (*labels.Label, error) {
	f, err := j.file(path, reg)
	if err != nil {
		return nil, err
	}
	return f.Label(reg)
}

func (j *Judge) clearance(path string, reg *labels.Registry) (*labels.Clearance, error) {
	f, err := j.file(path, reg)
	if err != nil {
		return nil, err
	}
	return f.Clearance(reg)
}

func (j *Judge) file(path string, reg *labels.Registry) (*labelfile.File, error) {
	b, err := fs.ReadFile(j.Data, path)
	if err != nil {
		return nil, err
	}
	return labelfile.Parse(b, reg, labelfile.Options{Lenient: j.Lenient, Debug: true})
}

// registry loads the policies of a row, separated by commas.
func (j *Judge) registry(paths string) (*labels.Registry, error) {
	if reg := j.registries[paths]; reg != nil {
		return reg, nil
	}
	var list []*labels.Policy
	for path := range strings.SplitSeq(paths, ",") {
		p, err := j.policy(strings.TrimSpace(path))
		if err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	reg, err := labels.NewRegistry(list...)
	if err != nil {
		return nil, err
	}
	if j.registries == nil {
		j.registries = map[string]*labels.Registry{}
	}
	j.registries[paths] = reg
	return reg, nil
}

func (j *Judge) policy(path string) (*labels.Policy, error) {
	if known, ok := j.policies[path]; ok {
		return known.p, known.err
	}
	var loaded policy
	if b, err := fs.ReadFile(j.Data, path); err != nil {
		loaded.err = err
	} else {
		loaded = parsePolicy(path, b, j.Lenient)
	}
	if j.policies == nil {
		j.policies = map[string]policy{}
	}
	j.policies[path] = loaded
	return loaded.p, loaded.err
}

func parsePolicy(path string, b []byte, lenient bool) policy {
	p, problems := spif.ParseWith(spif.Options{AnyNamespace: lenient}, path, b)
	if p != nil {
		return policy{p: p}
	}
	for _, problem := range problems {
		if !problem.Warning {
			return policy{err: fmt.Errorf("%s", problem)}
		}
	}
	return policy{err: fmt.Errorf("%s: not readable", path)}
}

func lang(a *Row) string {
	if a.Lang == none {
		return ""
	}
	return a.Lang
}

func orNone(s string) string {
	if s == "" {
		return none
	}
	return s
}
