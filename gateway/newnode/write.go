package newnode

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"text/template"
)

//go:embed templates
var templates embed.FS

// ConfigFile is the name of the configuration among the files.
const ConfigFile = "sallyport.toml"

// Written is what became of one file.
type Written struct {
	Path string // below the directory
	What string // in a few words
	Kept bool   // it was there before, and is as it was
}

// contents are what a template is given.
type contents struct {
	Plan
	OutsideName string
	PolicyID    string
	Date        string
	Classes     []string
}

// policyFiles are those of the first security policy, each with the classifications that it is about.
var policyFiles = []struct {
	path, template, what string
	classes              []string
}{
	{"policy/basic.spif.xml", "basic.spif.xml.tmpl", "the security policy", nil},
	{"policy/server.clearance.xml", "clearance.xml.tmpl", "what the server may carry", []string{"PUBLIC", "INTERNAL", "CONFIDENTIAL"}},
	{"policy/guest.clearance.xml", "clearance.xml.tmpl", "a clearance to give to accounts", []string{"PUBLIC"}},
	{"policy/outside.clearance.xml", "clearance.xml.tmpl", "what may leave", []string{"PUBLIC", "INTERNAL"}},
	{"policy/internal.label.xml", "label.xml.tmpl", "the label of what has none", []string{"INTERNAL"}},
	{"policy/public.label.xml", "label.xml.tmpl", "the label of what has none and comes from outside", []string{"PUBLIC"}},
	{"policy/catalogue.xml", "catalogue.xml.tmpl", "the labels that people choose from", []string{"PUBLIC", "INTERNAL", "CONFIDENTIAL"}},
}

// Write puts the files of a plan below dir, which is made if need be, and leaves alone what is there. It may be called again: what
// is missing is added, with the security policy that is there.
func Write(dir string, p Plan) ([]Written, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	for _, d := range []string{dir, filepath.Join(dir, "policy"), filepath.Join(dir, "certs")} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return nil, err
		}
	}
	if p.State != "" {
		if err := os.MkdirAll(p.State, 0o700); err != nil {
			return nil, err
		}
	}
	w := &writer{dir: dir}
	c := contents{Plan: p, OutsideName: outsideName, Date: p.Now.UTC().Format("20060102150405Z")}
	w.policy(&c)
	made := !w.exists(serverKey)
	w.certificates(&p)
	if made {
		w.belongs(serverKey, p.State)
	}
	w.template(ConfigFile, "sallyport.toml.tmpl", "the configuration", &c) // last: who finds it finds the rest
	return w.done, w.err
}

// writer puts files into a directory until something goes wrong.
type writer struct {
	dir  string
	done []Written
	err  error
}

func (w *writer) policy(c *contents) {
	id, err := policyID(filepath.Join(w.dir, policyFiles[0].path))
	if errors.Is(err, fs.ErrNotExist) {
		id, err = drawID()
	}
	if w.err = err; err != nil {
		return
	}
	c.PolicyID = id
	for _, f := range policyFiles {
		c.Classes = f.classes
		w.template(f.path, f.template, f.what, c)
	}
}

var policyIDForm = regexp.MustCompile(`<spif:securityPolicyId[^>]*\bid="([0-9.]+)"`)

// policyID is the identifier in a policy that is there.
func policyID(path string) (string, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	m := policyIDForm.FindSubmatch(b)
	if m == nil {
		return "", fmt.Errorf("%s has no identifier of a policy that init has made; give the new node a folder of its own", path)
	}
	return string(m[1]), nil
}

func (w *writer) template(path, name, what string, c *contents) {
	if w.err != nil {
		return
	}
	t, err := template.New(name).Funcs(template.FuncMap{"list": list, "words": words}).ParseFS(templates, "templates/"+name)
	if err != nil {
		w.err = err
		return
	}
	var text bytes.Buffer
	if err := t.Execute(&text, c); err != nil {
		w.err = err
		return
	}
	w.file(path, what, text.Bytes(), 0o644)
}

// belongs gives a secret to the owner of the state, who runs the node, where root sets it up for him.
func (w *writer) belongs(path, state string) {
	if w.err != nil || state == "" || os.Geteuid() != 0 {
		return
	}
	info, err := os.Stat(state)
	if err != nil {
		w.err = err
		return
	}
	if is, ok := info.Sys().(*syscall.Stat_t); ok {
		w.err = os.Chown(filepath.Join(w.dir, path), int(is.Uid), int(is.Gid))
	}
}

// list is how TOML writes a list of texts, without its brackets.
func list(all []string) string {
	quoted := make([]string, len(all))
	for i, s := range all {
		quoted[i] = strconv.Quote(s)
	}
	return strings.Join(quoted, ", ")
}

func words(all []string) string { return strings.Join(all, ", ") }

// file writes a file that does not exist yet, whole and durable or not at all, and reports whether it did.
func (w *writer) file(path, what string, b []byte, mode fs.FileMode) bool {
	if w.err != nil {
		return false
	}
	full := filepath.Join(w.dir, path)
	if _, err := os.Lstat(full); err == nil {
		w.done = append(w.done, Written{path, what, true})
		return false
	}
	if err := writeNew(full, b, mode); err != nil {
		w.err = err
		return false
	}
	w.done = append(w.done, Written{path, what, false})
	return true
}

// writeNew makes a file under another name, and gives it its own by a link, which fails where there is one.
func writeNew(path string, b []byte, mode fs.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(b)
	if err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil {
		return err
	}
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
