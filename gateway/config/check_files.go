package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"reflect"
	"strconv"

	"golang.org/x/sys/unix"

	"sallyport/rules"
)

// files looks at every file the configuration names.
func (c *checker) files() { c.walk("", reflect.ValueOf(c.cfg).Elem()) }

// walk visits all values with their keys.
func (c *checker) walk(key string, rv reflect.Value) {
	if c.fileAt(key, rv.Interface()) || isLeaf(rv) {
		return
	}
	switch rv.Kind() {
	case reflect.Struct:
		for _, f := range fieldsOf(rv.Type()) {
			c.walkField(joinKey(key, f.name), rv.FieldByIndex(f.index), f.named)
		}
	case reflect.Slice:
		for i := range rv.Len() {
			c.walk(entryKey(key, i+1), rv.Index(i))
		}
	}
}

// key is where entry i stands, counted from 0: a single one may stand without a list.
func (f Files) key(key string, i int) string {
	if len(f) == 1 {
		return key
	}
	return entryKey(key, i+1)
}

func (c *checker) walkField(key string, rv reflect.Value, named bool) {
	if !named {
		c.walk(key, rv)
		return
	}
	for i := range rv.Len() {
		if p, ok := rv.Index(i).Addr().Interface().(*Peer); ok && p.Ourselves {
			continue // its table is elsewhere
		}
		c.walk(joinKey(key, rv.Index(i).FieldByName("Name").String()), rv.Index(i))
	}
}

func (c *checker) fileAt(key string, v any) bool {
	switch p := v.(type) {
	case File:
		c.mustRead(key, string(p))
	case rules.File:
		c.mustRead(key, string(p))
	case Files:
		for i := range p {
			c.mustRead(p.key(key, i), string(p[i]))
		}
	case SecretFile:
		if c.mustRead(key, string(p)) {
			c.mustBeOwners(key, string(p))
		}
	case NewSecret:
		c.mustBeOwners(key, string(p))
	case Dir:
		c.mustBeDir(key, string(p))
	case Path:
	default:
		return false
	}
	return true
}

// wayTo is what to do about a file that cannot be opened.
func wayTo(err error) string {
	if errors.Is(err, fs.ErrPermission) {
		return "this runs as " + whoami() + ": let that user read it (chown, chmod), or run it as the user of the node"
	}
	return "relative paths start at the folder of the configuration"
}

func whoami() string {
	id := strconv.Itoa(os.Geteuid())
	if u, err := user.LookupId(id); err == nil {
		return u.Username
	}
	return "user " + id
}

// mustRead wants a file that can be read now and that only its owner can change.
func (c *checker) mustRead(key, path string) bool {
	if path == "" {
		return false
	}
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0) // a FIFO must not hold us up
	if err != nil {
		c.bad(key, fmt.Sprintf("%s %s", shown(path), reason(err)), wayTo(err))
		return false
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		c.bad(key, fmt.Sprintf("%s %s", shown(path), reason(err)), "")
		return false
	case !info.Mode().IsRegular():
		c.bad(key, shown(path)+" is not a file", "name a file")
		return false
	case info.Mode().Perm()&0o022 != 0:
		c.risk(key, "others can write "+shown(path), "chmod go-w "+path)
	}
	return true
}

// mustBeOwners refuses a secret that others can read; one that does not exist yet will
// be created with the right mode.
func (c *checker) mustBeOwners(key, path string) {
	if path == "" {
		return
	}
	info, err := os.Stat(path)
	if err != nil {
		return
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		c.bad(key, fmt.Sprintf("%s has mode %04o, others can read the secret", shown(path), mode), "chmod 0600 "+path)
	}
}

// mustBeDir wants a directory, or a place where one can be made.
func (c *checker) mustBeDir(key, path string) {
	if path == "" {
		return
	}
	info, err := os.Stat(path)
	if err != nil {
		parent := filepath.Dir(path)
		if path != string(c.cfg.Node.State) && parent == string(c.cfg.Node.State) || isDir(parent) {
			return
		}
		c.bad(key, fmt.Sprintf("neither %s nor the directory above it exists", shown(path)), "mkdir -p "+parent)
		return
	}
	switch {
	case !info.IsDir():
		c.bad(key, shown(path)+" is not a directory", "name a directory")
	case info.Mode().Perm()&0o022 != 0:
		c.risk(key, "others can write into "+shown(path), "chmod go-w "+path)
	}
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode()&fs.ModeDir != 0
}
