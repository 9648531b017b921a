package docs_test

import (
	"context"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"sallyport/gateway"
	"sallyport/gateway/config"
	"sallyport/internal/tlsid/tlsidtest"
	"sallyport/testbed/docs"
	"sallyport/testbed/peers"
)

// patience bounds the commands of one document.
const patience = 10 * time.Minute

// documents are what is tested. Parts of a configuration are added to that of the example.
var documents = []struct{ name, example, config string }{
	{"README.md", "examples/boundary", "sallyport.toml"},
	{"docs/operator.md", "examples/boundary", "sallyport.toml"},
	{"docs/labels.md", "examples/labels", "sallyport.toml"},
	{"docs/links.md", "examples/sites", "shore.toml"},
	{"docs/hf.md", "examples/sites", "shore.toml"},
	{"docs/server.md", "examples/server", "sallyport.toml"},
}

// checkout is the root of the repository.
func checkout(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// desk is a copy of the checkout as far as the documents use it: programs that were built, and the examples with free addresses.
func desk(t *testing.T, free func(string) string) string {
	t.Helper()
	root, dir := checkout(t), t.TempDir()
	for name, pkg := range map[string]string{"sallyport": "sallyport/cmd/sallyport", "demo": "sallyport/testbed/demo"} {
		build := exec.Command("go", "build", "-trimpath", "-o", filepath.Join(dir, "build", name), pkg)
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("build %s: %v\n%s", pkg, err, out)
		}
	}
	examples := filepath.Join(dir, "examples")
	if err := os.CopyFS(examples, os.DirFS(filepath.Join(root, "examples"))); err != nil {
		t.Fatal(err)
	}
	configs, err := filepath.Glob(filepath.Join(examples, "*", "*.toml"))
	if err != nil || len(configs) == 0 {
		t.Fatalf("no configurations among the examples: %v", err)
	}
	for _, name := range configs {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(free(string(text))), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// asItStands changes no address.
func asItStands(text string) string { return text }

// read is a document with its blocks, loopback addresses replaced.
func read(t *testing.T, name string, free func(string) string) []docs.Block {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(checkout(t), name))
	if err != nil {
		t.Fatal(err)
	}
	blocks, err := docs.Blocks(string(text))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	for i := range blocks {
		blocks[i].Text = free(blocks[i].Text)
	}
	return blocks
}

var loopback = regexp.MustCompile(`127\.0\.0\.\d+:\d+`)

func freeAddresses(t *testing.T) func(string) string {
	t.Helper()
	var ports peers.Ports
	t.Cleanup(func() { _ = ports.Close() })
	known := map[string]string{}
	return func(text string) string {
		return loopback.ReplaceAllStringFunc(text, func(a string) string {
			if known[a] == "" {
				free, err := ports.Free(netip.MustParseAddrPort(a).Addr())
				if err != nil {
					t.Fatal(err)
				}
				known[a] = free.String()
			}
			return known[a]
		})
	}
}

func TestDocumentsRun(t *testing.T) {
	t.Parallel()
	for _, d := range documents {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			perform(t, d.name)
		})
	}
}

// perform runs a document in a shell and compares what its blocks print with what the document says.
func perform(t *testing.T, name string) {
	t.Helper()
	free := freeAddresses(t)
	blocks := read(t, name, free)
	dir := desk(t, free)
	printed, ran := run(t, dir, script(blocks))
	last := -1
	for i, b := range blocks {
		switch b.Language + " " + b.Mark {
		case "sh run", "sh demo":
			last = i
			if !strings.Contains(printed, done(i)) {
				t.Fatalf("%s:%d: the commands end with an error (%v):\n%s", name, b.Line, ran, tail(printed, begun(i)))
			}
		case "text output":
			if last < 0 {
				t.Fatalf("%s:%d: there is no block before that prints", name, b.Line)
			}
			if missing, ok := docs.Contains(between(printed, begun(last), done(last)), b.Text); !ok {
				t.Errorf("%s:%d: the block in line %d does not print %q but\n%s", name, b.Line, blocks[last].Line, missing, between(printed, begun(last), done(last)))
			}
		}
	}
	if ran != nil {
		t.Errorf("%s: %v\n%s", name, ran, printed)
	}
}

