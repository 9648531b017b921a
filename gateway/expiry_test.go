package gateway_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sallyport/gateway/prom"
	"sallyport/internal/tlsid/tlsidtest"
)

// TestCertificateThatEnds: status says so until the certificate was renewed and read again, and monitoring knows when.
func TestCertificateThatEnds(t *testing.T) {
	t.Parallel()
	begins := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) // of the bubble
	domains := []string{"a.example", "b.example", "c.example"}
	for _, tt := range []struct {
		name        string
		from, until time.Duration
		says        string
	}{
		{"soon", -time.Hour, 13 * 24 * time.Hour, "expires at 2000-01-14T00:00:00Z"},
		{"over", -2 * time.Hour, -time.Hour, "has expired at 1999-12-31T23:00:00Z"},
		{"not yet", time.Hour, 1000 * time.Hour, "is not good before 2000-01-01T01:00:00Z"},
		{"in a year", -time.Hour, 366 * 24 * time.Hour, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			leaf := tlsidtest.Must(testCA().Issue(tlsidtest.Options{DNS: domains, NotBefore: begins.Add(tt.from), NotAfter: begins.Add(tt.until)}))
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, leaf)
				n := newNode(t, s)
				said := strings.Join(n.status().Problems, "\n")
				if (said == "") != (tt.says == "") || !strings.Contains(said, tt.says) {
					t.Errorf("status says %q, want %q", said, tt.says)
				}
				at := 0.0
				n.Numbers(func(id prom.ID, value float64, _ ...string) {
					if id == prom.CertificateExpiry {
						at = value
					}
				})
				if want := float64(begins.Add(tt.until).Unix()); at != want {
					t.Errorf("monitoring says %v, want %v", at, want)
				}
				if _, _, err := memLeaf().WritePEM(s.dir, "own"); err != nil {
					t.Fatal(err)
				}
				n.reload()
				if said := n.status().Problems; len(said) > 0 {
					t.Errorf("renewed: %q", said)
				}
				if err := n.stop(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}
