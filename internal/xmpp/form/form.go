// Package form holds data forms (XEP-0004) as lists of fields: reading what was submitted, writing what is asked or answered.
//
// Inside: [Form], [Field], [Parse], [Submitted], [Form.Element]. Not inside: layout, media, validation (XEP-0122) but that a list is
// open, and what the fields of a certain FORM_TYPE (XEP-0068) mean.
//
// It must never take a form with a field twice, with more fields or values than its bounds, or with a type that XEP-0004 does not have.
package form

import (
	"errors"
	"fmt"

	"sallyport/internal/xmpp/tree"
	"sallyport/internal/xmpp/xmlstream"
)

// Space is the namespace of forms.
const Space = "jabber:x:data"

const nsValidate = "http://jabber.org/protocol/xdata-validate"

// Bounds on a form that is read.
const (
	MaxFields = 128
	MaxValues = 256 // of one field
)

// ErrForm is wrapped by every error of this package. On the wire it is bad-request.
var ErrForm = errors.New("not a form that can be read")

// Form is one form without its layout.
type Form struct {
	Type   string // form, submit, cancel or result
	Fields []Field
	// Title and Instructions are only written.
	Title, Instructions string
	// Reported and Items are the table of a result (XEP-0004 §3.4); only written.
	Reported []Field
	Items    [][]Field
	// More stands behind all that, as the roster in a form of XEP-0133 §4.8; only written.
	More *xmlstream.Element
}

// Field is one field.
type Field struct {
	Var    string
	Type   string // empty where none was given
	Label  string
	Values []string
	// Options are only written.
	Options []string
	// Open takes other values than the options, too (XEP-0122 §3.2.2); only written.
	Open     bool
	Required bool
}

// Typed starts a form with its FORM_TYPE.
func Typed(kind, formType string, fields ...Field) Form {
	return Form{Type: kind, Fields: append([]Field{{Var: "FORM_TYPE", Type: "hidden", Values: []string{formType}}}, fields...)}
}

// One is a field with one value.
func One(name, value string) Field { return Field{Var: name, Values: []string{value}} }

// Submitted reads a form of type submit and of a FORM_TYPE.
func Submitted(e *xmlstream.Element, formType string) (Form, error) {
	f, err := Parse(e)
	switch {
	case err != nil:
		return Form{}, err
	case f.Type != "submit":
		return Form{}, fmt.Errorf("%w: its type is %q", ErrForm, f.Type)
	case f.Value("FORM_TYPE") != formType:
		return Form{}, fmt.Errorf("%w: it is not of %s", ErrForm, formType)
	}
	return f, nil
}

// Parse reads a form.
func Parse(e *xmlstream.Element) (Form, error) {
	if !e.Is(Space, "x") {
		return Form{}, fmt.Errorf("%w: no form", ErrForm)
	}
	f := Form{Type: tree.Value(e, "type")}
	switch f.Type {
	case "form", "submit", "cancel", "result":
	default:
		return Form{}, fmt.Errorf("%w: no such type", ErrForm)
	}
	seen := make(map[string]bool)
	for c := range e.Children() {
		if !c.Is(Space, "field") {
			continue
		}
		one := Field{Var: tree.Value(c, "var"), Type: tree.Value(c, "type")}
		if one.Var == "" {
			continue // fixed text has no name
		}
		if seen[one.Var] || len(seen) == MaxFields {
			return Form{}, fmt.Errorf("%w: a field twice, or too many", ErrForm)
		}
		seen[one.Var] = true
		for v := range c.Children() {
			if !v.Is(Space, "value") {
				continue
			}
			if len(one.Values) == MaxValues {
				return Form{}, fmt.Errorf("%w: too many values", ErrForm)
			}
			one.Values = append(one.Values, v.Text())
		}
		f.Fields = append(f.Fields, one)
	}
	return f, nil
}

// Has reports whether there is such a field.
func (f Form) Has(name string) bool {
	for _, one := range f.Fields {
		if one.Var == name {
			return true
		}
	}
	return false
}

// Values gives the values of a field, nil for none.
func (f Form) Values(name string) []string {
	for _, one := range f.Fields {
		if one.Var == name {
			return one.Values
		}
	}
	return nil
}

// Value gives the first value of a field, empty for none.
func (f Form) Value(name string) string {
	if v := f.Values(name); len(v) > 0 {
		return v[0]
	}
	return ""
}

// Bool reads a field as xs:boolean; ok is false where it is none.
func Bool(value string) (b, ok bool) {
	switch value {
	case "1", "true":
		return true, true
	case "0", "false":
		return false, true
	}
	return false, false
}

// Element writes the form.
func (f Form) Element() *xmlstream.Element {
	var in []*xmlstream.Element
	if f.Title != "" {
		in = append(in, tree.New(Space, "title", tree.Text(f.Title)))
	}
	if f.Instructions != "" {
		in = append(in, tree.New(Space, "instructions", tree.Text(f.Instructions)))
	}
	in = append(in, written(f.Fields)...)
	if f.Reported != nil {
		in = append(in, tree.New(Space, "reported", tree.With(written(f.Reported)...)))
	}
	for _, item := range f.Items {
		in = append(in, tree.New(Space, "item", tree.With(written(item)...)))
	}
	return tree.New(Space, "x", tree.Attr("type", f.Type), tree.With(append(in, f.More)...))
}

func written(fields []Field) []*xmlstream.Element {
	list := make([]*xmlstream.Element, 0, len(fields))
	for _, one := range fields {
		var in []*xmlstream.Element
		if one.Required {
			in = append(in, tree.New(Space, "required"))
		}
		for _, v := range one.Values {
			in = append(in, tree.New(Space, "value", tree.Text(v)))
		}
		for _, o := range one.Options {
			in = append(in, tree.New(Space, "option", tree.With(tree.New(Space, "value", tree.Text(o)))))
		}
		if one.Open {
			in = append(in, tree.New(nsValidate, "validate", tree.Attr("datatype", "xs:string"), tree.With(tree.New(nsValidate, "open"))))
		}
		list = append(list, tree.New(Space, "field", tree.Attr("label", one.Label), tree.Attr("type", one.Type), tree.Attr("var", one.Var), tree.With(in...)))
	}
	return list
}
