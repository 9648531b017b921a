package boundary_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sallyport/examples/boundary"
	"sallyport/gateway"
	"sallyport/gateway/config"
	"sallyport/internal/tlsid/tlsidtest"
	"sallyport/peering"
)

// installed is the example in a folder of its own, with the certificates it asks for.
func installed(t *testing.T, replace *strings.Replacer) string {
	t.Helper()
	dir := t.TempDir()
	if err := boundary.Write(dir, replace); err != nil {
		t.Fatal(err)
	}
	certs := filepath.Join(dir, "certs")
	if err := os.Mkdir(certs, 0o755); err != nil {
		t.Fatal(err)
	}
	ca := tlsidtest.Must(tlsidtest.NewCA("Example CA"))
	tlsidtest.Must(ca.WritePEM(certs, "ca"))
	leaf := tlsidtest.Must(ca.Issue(tlsidtest.Options{DNS: []string{"inside.example", "outside.example"}}))
	if _, _, err := leaf.WritePEM(certs, "gateway"); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestExampleIsAConfiguration(t *testing.T) {
	t.Parallel()
	dir := installed(t, nil)
	cfg, problems := config.Load(filepath.Join(dir, boundary.ConfigFile))
	if problems.Failed() {
		t.Fatalf("the example does not load: %v", problems)
	}
	for _, p := range problems {
		t.Logf("warning: %s", p)
	}
	policy, err := gateway.BuildPolicy(cfg)
	if err != nil {
		t.Fatalf("the example is no policy: %v", err)
	}
	if !policy.MayTalk("organisation", "partner") || !policy.MayTalk("partner", "organisation") {
		t.Error("the two peers of the example may not talk")
	}
	for _, name := range []string{"organisation", "partner"} {
		p := policy.Peer(name)
		if p == nil || p.Clearances.IsEmpty() {
			t.Fatalf("peer %s: %+v, want one with a clearance", name, p)
		}
	}
	if p := policy.Peer("partner"); p.Unlabelled != peering.UnlabelledDefault || p.DefaultLabel.String() == "" {
		t.Errorf("peer partner: unlabelled %v with default %v, want the default label", p.Unlabelled, p.DefaultLabel)
	}
}

// TestEveryFileOfTheFolderIsEmbedded: what a reader sees in the folder is what Write writes.
func TestEveryFileOfTheFolderIsEmbedded(t *testing.T) {
	t.Parallel()
	dir := installed(t, nil)
	err := filepath.WalkDir(".", func(name string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(name, ".go") {
			return err
		}
		want, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		got, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || string(got) != string(want) {
			t.Errorf("%s is not written as it stands in the folder: %v", name, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestWriteReplacesAddressesAndKeepsWhatIsThere(t *testing.T) {
	t.Parallel()
	dir := installed(t, strings.NewReplacer("127.0.0.10:5269", "127.0.0.10:49152"))
	path := filepath.Join(dir, boundary.ConfigFile)
	text, err := os.ReadFile(path)
	if err != nil || strings.Contains(string(text), "127.0.0.10:5269") || !strings.Contains(string(text), "127.0.0.10:49152") {
		t.Fatalf("the address was not replaced: %v", err)
	}
	if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := boundary.Write(dir, nil); err != nil {
		t.Fatal(err)
	}
	if text, err = os.ReadFile(path); err != nil || string(text) != "mine" {
		t.Errorf("a second Write changed the file: %q, %v", text, err)
	}
}
