package main_test

import (
	"bytes"
	"context"
	"flag"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write testdata/show.txt anew")

// programs builds what the demonstration needs, once, as make run does.
func programs(t *testing.T) (demo, sallyport string) {
	t.Helper()
	dir := t.TempDir()
	demo, sallyport = filepath.Join(dir, "demo"), filepath.Join(dir, "sallyport")
	for path, pkg := range map[string]string{demo: "sallyport/testbed/demo", sallyport: "sallyport/cmd/sallyport"} {
		if out, err := exec.Command("go", "build", "-trimpath", "-o", path, pkg).CombinedOutput(); err != nil {
			t.Fatalf("build %s: %v\n%s", pkg, err, out)
		}
	}
	return demo, sallyport
}

// watch runs the demonstration in a folder as a reader would.
func watch(t *testing.T, dir, demo string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, demo, args...)
	var out, errs bytes.Buffer
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &out, &errs
	err = cmd.Run()
	return out.String(), errs.String(), err
}

// TestShow: what is printed is what testdata/show.txt has, where only ports, references, numbers of records and paths
// differ from run to run; and again on the second start, which finds the state of the first.
func TestShow(t *testing.T) {
	t.Parallel()
	demo, sallyport := programs(t)
	dir := t.TempDir()
	golden := filepath.Join("testdata", "show.txt")
	for _, start := range []string{"made just now", "found from an earlier start"} {
		stdout, stderr, err := watch(t, dir, demo, "-sallyport", sallyport, "-state", "run", "-once")
		if err != nil {
			t.Fatalf("%v\n%s%s", err, stdout, stderr)
		}
		if !strings.Contains(strings.Join(strings.Fields(stdout), " "), start) {
			t.Errorf("the state is not said to be %s:\n%s", start, stdout)
		}
		got := steady(stdout, sallyport)
		if *update {
			if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("not what %s has (-update writes it):\n%s", golden, diff)
		}
	}
	reached(t, dir, sallyport)
}

// reached runs the commands that the end of the show names and that need no running node.
func reached(t *testing.T, dir, sallyport string) {
	t.Helper()
	for _, c := range []struct{ args, want string }{
		{"audit show -c run/sallyport.toml --outcome refused", "policy-violation"},
		{"audit verify -c run/sallyport.toml --head run/audit-heads/head", "nothing is missing"},
		{"explain -c run/sallyport.toml --from organisation run/stanzas/04-secret.xml", "REFUSED at stage label-out"},
	} {
		out, stderr, err := watch(t, dir, sallyport, strings.Fields(c.args)...)
		if !strings.Contains(out, c.want) {
			t.Errorf("sallyport %s: %v, want %q in\n%s%s", c.args, err, c.want, out, stderr)
		}
	}
}

// steady replaces what is different in every run.
func steady(text, sallyport string) string {
	text = strings.ReplaceAll(text, sallyport, "build/sallyport")
	for _, r := range []struct{ pattern, by string }{
		{`127\.0\.0\.(\d+):\d+`, "127.0.0.$1:PORT"},
		{`"reference [0-9a-z]+"`, `"reference REFERENCE"`},
		{` *audit record \d+`, "  audit record N"},
		{`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`, "TIME"},
	} {
		text = regexp.MustCompile(r.pattern).ReplaceAllString(text, r.by)
	}
	// Ports have four or five digits, so that this paragraph does not always break in one place.
	paragraph := regexp.MustCompile(`(?s)  It listens on.*?\n\n`)
	text = paragraph.ReplaceAllString(text, "  It listens on ...\n\n")
	servers := regexp.MustCompile(`(?s)  - A server for (\S+): .*?\n(  - |  docs)`)
	for servers.MatchString(text) {
		text = servers.ReplaceAllString(text, "  * $1 ...\n$2")
	}
	return text
}

func TestTroubleIsSaid(t *testing.T) {
	t.Parallel()
	demo, sallyport := programs(t)
	dir := t.TempDir()
	if _, stderr, err := watch(t, dir, demo, "-sallyport", "nowhere", "-once"); err == nil || !strings.Contains(stderr, "make build") {
		t.Errorf("without the program: %v, %q", err, stderr)
	}
	if _, err := os.Stat(filepath.Join(dir, "run")); !os.IsNotExist(err) {
		t.Errorf("without the program a state folder was made: %v", err)
	}
	if stdout, stderr, err := watch(t, dir, demo, "-sallyport", sallyport, "-once"); err != nil {
		t.Fatalf("%v\n%s%s", err, stdout, stderr)
	}
	config, err := os.ReadFile(filepath.Join(dir, "run", "sallyport.toml"))
	if err != nil {
		t.Fatal(err)
	}
	address := regexp.MustCompile(`127\.0\.0\.10:\d+`).FindString(string(config))
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, stderr, err := watch(t, dir, demo, "-sallyport", sallyport, "-once")
	if want := address + " cannot be used: address already in use"; err == nil || !strings.Contains(stderr, want) {
		t.Errorf("with a port taken: %v, want %q in %q", err, want, stderr)
	}
	if strings.Contains(stderr, "127.0.0.11") {
		t.Errorf("only one port is taken: %q", stderr)
	}
}
