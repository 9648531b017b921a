package config

import (
	"reflect"
	"slices"
)

// Changed lists the keys of the server that differ between two configurations, as they are written in the file, sorted. A table with a name
// that one of them does not have is one key.
func (s *Server) Changed(next *Server) []string {
	var keys []string
	differing(&keys, "server", reflect.ValueOf(s).Elem(), reflect.ValueOf(next).Elem())
	slices.Sort(keys)
	return keys
}

// differing compares two values of one type.
func differing(keys *[]string, key string, a, b reflect.Value) {
	if a.Kind() != reflect.Struct || isLeaf(a) {
		if !reflect.DeepEqual(a.Interface(), b.Interface()) {
			*keys = append(*keys, key)
		}
		return
	}
	for _, f := range fieldsOf(a.Type()) {
		if f.named {
			differingTables(keys, joinKey(key, f.name), a.FieldByIndex(f.index), b.FieldByIndex(f.index))
			continue
		}
		differing(keys, joinKey(key, f.name), a.FieldByIndex(f.index), b.FieldByIndex(f.index))
	}
}

// differingTables compares slices of tables that have names.
func differingTables(keys *[]string, key string, a, b reflect.Value) {
	was, is := byName(a), byName(b)
	for name, table := range was {
		if other, there := is[name]; there {
			differing(keys, joinKey(key, name), table, other)
		} else {
			*keys = append(*keys, joinKey(key, name))
		}
	}
	for name := range is {
		if _, there := was[name]; !there {
			*keys = append(*keys, joinKey(key, name))
		}
	}
}

func byName(tables reflect.Value) map[string]reflect.Value {
	out := make(map[string]reflect.Value, tables.Len())
	for i := range tables.Len() {
		out[tables.Index(i).FieldByName("Name").String()] = tables.Index(i)
	}
	return out
}