func begun(i int) string { return fmt.Sprintf("@@ begin %d\n", i) }
func done(i int) string  { return fmt.Sprintf("@@ end %d\n", i) }

// theDemo stands in for "make run", which a reader leaves running.
const theDemo = `build/demo -sallyport build/sallyport -state run > demo.txt 2>&1 &
until grep -q 'stay up' demo.txt; do kill -0 $! || { cat demo.txt; exit 1; }; sleep 0.1; done
`

// theEnd stops what a reader would leave running, however the script ends, and waits until it is gone.
const theEnd = "trap 'jobs -p > jobs.txt; kill $(cat jobs.txt) 2>/dev/null || true; wait' EXIT\n"

// script is everything that a reader types, with marks in what is printed.
func script(blocks []docs.Block) string {
	var s strings.Builder
	s.WriteString("set -eu\n" + theEnd)
	for i, b := range blocks {
		fmt.Fprintf(&s, "echo '@@ begin %d'\n", i)
		switch b.Language + " " + b.Mark {
		case "sh run":
			if b.Option != "" {
				fmt.Fprintf(&s, "set +e\n%scode=$?\nset -e\n[ $code = %s ] || { echo exit code $code; exit 1; }\n", b.Text, b.Option)
			} else {
				s.WriteString(b.Text)
			}
		case "sh demo":
			s.WriteString(theDemo)
		case "toml file":
			fmt.Fprintf(&s, "cat > %s <<'END_OF_BLOCK'\n%sEND_OF_BLOCK\n", b.Option, b.Text)
		}
		fmt.Fprintf(&s, "echo '@@ end %d'\n", i)
	}
	return s.String()
}

