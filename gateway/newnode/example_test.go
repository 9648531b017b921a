package newnode_test

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"sallyport/gateway/newnode"
)

var update = flag.Bool("update", false, "write the example anew")

// The example for servers is what init makes, but for certificates and what is drawn.
func TestExample(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_, err := newnode.Write(dir, newnode.Plan{
		Node: "chat1", Domains: []string{"chat.example"}, Side: "inside", Listen: []string{"0.0.0.0:5222"}, ListenDirect: []string{"0.0.0.0:5223"},
		Outside: &newnode.Outside{
			Domains: []string{"partner.example"}, Route: []string{"xmpp.partner.example:5269"}, Resolver: []string{"192.0.2.53:53"}, Listen: []string{"0.0.0.0:5269"},
			Trust: []string{"certs/ca.pem"},
		},
		Now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(dir, "certs")); err != nil {
		t.Fatal(err)
	}
	drawn := regexp.MustCompile(`2\.999\.\d+\.\d+`)
	for path, text := range texts(t, dir) {
		name, err := filepath.Rel(dir, path)
		if err != nil {
			t.Fatal(err)
		}
		text = drawn.ReplaceAllString(text, "2.999.7.1")
		there := filepath.Join("../../examples/server", name)
		if *update {
			if err := os.MkdirAll(filepath.Dir(there), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(there, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if b, err := os.ReadFile(there); err != nil || string(b) != text {
			t.Errorf("%s is not what init makes (%v); go test ./gateway/newnode -update", there, err)
		}
	}
}
