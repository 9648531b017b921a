package admin

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"sallyport/internal/xmpp/form"
	"sallyport/internal/xmpp/jid"
	"sallyport/server/command"
)

// The types of fields (XEP-0004 §3.3).
const (
	jidSingle   = "jid-single"
	jidMulti    = "jid-multi"
	textSingle  = "text-single"
	textMulti   = "text-multi"
	textPrivate = "text-private"
	listSingle  = "list-single"
)

func wrong(format string, args ...any) error {
	return fmt.Errorf("%w: %s", command.ErrForm, fmt.Sprintf(format, args...))
}

// check holds a form that was filled in against what was asked: its type, no field but those, values of their types, at most so many addresses in
// one.
func check(asked []form.Field, most int, f form.Form) error {
	if f.Type != "submit" || f.Value("FORM_TYPE") != Space || len(f.Values("FORM_TYPE")) != 1 {
		return wrong("it is not of %s", Space)
	}
	for _, got := range f.Fields {
		if got.Var == "FORM_TYPE" {
			continue
		}
		i := slices.IndexFunc(asked, func(a form.Field) bool { return a.Var == got.Var })
		if i < 0 {
			return wrong("%.40q was not asked for", got.Var)
		}
		if err := fits(asked[i], most, got); err != nil {
			return err
		}
	}
	for _, a := range asked {
		if a.Required && strings.Join(f.Values(a.Var), "") == "" {
			return wrong("%s is missing", a.Var)
		}
	}
	return nil
}

// fits holds one field against what was asked.
func fits(asked form.Field, most int, got form.Field) error {
	multi := asked.Type == jidMulti || asked.Type == textMulti
	switch {
	case got.Type != "" && got.Type != asked.Type:
		return wrong("%s is of type %s", asked.Var, asked.Type)
	case !multi && len(got.Values) > 1:
		return wrong("%s has one value", asked.Var)
	case asked.Type == jidMulti && len(got.Values) > most:
		return wrong("%s has at most %d values", asked.Var, most)
	}
	for _, v := range got.Values {
		switch asked.Type {
		case listSingle:
			if v != "" && !slices.Contains(asked.Options, v) {
				return wrong("%s has none of the values to choose from", asked.Var)
			}
		case jidSingle, jidMulti:
			if _, err := jid.Parse(v); err != nil && v != "" {
				return wrong("%s: %.100q is not an address", asked.Var, v)
			}
		}
	}
	return nil
}

// users are the accounts of a field, all of the domain that was asked.
func (c *call) users(name string) ([]string, error) {
	var list []string
	for _, v := range c.form.Values(name) {
		if v == "" {
			continue
		}
		j, err := jid.Parse(v)
		if err != nil || j.DomainJID() != c.domain {
			return nil, wrong("%s: %.100q is not of %s", name, v, c.domain)
		}
		list = append(list, j.String())
	}
	return list, nil
}

func (c *call) user(name string) (string, error) {
	list, err := c.users(name)
	switch {
	case err != nil:
		return "", err
	case len(list) == 0:
		return "", wrong("%s is missing", name)
	case len(list) > 1: // of type jid-multi, as XEP-0133 has it
		return "", wrong("%s has one value", name)
	}
	return list[0], nil
}

// lines is a text of several lines.
func (c *call) lines(name string) string { return strings.Join(c.form.Values(name), "\n") }

// number is that of a list; fallback where there is none.
func (c *call) number(name string, fallback int) int {
	n, err := strconv.Atoi(c.form.Value(name))
	if err != nil {
		return fallback
	}
	return n
}

func one(name, kind, label string) form.Field {
	return form.Field{Var: name, Type: kind, Label: label, Required: true}
}

func optional(name, kind, label string) form.Field {
	return form.Field{Var: name, Type: kind, Label: label}
}

// split makes the values of a text of several lines.
func split(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, "\n")
}
