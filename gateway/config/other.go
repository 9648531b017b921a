package config

import (
	"path/filepath"
	"reflect"
)

// Report takes the problems that the owner of another schema finds. Keys are as in the file, entries of lists counted from 1.
type Report struct{ r *report }

// Bad notes an error: what is wrong, and what to do.
func (r *Report) Bad(key, text, advice string) { r.r.bad(key, text, advice) }

// Risk notes a warning.
func (r *Report) Risk(key, text, advice string) { r.r.risk(key, text, advice) }

// Failed reports whether the key, or something directly below it, was refused already.
func (r *Report) Failed(key string) bool { return r.r.errorAt(key) }

// Read is Load for a file of another schema than Config's: into points to a struct whose fields are tagged like those of Config and hold the
// defaults. It is as strict as Load. check is called with what was read, unless the file is not TOML. What is read may be used only if no problem is
// an error.
func Read(path string, into any, check func(*Report)) Problems {
	text, problems := readFile(path)
	if problems != nil {
		return problems
	}
	r := &report{file: path, index: newIndex(text)}
	tree, ok := r.parseTOML(text)
	if !ok {
		return r.sorted()
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		abs = path
	}
	d := &decoder{report: r, dir: filepath.Dir(abs)}
	d.table("", tree, reflect.ValueOf(into).Elem())
	check(&Report{r})
	return r.sorted()
}
