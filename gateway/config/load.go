package config

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"

	"github.com/BurntSushi/toml"
)

// maxFileBytes bounds the file.
const maxFileBytes = 1 << 20

// Load reads, decodes and checks the file, and looks at the files it names. There is a
// configuration only if no problem is an error; warnings come with it.
func Load(path string) (*Config, Problems) {
	text, problems := readFile(path)
	if problems != nil {
		return nil, problems
	}
	cfg, problems := Parse(path, text)
	if info, err := os.Stat(path); err == nil && info.Mode().Perm()&0o022 != 0 {
		problems = append(Problems{{
			Severity: Warning, File: path, Line: 1, Text: "others can write this file, and so decide what crosses",
			Advice: "chmod go-w " + path,
		}}, problems...)
	}
	return cfg, problems
}

// ControlSocket finds the control socket of a node in its configuration. It looks at
// nothing else, because who may use the socket need not be able to read the keys.
func ControlSocket(path string) (string, error) {
	text, problems := readFile(path)
	if problems != nil {
		return "", problems.Err()
	}
	cfg, r := decode(path, text)
	if cfg == nil {
		return "", r.problems.Err()
	}
	if cfg.Control.Socket == "" {
		return "", fmt.Errorf("%s names no control.socket and no node.state", path)
	}
	return string(cfg.Control.Socket), nil
}

// readFile reads the file, and little of one that is too large.
func readFile(path string) ([]byte, Problems) {
	f, err := os.Open(path)
	if err == nil {
		defer f.Close()
		var text []byte
		if text, err = io.ReadAll(io.LimitReader(f, maxFileBytes+1)); err == nil && len(text) <= maxFileBytes {
			return text, nil
		}
	}
	if err != nil {
		return nil, Problems{{File: path, Text: reason(err), Advice: "name the configuration file"}}
	}
	return nil, Problems{{
		File: path, Line: 1, Text: "is larger than 1 MiB", Advice: "this is not a configuration of sallyport",
	}}
}

// reason is what the system says, without the path that stands beside it anyway.
func reason(err error) string {
	var pe *os.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	return "cannot be read: " + err.Error()
}

// Parse is Load for a text that is held to stand in the file at path.
func Parse(path string, text []byte) (*Config, Problems) {
	cfg, r := decode(path, text)
	if cfg == nil {
		return nil, r.sorted()
	}
	check(cfg, r)
	problems := r.sorted()
	if problems.Failed() {
		return nil, problems
	}
	return cfg, problems
}

// decode puts the text into the schema. There is no configuration if it is not TOML.
func decode(path string, text []byte) (*Config, *report) {
	abs, err := filepath.Abs(path)
	if err != nil {
		abs = path
	}
	r := &report{file: path, index: newIndex(text)}
	tree, ok := r.parseTOML(text)
	if !ok {
		return nil, r
	}
	cfg := Defaults()
	d := &decoder{report: r, dir: filepath.Dir(abs)}
	d.table("", tree, reflect.ValueOf(&cfg).Elem())
	cfg.derive()
	sum := sha256.Sum256(text)
	cfg.Source = Source{Path: abs, Digest: hex.EncodeToString(sum[:])}
	return &cfg, r
}

// parseTOML reads the grammar. It is the one step that stops at the first problem;
// duplicate keys are found all the same.
func (r *report) parseTOML(text []byte) (tree map[string]any, ok bool) {
	if n := r.index.tooDeep; n > 0 {
		r.problems = Problems{{File: r.file, Line: n, Text: "is nested too deeply", Advice: "no setting needs that"}}
		return nil, false
	}
	tree, err := decodeTOML(text)
	if err == nil {
		return tree, true
	}
	for _, dup := range r.index.duplicates[:min(len(r.index.duplicates), maxProblems)] {
		r.problems = append(r.problems, Problem{
			File: r.file, Line: dup.line, Key: dup.key,
			Text:   fmt.Sprintf("is defined a second time, first in line %d", dup.first),
			Advice: "keep one of the two",
		})
	}
	var pe toml.ParseError
	if !errors.As(err, &pe) {
		r.problems = append(r.problems, Problem{File: r.file, Line: 1, Text: "is not TOML: " + shown(err.Error())})
		return nil, false
	}
	if len(r.problems) == 0 || !strings.Contains(pe.Message, "already been defined") {
		r.problems = append(r.problems, Problem{
			File: r.file, Line: max(pe.Position.Line, 1), Key: pe.LastKey,
			Text:   "is not TOML: " + syntaxText(pe),
			Advice: "nothing after this could be checked; correct it first",
		})
	}
	return nil, false
}

// decodeTOML calls the library, whose bugs are panics.
func decodeTOML(text []byte) (tree map[string]any, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("TOML library: %v", p)
		}
	}()
	_, err = toml.Decode(string(text), &tree)
	return tree, err
}

// syntaxText is the library's message, unless it could quote a secret.
func syntaxText(pe toml.ParseError) string {
	for _, word := range []string{"secret", "key", "password", "pin"} {
		if strings.Contains(strings.ToLower(pe.LastKey), word) {
			return "the value is not text in quotes"
		}
	}
	line := strings.ReplaceAll(pe.Message, "\n", " ")
	return strings.Trim(shown(line), `"`)
}

// derive fills in what follows from other settings.
func (c *Config) derive() {
	if c.Server.Open() && c.Peer(Local) == nil { // a second one of that name is reported
		c.Peers = append(c.Peers, c.Server.localPeer())
	}
	state := string(c.Node.State)
	if state == "" {
		return // reported as missing
	}
	if c.Node.DialbackSecret == "" {
		c.Node.DialbackSecret = NewSecret(filepath.Join(state, "dialback.secret"))
	}
	if c.Control.Socket == "" {
		c.Control.Socket = Path(filepath.Join(state, "control.sock"))
	}
	if c.Audit.Dir == "" {
		c.Audit.Dir = Dir(filepath.Join(state, "audit"))
	}
	if c.Spool.Dir == "" {
		c.Spool.Dir = Dir(filepath.Join(state, "spool"))
	}
	if c.Server.Store.SQLite == "" {
		c.Server.Store.SQLite = Path(filepath.Join(state, "server.db"))
	}
	if c.Server.Web.Files.Dir == "" {
		c.Server.Web.Files.Dir = Dir(filepath.Join(state, "files"))
	}
	if c.Audit.SignKey == "" {
		c.Audit.SignKey = NewSecret(filepath.Join(state, "audit.key"))
	}
}
