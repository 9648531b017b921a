package hostile_test

import (
	"bytes"
	"crypto/tls"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sallyport/internal/tlsid/tlsidtest"
)

// leaf2 is a certificate of the node's CA for these names.
func (w *world) leaf2(names ...string) *tls.Certificate { return w.leaf(tlsidtest.Options{DNS: names}) }

// secret notes something that must stand in no log (rule 7).
func (w *world) secret(s string) {
	w.secretsMu.Lock()
	defer w.secretsMu.Unlock()
	w.secrets = append(w.secrets, s)
}

// secretsKept is rule 7: neither the dialback secret nor a key made from it, ours or theirs, is logged or recorded.
func (w *world) secretsKept(t *testing.T) {
	t.Helper()
	own, err := os.ReadFile(filepath.Join(w.dir, "state", "dialback.secret"))
	if err != nil {
		t.Fatal(err)
	}
	all := append([]string{strings.TrimSpace(string(own)), goodKey, "bad-key"}, w.trap.madeKeys()...)
	w.secretsMu.Lock()
	all = append(all, w.secrets...)
	w.secretsMu.Unlock()
	log := w.log.since(0)
	for _, s := range all {
		if len(s) >= 6 && bytes.Contains(log, []byte(s)) {
			t.Errorf("the log has the secret %.8s...", s)
		}
	}
	for _, e := range w.audit.since(0) {
		for _, s := range all {
			if len(s) >= 6 && bytes.Contains(words(&e), []byte(s)) {
				t.Errorf("record %d has the secret %.8s...", e.Seq, s)
			}
		}
	}
}

func (s *station) madeKeys() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.keys...)
}
