package pep

import (
	"errors"
	"slices"
	"strconv"

	"sallyport/internal/xmpp/form"
)

// The words of access models.
const (
	Open      = "open"
	Presence  = "presence"
	Roster    = "roster"
	Whitelist = "whitelist"
)

// Words of send_last_published_item.
const (
	never   = "never"
	onSub   = "on_sub"
	onComes = "on_sub_and_presence"
)

// Options configure a node (XEP-0060 §16.4.4). They are kept as JSON.
type Options struct {
	Access        string   `json:"access"`
	Groups        []string `json:"groups,omitempty"` // for Roster
	MaxItems      int      `json:"max_items"`
	Persist       bool     `json:"persist"`
	SendLast      string   `json:"send_last"`
	Payloads      bool     `json:"payloads"` // in notifications
	NotifyRetract bool     `json:"notify_retract"`
	NotifyDelete  bool     `json:"notify_delete"`
	Title         string   `json:"title,omitempty"`
}

// Defaults are the options of a node that was made without any (XEP-0163 §3).
func Defaults() Options {
	return Options{Access: Presence, MaxItems: 1, Persist: true, SendLast: onComes, Payloads: true, NotifyRetract: true, NotifyDelete: true}
}

// maxGroups bounds roster groups of a node.
const maxGroups = 64

var (
	errOption  = errors.New("a value that an option cannot have")
	errUnknown = errors.New("an option that is not known")
	errAccess  = errors.New("an access model that nodes cannot have")
)

// option is how one field is written and read.
type option struct {
	name    string
	kind    string
	get     func(*Options) []string
	set     func(*Options, []string) error
	choices []string
}

// options are all that there are, in the order in which a form has them.
var options = []option{
	text("pubsub#title", func(o *Options) *string { return &o.Title }),
	choice("pubsub#access_model", []string{Open, Presence, Roster, Whitelist}, errAccess, func(o *Options) *string { return &o.Access }),
	{
		name: "pubsub#roster_groups_allowed", kind: "list-multi",
		get: func(o *Options) []string { return o.Groups },
		set: func(o *Options, v []string) error {
			if len(v) > maxGroups {
				return errOption
			}
			o.Groups = slices.Clone(v)
			return nil
		},
	},
	{
		name: "pubsub#max_items", kind: "text-single",
		get: func(o *Options) []string { return []string{strconv.Itoa(o.MaxItems)} },
		set: func(o *Options, v []string) error {
			if one(v) == "max" {
				o.MaxItems = MaxItems
				return nil
			}
			n, err := strconv.ParseUint(one(v), 10, 31)
			if err != nil || n == 0 {
				return errOption
			}
			o.MaxItems = min(int(n), MaxItems)
			return nil
		},
	},
	flag("pubsub#persist_items", func(o *Options) *bool { return &o.Persist }),
	choice("pubsub#send_last_published_item", []string{never, onSub, onComes}, errOption, func(o *Options) *string { return &o.SendLast }),
	flag("pubsub#deliver_payloads", func(o *Options) *bool { return &o.Payloads }),
	flag("pubsub#notify_retract", func(o *Options) *bool { return &o.NotifyRetract }),
	flag("pubsub#notify_delete", func(o *Options) *bool { return &o.NotifyDelete }),
	fixed("pubsub#publish_model", "publishers"),
	fixed("pubsub#notification_type", "headline"),
	fixed("pubsub#deliver_notifications", "1"),
}

func one(v []string) string {
	if len(v) != 1 {
		return ""
	}
	return v[0]
}

func text(name string, at func(*Options) *string) option {
	return option{
		name: name, kind: "text-single",
		get: func(o *Options) []string { return []string{*at(o)} },
		set: func(o *Options, v []string) error {
			if len(one(v)) > MaxNameBytes {
				return errOption
			}
			*at(o) = one(v)
			return nil
		},
	}
}

func choice(name string, of []string, otherwise error, at func(*Options) *string) option {
	return option{
		name: name, kind: "list-single", choices: of,
		get: func(o *Options) []string { return []string{*at(o)} },
		set: func(o *Options, v []string) error {
			if !slices.Contains(of, one(v)) {
				return otherwise
			}
			*at(o) = one(v)
			return nil
		},
	}
}

func flag(name string, at func(*Options) *bool) option {
	return option{
		name: name, kind: "boolean",
		get: func(o *Options) []string {
			if *at(o) {
				return []string{"1"}
			}
			return []string{"0"}
		},
		set: func(o *Options, v []string) error {
			b, ok := form.Bool(one(v))
			if !ok {
				return errOption
			}
			*at(o) = b
			return nil
		},
	}
}

// fixed is an option that has one value only.
func fixed(name, value string) option {
	return option{
		name: name, kind: "list-single", choices: []string{value},
		get: func(*Options) []string { return []string{value} },
		set: func(_ *Options, v []string) error {
			if b, ok := form.Bool(one(v)); one(v) != value && (!ok || !b || value != "1") {
				return errOption
			}
			return nil
		},
	}
}

// apply changes options as a form says. strict refuses fields that are not known.
func (o *Options) apply(f form.Form, strict bool) error {
	for _, field := range f.Fields {
		if field.Var == "FORM_TYPE" {
			continue
		}
		i := slices.IndexFunc(options, func(p option) bool { return p.name == field.Var })
		switch {
		case i < 0 && strict:
			return errUnknown
		case i < 0:
			continue
		}
		if err := options[i].set(o, field.Values); err != nil {
			return err
		}
	}
	return nil
}

// form writes options as a form to be filled in, or as metadata.
func (o *Options) form(kind, formType string) form.Form {
	f := form.Typed(kind, formType)
	for _, p := range options {
		field := form.Field{Var: p.name, Type: p.kind, Values: p.get(o)}
		if kind == "form" {
			field.Options = p.choices
		}
		f.Fields = append(f.Fields, field)
	}
	return f
}

// equal compares by meaning.
func (o *Options) equal(other *Options) bool {
	for _, p := range options {
		if !slices.Equal(p.get(o), p.get(other)) {
			return false
		}
	}
	return true
}
