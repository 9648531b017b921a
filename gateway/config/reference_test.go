package config_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"sallyport/gateway/config"
	"sallyport/internal/tlsid"
	"sallyport/rules"
)

const referencePath = "../../docs/configuration.md"

// TestReference holds docs/configuration.md against the structs and their comments.
func TestReference(t *testing.T) {
	t.Parallel()
	w := &reference{docs: map[string]string{}}
	for pkg, dir := range map[string]string{"config": ".", "rules": "../../rules", "icism": "../../labels/icism", "precedence": "../precedence"} {
		w.read(t, pkg, dir)
	}
	example, err := os.ReadFile("testdata/good/minimal.toml")
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(&w.out, preamble, example)
	w.table("", reflect.ValueOf(config.Defaults()))
	for _, missing := range w.missing {
		t.Errorf("%s has no comment, so operators are told nothing about it", missing)
	}
	golden(t, referencePath, w.out.String())
}

// TestReferenceExample loads the example in the reference.
func TestReferenceExample(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile(referencePath)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(doc), "```toml\n")
	example, _, _ := strings.Cut(rest, "```")
	dir := house(t)
	if _, problems := config.Load(put(t, dir, "sallyport.toml", []byte(example))); problems.Failed() {
		t.Errorf("the example has problems:\n%s", text(problems, dir))
	}
}

const preamble = `# Configuration

<!-- Made from the comments in gateway/config by: go test ./gateway/config -update -->

Everything a node is told stands in one TOML file. ` + "`sallyport check -c FILE`" + ` reads it as ` + "`run`" + ` would and names
every problem at once, each with its line and what to do. Errors keep a node from starting; on reload they leave the old
configuration running. Warnings name risks that are yours to take.

- A key that is not on this page is an error. So is a key that is given twice, or a value of another kind.
- Relative paths start at the folder of the file. Secrets stand in files of their own, which nobody but their owner can
  read; the file takes only their paths.
- A **size** is a number of bytes or text such as ` + "`\"64 KiB\"`, `\"64 MiB\"`, `\"1 GiB\"`" + `. A **time** is text such as
  ` + "`\"500ms\"`, `\"30s\"`, `\"5m\"`, `\"12h\"`, `\"7d\"`" + `. An **address** is an IP address with a port.
- A **domain** is written in any form that XMPP permits and compared in its canonical one. ` + "`a.example`" + ` is that domain
  alone, ` + "`*.a.example`" + ` every domain below it.
- In messages, entries of lists are counted from 1: ` + "`pair[2].between[1]`" + `.

A small complete file, for one server on either side:

` + "```toml\n%s```\n"

// reference writes the page.
type reference struct {
	docs    map[string]string // comment of config.Peer.Side
	missing []string
	out     strings.Builder
}

// read collects the comments of a package's structs.
func (w *reference) read(t *testing.T, pkg, dir string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok {
				return true
			}
			if st, ok := spec.Type.(*ast.StructType); ok {
				for _, field := range st.Fields.List {
					for _, name := range field.Names {
						w.docs[pkg+"."+spec.Name.Name+"."+name.Name] = strings.Join(strings.Fields(field.Doc.Text()+" "+field.Comment.Text()), " ")
					}
				}
			}
			return true
		})
	}
}

// entry is one key of a table.
type entry struct {
	sf     reflect.StructField
	key    string
	option string
	doc    string
	value  reflect.Value
}

func (w *reference) entries(rv reflect.Value) []entry {
	var entries []entry
	for i := range rv.NumField() {
		sf := rv.Type().Field(i)
		key, option, _ := strings.Cut(sf.Tag.Get("toml"), ",")
		if key == "" || key == "-" {
			continue
		}
		name := rv.Type().String() + "." + sf.Name
		doc := w.docs[name]
		if doc == "" && !isTable(sf.Type) {
			w.missing = append(w.missing, name)
		}
		entries = append(entries, entry{sf, key, option, doc, rv.Field(i)})
	}
	return entries
}

// isTable says whether a type has a section of its own on the page.
func isTable(t reflect.Type) bool {
	if t.Kind() == reflect.Slice || t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch reflect.Zero(t).Interface().(type) {
	case netip.AddrPort, config.Target, config.HeadSink, config.Principal, tlsid.Pin, config.Mapping, config.Network, config.Window, config.Budget:
		return false
	}
	return t.Kind() == reflect.Struct
}

// table writes the keys of a struct, then the tables below it.
func (w *reference) table(path string, rv reflect.Value) {
	entries := w.entries(rv)
	for _, e := range entries {
		if !isTable(e.sf.Type) && (e.key != "name" || e.sf.Tag.Get("required") != "" || rv.Type() != reflect.TypeFor[rules.ProfileSpec]()) {
			w.key(path, e)
		}
	}
	for _, e := range entries {
		if isTable(e.sf.Type) {
			w.section(path, e)
		}
	}
}

