package config

import (
	"reflect"
	"strings"
)

// field is one key of a table, as its struct tags describe it:
//
//	toml:"name"          the key; "name,named" is a table of tables with names,
//	                     "name,pairs" a table of names on both sides
//	enum:"a,b"           the only values
//	min:"1 KiB" max:"9"  the bounds, written as in the file
//	required:"true"      there is no default
type field struct {
	name     string
	index    []int
	named    bool
	pairs    bool
	required bool
	enum     []string
	min, max string
}

// fieldsOf lists the keys of a struct. Fields without a toml tag have no key; embedded
// structs lend theirs.
func fieldsOf(t reflect.Type) []field {
	var fields []field
	for _, sf := range reflect.VisibleFields(t) {
		name, option, _ := strings.Cut(sf.Tag.Get("toml"), ",")
		if name == "" || name == "-" {
			continue
		}
		f := field{
			name: name, index: sf.Index,
			named: option == "named", pairs: option == "pairs",
			required: sf.Tag.Get("required") == "true",
			min:      sf.Tag.Get("min"), max: sf.Tag.Get("max"),
		}
		if enum := sf.Tag.Get("enum"); enum != "" {
			f.enum = strings.Split(enum, ",")
		}
		fields = append(fields, f)
	}
	return fields
}

// wants says what a value must be.
func (f *field) wants(otherwise string) string {
	switch len(f.enum) {
	case 0:
		return otherwise
	case 1:
		return `"` + f.enum[0] + `"`
	}
	last := len(f.enum) - 1
	return `"` + strings.Join(f.enum[:last], `", "`) + `" or "` + f.enum[last] + `"`
}