// run gives the script to a shell in a process group of its own, which is killed at the end.
func run(t *testing.T, dir, script string) (printed string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh")
	cmd.Dir, cmd.Stdin, cmd.WaitDelay = dir, strings.NewReader(script), time.Second
	cmd.Env = append(os.Environ(), "TMPDIR="+t.TempDir())
	out, err := os.Create(filepath.Join(t.TempDir(), "printed"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	err = cmd.Run()
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // what is left if the shell was killed; there may be nothing
	text, readErr := os.ReadFile(out.Name())
	if readErr != nil {
		t.Fatal(readErr)
	}
	return string(text), err
}

func between(s, from, to string) string {
	_, s, _ = strings.Cut(s, from)
	s, _, _ = strings.Cut(s, to)
	return s
}

func tail(s, from string) string {
	_, s, _ = strings.Cut(s, from)
	return s
}

// TestConfigurationsLoad: whole configurations, and parts added to one, load and are policies.
func TestConfigurationsLoad(t *testing.T) {
	t.Parallel()
	for _, d := range documents {
		example := os.DirFS(filepath.Join(checkout(t), d.example))
		b, err := fs.ReadFile(example, d.config)
		if err != nil {
			t.Fatal(err)
		}
		whole := string(b)
		load(t, d.example, example, whole)
		for _, b := range read(t, d.name, asItStands) {
			text := b.Text
			switch b.Language + " " + b.Mark {
			case "toml file":
				whole = text
			case "toml add":
				text = whole + "\n" + text
			default:
				continue
			}
			load(t, fmt.Sprintf("%s:%d", d.name, b.Line), example, text)
		}
	}
}

func load(t *testing.T, place string, example fs.FS, text string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, example); err != nil {
		t.Fatal(err)
	}
	certificates(t, filepath.Join(dir, "certs"))
	path := filepath.Join(dir, "whole.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, problems := config.Load(path)
	if problems.Failed() {
		t.Errorf("%s: %v", place, problems.Err())
		return
	}
	if _, err := gateway.BuildPolicy(cfg); err != nil {
		t.Errorf("%s: %v", place, err)
	}
}

func certificates(t *testing.T, dir string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	ca := tlsidtest.Must(tlsidtest.NewCA("CA of the documents"))
	tlsidtest.Must(ca.WritePEM(dir, "ca"))
	crl := tlsidtest.Must(ca.CRL(time.Now().Add(-time.Hour), time.Now().Add(time.Hour)))
	if err := os.WriteFile(filepath.Join(dir, "crl.pem"), crl, 0o644); err != nil {
		t.Fatal(err)
	}
	leaf := tlsidtest.Must(ca.Issue(tlsidtest.Options{DNS: []string{
		"inside.example", "outside.example", "harbour.example", "coast.example", "tugs.example",
		"shore.example", "ship.example", "station.example", "chat.example",
	}}))
	for _, name := range []string{"gateway", "shore", "server"} {
		if _, _, err := leaf.WritePEM(dir, name); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "shared.key"), make([]byte, 32), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestShownIsWhatTheDemonstrationShows: excerpts of the show are excerpts of what is proved to be printed.
func TestShownIsWhatTheDemonstrationShows(t *testing.T) {
	t.Parallel()
	show, err := os.ReadFile(filepath.Join(checkout(t), "testbed/demo/testdata/show.txt"))
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range read(t, "README.md", asItStands) {
		if b.Mark != "show" {
			continue
		}
		if missing, ok := docs.Contains(steady(string(show)), steady(b.Text)); !ok {
			t.Errorf("README.md:%d: the demonstration does not show %q", b.Line, missing)
		}
	}
}

// TestExcerptsAreOfTheirFiles: what a document shows of a file stands in it.
func TestExcerptsAreOfTheirFiles(t *testing.T) {
	t.Parallel()
	for _, d := range documents {
		for _, b := range read(t, d.name, asItStands) {
			if b.Mark != "of" {
				continue
			}
			file, err := os.ReadFile(filepath.Join(checkout(t), b.Option))
			if err != nil {
				t.Errorf("%s:%d: %v", d.name, b.Line, err)
				continue
			}
			if missing, ok := docs.Contains(string(file), b.Text); !ok {
				t.Errorf("%s:%d: %s does not have %q", d.name, b.Line, b.Option, missing)
			}
		}
	}
}

var link = regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)

// TestLinksLeadSomewhere: files of the repository that a document links to exist.
func TestLinksLeadSomewhere(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob(filepath.Join(checkout(t), "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range append(names, filepath.Join(checkout(t), "README.md")) {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range link.FindAllStringSubmatch(string(text), -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(name), l[1])); err != nil {
				t.Errorf("%s links to %s: %v", filepath.Base(name), l[1], err)
			}
		}
	}
}

// steady takes away what differs from run to run.
func steady(text string) string {
	text = regexp.MustCompile(` +audit record (N|\d+)`).ReplaceAllString(text, "")
	return regexp.MustCompile(`"reference [0-9A-Za-z]+"`).ReplaceAllString(text, `"reference …"`)
}

// TestManualCommandsExist: of what a test does not run, our own commands and flags are those of the program.
func TestManualCommandsExist(t *testing.T) {
	t.Parallel()
	program := filepath.Join(desk(t, asItStands), "build", "sallyport")
	for _, d := range documents {
		for _, b := range read(t, d.name, asItStands) {
			if b.Mark != "manual" {
				continue
			}
			for _, line := range strings.Split(b.Text, "\n") {
				words := strings.Fields(line)
				if len(words) < 2 || filepath.Base(words[0]) != "sallyport" {
					continue
				}
				out, err := exec.Command(program, append(words[1:], "--help")...).CombinedOutput()
				if err != nil {
					t.Errorf("%s:%d: %s: %v\n%s", d.name, b.Line, line, err, out)
				}
			}
		}
	}
}