func (w *reference) section(path string, e entry) {
	at, heading := join(path, e.key), ""
	value := e.value
	switch {
	case e.option == "named":
		at += ".NAME"
		heading = "[" + at + "]"
	case e.sf.Type.Kind() == reflect.Slice:
		heading = "[[" + at + "]]"
	default:
		heading = "[" + at + "]"
	}
	if t := e.sf.Type; t.Kind() == reflect.Slice || t.Kind() == reflect.Pointer {
		value = defaultOf(t.Elem())
	}
	fmt.Fprintf(&w.out, "\n%s %s\n", strings.Repeat("#", 2+min(strings.Count(path, "."), 1)+min(len(path), 1)-min(strings.Count(path, ".NAME"), 1)), heading)
	if e.doc != "" {
		fmt.Fprintf(&w.out, "\n%s\n", wrap(e.doc, "", 118))
	}
	w.out.WriteString("\n")
	w.table(at, value)
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// defaultOf is an entry of a list before the file says anything.
func defaultOf(t reflect.Type) reflect.Value {
	switch t {
	case reflect.TypeFor[config.Peer]():
		return reflect.ValueOf(config.DefaultPeer())
	case reflect.TypeFor[config.Link]():
		return reflect.ValueOf(config.DefaultLink())
	case reflect.TypeFor[config.Pair]():
		return reflect.ValueOf(config.DefaultPair())
	}
	return reflect.Zero(t)
}

func (w *reference) key(path string, e entry) {
	facts := []string{kindWord(e.sf.Type, e.sf.Tag.Get("enum"), e.option)}
	switch least, most := e.sf.Tag.Get("min"), e.sf.Tag.Get("max"); {
	case least != "" && most != "":
		facts = append(facts, "from "+least+" to "+most)
	case least != "" && least != "0":
		facts = append(facts, "at least "+least)
	}
	switch d := defaultWord(e.value); {
	case e.sf.Tag.Get("required") == "true":
		facts = append(facts, "required")
	case d != "":
		facts = append(facts, "default "+d)
	}
	doc := strings.ToUpper(e.doc[:min(1, len(e.doc))]) + e.doc[min(1, len(e.doc)):]
	line := fmt.Sprintf("- **`%s`** (%s)", e.key, strings.Join(facts, ", "))
	if doc != "" {
		line += ": " + doc
	}
	fmt.Fprintln(&w.out, wrap(line, "  ", 118))
}

// kindWord says what to write.
func kindWord(t reflect.Type, enum, option string) string {
	if enum != "" {
		one := "`\"" + strings.ReplaceAll(enum, ",", "\"` or `\"") + "\"`"
		if t.Kind() == reflect.Slice {
			return "list of " + one
		}
		return one
	}
	if option == "pairs" {
		return "table of domains"
	}
	if t.Kind() == reflect.Slice {
		return "list of " + plural(kindWord(t.Elem(), "", ""))
	}
	switch reflect.Zero(t).Interface().(type) {
	case config.File, config.SecretFile, config.NewSecret, config.Path:
		return "path"
	case config.Dir:
		return "directory"
	case config.Size:
		return "size"
	case time.Duration:
		return "time"
	case netip.AddrPort:
		return "address"
	case config.Pattern:
		return "domain"
	case config.Target:
		return "host with port"
	case config.Network:
		return "network"
	case config.Window:
		return "part of the day"
	case config.Budget:
		return "budget"
	}
	switch t.Kind() {
	case reflect.Map:
		return "table of " + plural(kindWord(t.Elem(), "", ""))
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int64, reflect.Uint, reflect.Float64:
		return "number"
	case reflect.Pointer:
		return kindWord(t.Elem(), enum, option)
	}
	return "text"
}

func plural(s string) string {
	switch s {
	case "host with port":
		return "hosts with ports"
	case "part of the day":
		return "parts of the day"
	case "address":
		return "addresses"
	}
	return s + "s"
}

// defaultWord is the default as it would be written, or "" when there is none to speak of.
func defaultWord(v reflect.Value) string {
	if v.IsZero() && v.Kind() != reflect.Bool {
		return ""
	}
	switch d := v.Interface().(type) {
	case config.Size:
		return d.String()
	case time.Duration:
		s := d.String()
		if d%time.Minute == 0 {
			s = strings.TrimSuffix(s, "0s")
		}
		if d%time.Hour == 0 {
			s = strings.TrimSuffix(s, "0m")
		}
		return "`\"" + s + "\"`"
	}
	switch v.Kind() {
	case reflect.String:
		return fmt.Sprintf("`%q`", v.String())
	case reflect.Slice:
		parts := make([]string, v.Len())
		for i := range parts {
			parts[i] = fmt.Sprintf("%q", fmt.Sprint(v.Index(i).Interface()))
		}
		return "`[" + strings.Join(parts, ", ") + "]`"
	}
	return fmt.Sprint(v.Interface())
}

// wrap breaks text into lines of at most width columns.
func wrap(s, indent string, width int) string {
	var b strings.Builder
	column := 0
	for i, word := range strings.Fields(s) {
		switch {
		case i > 0 && column+1+len(word) > width:
			b.WriteString("\n" + indent)
			column = len(indent)
		case i > 0:
			b.WriteString(" ")
			column++
		}
		b.WriteString(word)
		column += len(word)
	}
	return b.String()
}
