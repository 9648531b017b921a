package labelfile

import (
	"fmt"
	"time"

	"sallyport/labels"
	"sallyport/labels/icism"
	"sallyport/labels/textmark"
)

// MaxBytes bounds a file.
const MaxBytes = 256 << 10

// Options say how a file is read. The zero value detects the syntax, is strict and refuses the debug format.
type Options struct {
	Syntax  Syntax // NoSyntax: as the file says
	Lenient bool   // see nato4774.Options
	Debug   bool   // the debug format of the spiffing library is accepted
	// At is the time at which a label is wanted: see nato4774.Options.
	At time.Time
	// ICISM says which element carries IC-ISM attributes and what they mean; nil: none does.
	ICISM *icism.Mapping
	// Table tells which label a display marking stands for; nil: a marking is not read.
	Table *textmark.Table
}

// Entry is one label or clearance of a file, or the reason why it cannot be read.
type Entry[Form any] struct {
	Role string // what it is in its file, such as "label", "equivalent label 2"
	Form Form
	Err  error
}

// File is what a file holds.
type File struct {
	Syntax     Syntax
	Labels     []Entry[labels.LabelForm] // the label; several only where a syntax has several of equal rank
	Equivalent []Entry[labels.LabelForm] // the same sensitivity under other policies, as the file asserts it
	Clearances []Entry[labels.ClearanceForm]
	Notes      []string // what takes no part in a decision, in words
}

// Label returns the one label of the file, under its policy.
func (f *File) Label(reg *labels.Registry) (*labels.Label, error) {
	switch {
	case len(f.Labels) == 0 && len(f.Clearances) > 0:
		return nil, labels.Errorf(labels.CodeSyntax, "this is a clearance, not a label; 'sallyport label parse' shows it")
	case len(f.Labels) == 0:
		return nil, labels.Errorf(labels.CodeNoLabel, "there is no label in it")
	case len(f.Labels) > 1:
		return nil, labels.Errorf(labels.CodeCount, "there are %d labels in it; keep the one that is meant", len(f.Labels))
	case f.Labels[0].Err != nil:
		return nil, f.Labels[0].Err
	}
	return reg.Label(f.Labels[0].Form)
}

// ClearanceList returns every clearance of the file under its policy. One that cannot be read makes the list
// unreadable, and so do two under one policy (RFC 5755 §4.4.6).
func (f *File) ClearanceList(reg *labels.Registry) ([]*labels.Clearance, error) {
	if len(f.Clearances) == 0 {
		if len(f.Labels) > 0 {
			return nil, labels.Errorf(labels.CodeClearance, "this is a label, not a clearance")
		}
		return nil, labels.Errorf(labels.CodeClearance, "there is no clearance in it")
	}
	var out []*labels.Clearance
	seen := map[string]bool{}
	for _, e := range f.Clearances {
		if e.Err != nil {
			return nil, fmt.Errorf("%s: %w", e.Role, e.Err)
		}
		if seen[e.Form.Policy] {
			return nil, labels.Errorf(labels.CodeClearance, "two clearances under policy %s; there may be one", e.Form.Policy)
		}
		seen[e.Form.Policy] = true
		c, err := reg.Clearance(e.Form)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

// Clearance returns the one clearance of the file.
func (f *File) Clearance(reg *labels.Registry) (*labels.Clearance, error) {
	list, err := f.ClearanceList(reg)
	if err != nil {
		return nil, err
	}
	if len(list) > 1 {
		return nil, labels.Errorf(labels.CodeClearance, "there are %d clearances in it, for different policies", len(list))
	}
	return list[0], nil
}
