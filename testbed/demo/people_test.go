package main_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestPeople: the two servers that stay up behind the node have accounts to log in to, and who logs in can talk to the other.
func TestPeople(t *testing.T) {
	t.Parallel()
	demo, sallyport := programs(t)
	dir := t.TempDir()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	said, err := os.Create(filepath.Join(dir, "demo.txt"))
	if err != nil {
		t.Fatal(err)
	}
	defer said.Close()
	cmd := exec.CommandContext(ctx, demo, "-sallyport", sallyport, "-state", "run")
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, said, said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	text := awaitText(ctx, t, said.Name(), "stay up", ended)
	at := regexp.MustCompile(`(?:juliet|romeo)@\S+ at (127\.0\.0\.\d+:\d+)`).FindAllStringSubmatch(text, -1)
	if len(at) != 2 {
		t.Fatalf("it does not say where to log in:\n%s", text)
	}
	hello, err := filepath.Abs("../../examples/server/hello.py")
	if err != nil {
		t.Fatal(err)
	}
	talk := exec.CommandContext(ctx, "/usr/bin/python3", hello, at[0][1]+","+at[1][1], filepath.Join(dir, "run/certs/ca.pem"),
		"juliet@chat.inside.example", "romeo@chat.outside.example")
	talk.Stdin = strings.NewReader("demonstration\ndemonstration\n")
	out, err := talk.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "romeo@chat.outside.example reads: Can you hear me?") || !strings.Contains(string(out), "juliet@chat.inside.example reads: Loud and clear.") {
		t.Errorf("%v\n%s", err, out)
	}
	crossed, stderr, err := watch(t, dir, sallyport, "audit", "show", "-c", "run/sallyport.toml", "--jid", "chat.inside.example", "--outcome", "released")
	if err != nil || !strings.Contains(crossed, "people-inside > people-") {
		t.Errorf("what they said did not cross the node: %v\n%s%s", err, crossed, stderr)
	}
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		b, _ := os.ReadFile(said.Name())
		t.Errorf("it ends with %v\n%s", err, b)
	}
}

// awaitText waits until a file has the words, and returns what it has.
func awaitText(ctx context.Context, t *testing.T, path, words string, ended <-chan error) string {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(b), words) {
			return string(b)
		}
		select {
		case err := <-ended:
			t.Fatalf("it has ended: %v\n%s", err, b)
		case <-ctx.Done():
			t.Fatalf("no %q\n%s", words, b)
		case <-tick.C:
		}
	}
}
