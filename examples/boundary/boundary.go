// Package boundary holds the files of the example in this folder, so that the demonstration and the tests run the very
// configuration that a reader sees.
//
// Inside: the configuration and the policy files, and putting them into a folder. Not inside: certificates, which
// everybody has to make for himself (docs/operator.md says how), and any meaning: package gateway/config reads the
// files, as it reads every other configuration.
package boundary

import (
	"embed"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// ConfigFile is the name of the configuration among the files.
const ConfigFile = "sallyport.toml"

//go:embed sallyport.toml policy
var files embed.FS

// Config is the text of the configuration.
func Config() (string, error) {
	b, err := files.ReadFile(ConfigFile)
	return string(b), err
}

// Write puts all files below dir, which exists, and leaves alone what is there already. In the configuration,
// replace stands in for its own addresses; nil changes nothing.
func Write(dir string, replace *strings.Replacer) error {
	return fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		path := filepath.Join(dir, filepath.FromSlash(name))
		if d.IsDir() {
			return os.MkdirAll(path, 0o755)
		}
		b, err := files.ReadFile(name)
		if err != nil {
			return err
		}
		if replace != nil && name == ConfigFile {
			b = []byte(replace.Replace(string(b)))
		}
		return writeNew(path, b)
	})
}

// writeNew writes a file that does not exist yet.
func writeNew(path string, b []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if os.IsExist(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if _, err := f.Write(b); err != nil {
		_ = f.Close() // the write has failed, which is what counts
		return fmt.Errorf("write %s: %w", path, err)
	}
	return f.Close()
}
