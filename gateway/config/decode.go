package config

import (
	"cmp"
	"encoding"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
	"time"
)

// decoder puts the tables of a file into the structs of the schema. The TOML library
// would do it too, but stops at the first value that does not fit, takes keys in any
// case, and does not know where a value stands.
type decoder struct {
	*report
	dir string // relative paths start here
}

// table fills a struct and reports keys it does not have.
func (d *decoder) table(key string, tree map[string]any, rv reflect.Value) {
	fields := fieldsOf(rv.Type())
	for _, name := range slices.Sorted(maps.Keys(tree)) {
		at := slices.IndexFunc(fields, func(f field) bool { return f.name == name })
		if at < 0 {
			d.unknown(joinKey(key, name), name, fields)
			continue
		}
		d.field(joinKey(key, name), tree[name], rv.FieldByIndex(fields[at].index), &fields[at])
	}
	for i := range fields {
		if _, ok := tree[fields[i].name]; !ok {
			d.absent(joinKey(key, fields[i].name), rv.FieldByIndex(fields[i].index), &fields[i])
		}
	}
}

func (d *decoder) unknown(key, name string, fields []field) {
	names := make([]string, len(fields))
	for i := range fields {
		names[i] = fields[i].name
	}
	if hint := nearest(name, names); hint != "" {
		d.bad(key, "no such key", "did you mean "+hint+"?")
		return
	}
	if name == "include" {
		d.bad(key, "no such key", "one file holds everything; there is no include")
		return
	}
	slices.Sort(names)
	d.bad(key, "no such key", "the keys here are "+strings.Join(names, ", "))
}

// absent demands what must be there, in tables that are not written, too.
func (d *decoder) absent(key string, rv reflect.Value, f *field) {
	if f.required {
		d.bad(key, "is missing", "add "+f.name+" to this table")
		return
	}
	if rv.Kind() == reflect.Struct && !isLeaf(rv) {
		d.table(key, nil, rv)
	}
}

func (d *decoder) field(key string, v any, rv reflect.Value, f *field) {
	switch {
	case f.named:
		d.named(key, v, rv)
	case f.pairs:
		d.mapping(key, v, rv)
	case rv.Kind() == reflect.Slice && !isLeaf(rv):
		d.list(key, v, rv, f)
	default:
		d.value(key, v, rv, f)
	}
}

// named fills a slice from a table of tables, in the order of the file.
func (d *decoder) named(key string, v any, rv reflect.Value) {
	tables, ok := v.(map[string]any)
	if !ok {
		d.bad(key, "is "+kindOf(v)+" instead of tables with names", fmt.Sprintf("write [%s.NAME]", key))
		return
	}
	for _, name := range d.inOrder(key, tables) {
		at := joinKey(key, name)
		tree, ok := tables[name].(map[string]any)
		if !ok {
			d.bad(at, "is "+kindOf(tables[name])+" instead of a table", fmt.Sprintf("write [%s.NAME] above the keys", key))
			continue
		}
		if name == "" {
			d.bad(at, "has an empty name", "give it one")
		}
		entry := newEntry(rv.Type().Elem())
		entry.FieldByName("Name").SetString(name)
		d.table(at, tree, entry)
		if entry.FieldByName("Name").String() != name {
			d.bad(joinKey(at, "name"), "is another name than that of the table", "remove it")
			entry.FieldByName("Name").SetString(name)
		}
		rv.Set(reflect.Append(rv, entry))
	}
}

// mapping fills a []Mapping from a table of strings.
func (d *decoder) mapping(key string, v any, rv reflect.Value) {
	table, ok := v.(map[string]any)
	if !ok {
		d.bad(key, "is "+kindOf(v)+" instead of a table", `write "far.example" = "near.example" below it`)
		return
	}
	var list []Mapping
	for _, far := range d.inOrder(key, table) {
		near, ok := table[far].(string)
		if !ok {
			d.bad(joinKey(key, far), "is "+kindOf(table[far])+" instead of a domain", "write it in quotes")
			continue
		}
		list = append(list, Mapping{Far: far, Near: near})
	}
	rv.Set(reflect.ValueOf(list))
}

// inOrder returns the names of a table by their place in the file.
func (d *decoder) inOrder(key string, table map[string]any) []string {
	return slices.SortedFunc(maps.Keys(table), func(a, b string) int {
		return cmp.Or(cmp.Compare(d.index.lineOf(joinKey(key, a)), d.index.lineOf(joinKey(key, b))), strings.Compare(a, b))
	})
}

// list fills a slice; what was there by default is replaced.
func (d *decoder) list(key string, v any, rv reflect.Value, f *field) {
	values := reflect.ValueOf(v)
	if values.Kind() != reflect.Slice {
		advice := "write it in brackets, as [...]"
		if rv.Type().Elem().Kind() == reflect.Struct && kindOf(v) == "a table" {
			advice = fmt.Sprintf("write [[%s]]", key)
		}
		d.bad(key, "is "+kindOf(v)+" instead of a list", advice)
		return
	}
	rv.Set(reflect.MakeSlice(rv.Type(), 0, values.Len()))
	for i := range values.Len() {
		entry := newEntry(rv.Type().Elem())
		d.value(entryKey(key, i+1), values.Index(i).Interface(), entry, f)
		rv.Set(reflect.Append(rv, entry))
	}
}

