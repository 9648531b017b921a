package hostile_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sallyport/gateway/audit"
	"sallyport/gateway/config"
	"sallyport/internal/tlsid/tlsidtest"
)

// groupP is what an audit log and a configuration must withstand. Each case has a small node of its own.
func groupP() []row {
	return []row{
		{"P12_hostile_text_in_records", hostileText},
		{"P13_tampered_log", tamperedLog},
		{"P13_full_log", fullLog},
		{"P15_bad_configuration", badConfiguration},
	}
}

// small is a node with two neighbours that a test may break, and somebody outside who is logged in.
type small struct {
	*node
	b    *station
	from *raw
}

const smallDomain = "x.evil.example"

func newSmall(t *testing.T, auditKeys string) *small {
	t.Helper()
	ca := tlsidtest.Must(tlsidtest.NewCA("small"))
	cert := tlsidtest.Must(ca.Issue(tlsidtest.Options{DNS: []string{"b.example", "*.evil.example"}})).TLS()
	b := newStation(t, "small", cert, &taps{})
	t.Cleanup(b.close)
	s := &small{b: b}
	s.node = startNode(t, settings{
		names: []string{"b.example", "*.evil.example"}, audit: auditKeys,
		peers: []peerText{
			{"b", "inside", `"b.example"`, b.address(), `"external"`, ""},
			{"evil", "outside", `"*.evil.example"`, b.address(), `"external"`, ""},
		},
		pairs: [][2]string{{"b", "evil"}},
	}, ca)
	s.from = s.dial(t, s.outside)
	s.from.authenticated(smallDomain, "b.example", s.leaf(tlsidtest.Options{DNS: []string{"*.evil.example"}}))
	return s
}