// newEntry is a settable element with the defaults of its type.
func newEntry(t reflect.Type) reflect.Value {
	entry := reflect.New(t).Elem()
	switch p := entry.Addr().Interface().(type) {
	case *Peer:
		*p = DefaultPeer()
	case *Pair:
		*p = DefaultPair()
	case *Link:
		*p = DefaultLink()
	}
	return entry
}

func (d *decoder) value(key string, v any, rv reflect.Value, f *field) {
	if done := d.leaf(key, v, rv, f); done {
		return
	}
	if done := d.custom(key, v, rv); done {
		return
	}
	switch rv.Kind() {
	case reflect.Struct:
		if tree, ok := v.(map[string]any); ok {
			d.table(key, tree, rv)
		} else {
			d.mismatch(key, v, "a table")
		}
	case reflect.Map:
		d.mapOf(key, v, rv, f)
	case reflect.Pointer:
		rv.Set(reflect.New(rv.Type().Elem()))
		d.field(key, v, rv.Elem(), f)
	case reflect.Slice:
		d.list(key, v, rv, f)
	case reflect.Bool:
		if b, ok := v.(bool); ok {
			rv.SetBool(b)
		} else {
			d.mismatch(key, v, "true or false")
		}
	case reflect.String:
		d.text(key, v, rv, f)
	default:
		d.number(key, v, rv, f)
	}
}

// custom lets a type of another package read its own form.
func (d *decoder) custom(key string, v any, rv reflect.Value) bool {
	var err error
	switch u := rv.Addr().Interface().(type) {
	case interface{ UnmarshalTOML(any) error }:
		err = u.UnmarshalTOML(v)
	case encoding.TextUnmarshaler:
		s, ok := v.(string)
		if !ok {
			d.mismatch(key, v, "text in quotes")
			return true
		}
		err = u.UnmarshalText([]byte(s))
	default:
		return false
	}
	if err != nil {
		d.bad(key, err.Error(), "")
	}
	return true
}

func (d *decoder) mapOf(key string, v any, rv reflect.Value, f *field) {
	table, ok := v.(map[string]any)
	if !ok {
		d.mismatch(key, v, "a table")
		return
	}
	rv.Set(reflect.MakeMap(rv.Type()))
	for _, name := range d.inOrder(key, table) {
		entry := newEntry(rv.Type().Elem())
		d.field(joinKey(key, name), table[name], entry, f)
		rv.SetMapIndex(reflect.ValueOf(name).Convert(rv.Type().Key()), entry)
	}
}

func (d *decoder) text(key string, v any, rv reflect.Value, f *field) {
	s, ok := v.(string)
	if !ok {
		d.mismatch(key, v, f.wants("text in quotes"))
		return
	}
	if len(f.enum) > 0 && !slices.Contains(f.enum, s) {
		advice := ""
		if hint := nearest(s, f.enum); hint != "" {
			advice = "did you mean " + shown(hint) + "?"
		}
		d.bad(key, shown(s)+" is not "+f.wants(""), advice)
		return
	}
	rv.SetString(s)
}

func (d *decoder) number(key string, v any, rv reflect.Value, f *field) {
	n, ok := v.(int64)
	switch {
	case rv.CanInt() && ok && !rv.OverflowInt(n):
		rv.SetInt(n)
	case rv.CanUint() && ok && n >= 0 && !rv.OverflowUint(uint64(n)):
		rv.SetUint(uint64(n))
	case rv.CanFloat() && ok && math.Abs(float64(n)) < 1<<52:
		rv.SetFloat(float64(n))
	case rv.CanFloat():
		if x, ok := v.(float64); ok {
			rv.SetFloat(x)
			return
		}
		d.mismatch(key, v, "a number")
		return
	default:
		d.mismatch(key, v, "a whole number")
		return
	}
	d.bounds(key, n, f, func(s string) (int64, error) { return parseWhole(s) })
}

func (d *decoder) mismatch(key string, v any, wants string) {
	advice := ""
	switch v.(type) {
	case int64, float64, time.Time:
		if strings.Contains(wants, `"`) {
			advice = "write it in quotes"
		}
	}
	d.bad(key, "is "+kindOf(v)+" instead of "+wants, advice)
}

// kindOf names the type of a TOML value for people.
func kindOf(v any) string {
	switch v.(type) {
	case nil:
		return "nothing"
	case string:
		return "text"
	case bool:
		return "true or false"
	case int64:
		return "a number"
	case float64:
		return "a decimal number"
	case map[string]any:
		return "a table"
	case []any, []map[string]any:
		return "a list"
	}
	return "a date"
}