// verify is what an auditor would say.
func (s *small) verify(t *testing.T, dir string) audit.Report {
	t.Helper()
	key, err := audit.LoadOrCreateKey(filepath.Join(s.dir, "state", "audit.key"))
	if err != nil {
		t.Fatal(err)
	}
	report, err := audit.Verify(dir, "", key.Public().(ed25519.PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// hostileText: P12. What a peer writes into ids and addresses is in the log as it came, and neither ends a record nor steers
// a terminal where it is shown.
func hostileText(t *testing.T, _ *world) {
	s := newSmall(t, "")
	texts := []string{"a&#xA;b", "a&#xD;&#xA;2026-01-01 released", `","verdict":"permit"`, "&#x202E;drow", "&#x9B;31m", strings.Repeat("i", 4_000)}
	for i, text := range texts {
		id := strings.ReplaceAll(text, "\"", "&quot;")
		s.from.say("<message from='u@" + smallDomain + "/r' to='v@b.example' id='" + id + "'><body>no label</body></message>")
		s.from.say("<message from='u@" + smallDomain + "/" + strings.ReplaceAll(id, "&#x", "x") + "' to='v@b.example' id='n" + string(rune('0'+i)) + "'><body>no label</body></message>")
	}
	s.from.say(good(smallDomain, "b.example", "last"))
	s.b.await(t, "last")
	n := 0
	for _, e := range s.audit.since(0) {
		line := audit.AppendJSON(nil, &e)
		row := audit.AppendTableRow(nil, &e)
		if !json.Valid(line) || bytes.ContainsAny(bytes.TrimSuffix(line, []byte("\n")), "\n\r\x1b\u009b\u202e") || bytes.ContainsAny(bytes.TrimSuffix(row, []byte("\n")), "\n\r\x1b\u009b\u202e") {
			t.Errorf("shown as %q and %q", line, row)
		}
		var shown map[string]any
		if json.Unmarshal(line, &shown) == nil && shown["verdict"] != nil {
			t.Errorf("a field of its own: %s", line)
		}
		if e.Kind == audit.Decision && e.Outcome == "refused" {
			n++
		}
	}
	if n != 2*len(texts) {
		t.Errorf("%d refusals, want %d", n, 2*len(texts))
	}
	s.from.close()
	s.stop(t)
	if r := s.verify(t, s.audit.dir); !r.OK() {
		t.Errorf("the log does not verify: %v", r.First())
	}
}

// tamperedLog: P13. The verifier names the first bad record.
func tamperedLog(t *testing.T, _ *world) {
	s := newSmall(t, "")
	for i := range 20 {
		s.from.say(good(smallDomain, "b.example", "m"+string(rune('a'+i))))
	}
	s.b.await(t, "m"+string(rune('a'+19)))
	s.from.close()
	s.stop(t)
	names, err := filepath.Glob(filepath.Join(s.audit.dir, "segment-*"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no segments: %v", err)
	}
	last := filepath.Base(names[len(names)-1])
	whole, err := os.ReadFile(names[len(names)-1])
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		change func([]byte) []byte
	}{
		{"whole", nil},
		{"truncated", func(b []byte) []byte { return b[:len(b)*2/3] }},
		{"edited", func(b []byte) []byte { b[len(b)/2] ^= 1; return b }},
		{"empty", func([]byte) []byte { return nil }},
		{"deleted", func([]byte) []byte { return []byte("delete") }},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(s.audit.dir)); err != nil {
				t.Fatal(err)
			}
			if c.change != nil {
				file := filepath.Join(dir, last)
				if b := c.change(slices.Clone(whole)); string(b) == "delete" {
					err = os.Remove(file)
				} else {
					err = os.WriteFile(file, b, 0o600)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			r := s.verify(t, dir)
			if r.OK() != (c.change == nil) {
				t.Errorf("verified: %v", r.Problems)
			}
			if c.change != nil && c.name != "deleted" && (r.First() == nil || r.First().Seq == 0) {
				t.Errorf("no record is named: %v", r.First())
			}
		})
	}
}

// fullLog: P13. When the log can take no more, nothing crosses any more, the node says why, and closes its links. Broken
// disks are for the tests of package gateway, which can break them.
func fullLog(t *testing.T, _ *world) {
	s := newSmall(t, "max-bytes = \"512 KiB\"\n")
	crossed := 0
	for i := range 3_000 {
		id := "fill-" + string(rune('a'+i%26)) + strings.Repeat("x", i/26)
		if !s.from.write([]byte(good(smallDomain, "b.example", id))) {
			break
		}
		if i%20 == 19 && s.g.Ready() != nil {
			break
		}
	}
	if !eventually(t, patience, "the node is not ready", func() bool { return s.g.Ready() != nil }) {
		return
	}
	s.from.end(patience) // the link is closed
	for _, e := range s.b.after(0) {
		if typ, _ := e.Attr("type"); typ != "error" { // which go to the sender
			crossed++
		}
	}
	recorded := 0
	for _, e := range s.audit.since(0) {
		if e.Kind == audit.Decision && e.Outcome == "released" {
			recorded++
		}
	}
	if crossed > recorded || crossed == 0 {
		t.Errorf("%d messages crossed, %d releases are recorded", crossed, recorded)
	}
	if err := s.g.Ready(); err == nil || !strings.Contains(err.Error(), "audit log") {
		t.Errorf("the node says %v", err)
	}
	c := s.dialAgain()
	if c != nil {
		t.Error("the node still listens")
	}
	s.cancel()
	s.cancel = nil
	if err := <-s.ended; err == nil {
		t.Error("the node ended as if nothing had been")
	}
}

// dialAgain is an error when nobody listens any more, as it should be.
func (s *small) dialAgain() error {
	conn, err := dialOnce(s.outside)
	if err != nil {
		return nil
	}
	defer conn.Close()
	return errStillThere
}

// badConfiguration: P15. A start is refused with the line that is wrong; a running node keeps what it has, says why, and
// goes on.
func badConfiguration(t *testing.T, _ *world) {
	s := newSmall(t, "")
	text, err := os.ReadFile(s.config)
	if err != nil {
		t.Fatal(err)
	}
	line := func(in, part string) int { return 1 + strings.Count(in[:strings.Index(in, part)], "\n") }
	for _, c := range []struct {
		name, old, new string
		at             string // what stands in the line that must be named
	}{
		{"unknown_key", "state = \"state\"\n", "state = \"state\"\nstaet = \"x\"\n", "staet"},
		{"unknown_table", "[log]\n", "[lgo]\n", "[lgo]"},
		{"duplicate_key", "state = \"state\"\n", "state = \"state\"\nstate = \"other\"\n", "state = \"other\""},
		{"duplicate_table", "[log]\n", "[node]\nname = \"x\"\n[log]\n", ""},
		{"wrong_type", "handshake-timeout = \"5s\"", "handshake-timeout = [1]", "handshake-timeout"},
		{"out_of_range", "handshake-timeout = \"5s\"", "handshake-timeout = \"1ms\"", "handshake-timeout"},
		{"include", "[log]\n", "include = \"sallyport.toml\"\n[log]\n", "include"},
		{"secret_in_clear", "state = \"state\"\n", "state = \"state\"\ndialback-secret = \"s3cr3t in clear\"\n", "dialback-secret"},
		{"no_syntax", "[log]\n", "[log\n", ""},
		{"10_MiB", "[log]\n", strings.Repeat("# filler\n", 10<<20/9) + "[log]\n", ""},
		{"world-readable_key", "", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			bad := strings.Replace(string(text), c.old, c.new, 1)
			if c.name == "world-readable_key" {
				key := filepath.Join(s.dir, "own.key")
				if err := os.Chmod(key, 0o644); err != nil {
					t.Fatal(err)
				}
				defer os.Chmod(key, 0o600)
			}
			if err := os.WriteFile(s.config, []byte(bad), 0o600); err != nil {
				t.Fatal(err)
			}
			defer os.WriteFile(s.config, text, 0o600)
			_, problems := config.Load(s.config)
			if !problems.Failed() {
				t.Fatal("accepted")
			}
			said := problems.Err().Error()
			if where := "sallyport.toml:"; !strings.Contains(said, where) {
				t.Errorf("no line is named: %s", said)
			}
			if c.at != "" {
				if want := "sallyport.toml:" + itoa(line(bad, c.at)); !strings.Contains(said, want) {
					t.Errorf("said %s, want %s", said, want)
				}
			}
			if strings.Contains(said, "s3cr3t") {
				t.Errorf("the secret is shown: %s", said)
			}
			seq := s.audit.read()
			s.reload <- struct{}{}
			if e := s.audit.await(t, seq, "refused reload", func(e *audit.Entry) bool { return e.Kind == audit.Reload }); e != nil && (e.Outcome != "refused" || e.Reason == "") {
				t.Errorf("recorded %s", show([]audit.Entry{*e}))
			}
			id := "after-" + c.name
			s.from.say(good(smallDomain, "b.example", id))
			s.b.await(t, id)
		})
	}
}
