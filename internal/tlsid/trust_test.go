package tlsid_test

import (
	"crypto/x509"
	"os"
	"path/filepath"
	"testing"
	"time"

	"sallyport/internal/tlsid"
	"sallyport/internal/tlsid/tlsidtest"
)

func write(t *testing.T, name string, data []byte, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, mode); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestRevocation(t *testing.T) {
	now := time.Now()
	root := must.ca(tlsidtest.NewCA("root"))
	impostor := must.ca(tlsidtest.NewCA("root")) // same name, other key
	leaf := must.leaf(root.Issue(tlsidtest.Options{DNS: []string{"b.example"}}))
	anchors := write(t, "root.pem", root.PEM(), 0o644)
	fresh, stale := now.Add(time.Hour), now.Add(-time.Minute)
	rows := []struct {
		name    string
		signer  *tlsidtest.CA
		next    time.Time
		revoked []*x509.Certificate
		hard    tlsid.Revocation
		want    tlsid.Reason
		clear   bool
	}{
		{"fresh and clear, hard", root, fresh, nil, tlsid.RevocationHard, tlsid.OK, true},
		{"fresh and listed, soft", root, fresh, []*x509.Certificate{leaf.Cert}, tlsid.RevocationSoft, tlsid.Revoked, false},
		{"stale and listed, soft", root, stale, []*x509.Certificate{leaf.Cert}, tlsid.RevocationSoft, tlsid.Revoked, false},
		{"stale, hard", root, stale, nil, tlsid.RevocationHard, tlsid.RevocationUnknown, false},
		{"stale, soft", root, stale, nil, tlsid.RevocationSoft, tlsid.OK, false},
		{"of an impostor, hard", impostor, fresh, nil, tlsid.RevocationHard, tlsid.RevocationUnknown, false},
		{"of an impostor, listed, soft", impostor, fresh, []*x509.Certificate{leaf.Cert}, tlsid.RevocationSoft, tlsid.OK, false},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			crl, err := row.signer.CRL(now.Add(-time.Hour), row.next, row.revoked...)
			if err != nil {
				t.Fatal(err)
			}
			trust, err := tlsid.LoadTrust(tlsid.TrustSpec{
				AnchorFiles: []string{anchors},
				CRLFiles:    []string{write(t, "crl.pem", crl, 0o644)}, Revocation: row.hard,
			})
			if err != nil {
				t.Fatal(err)
			}
			policy := tlsid.Policy{Trust: trust}
			v := policy.Verify(presented(leaf), now)
			if v.Reason != row.want || v.Unrevoked != row.clear {
				t.Errorf("%v unrevoked=%v, want %v %v", v.Reason, v.Unrevoked, row.want, row.clear)
			}
		})
	}
}

func TestLoadTrustReportsEverything(t *testing.T) {
	_, err := tlsid.LoadTrust(tlsid.TrustSpec{
		AnchorFiles: []string{"/nowhere/a.pem", write(t, "empty.pem", nil, 0o644)},
		CRLFiles:    []string{write(t, "crl.pem", []byte("not a list"), 0o644)},
	})
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok || len(joined.Unwrap()) != 3 {
		t.Errorf("want three problems, got %v", err)
	}
}

func TestStoreReload(t *testing.T) {
	dir := t.TempDir()
	root := must.ca(tlsidtest.NewCA("root"))
	first := must.leaf(root.Issue(tlsidtest.Options{DNS: []string{"a.example"}}))
	certFile, keyFile, err := first.WritePEM(dir, "a")
	if err != nil {
		t.Fatal(err)
	}
	caFile, err := root.WritePEM(dir, "ca")
	if err != nil {
		t.Fatal(err)
	}
	store, err := tlsid.OpenStore(tlsid.StoreSpec{
		Keys:  []tlsid.KeyPair{{CertFile: certFile, KeyFile: keyFile}},
		Trust: map[string]tlsid.TrustSpec{"peers": {AnchorFiles: []string{caFile}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	before := store.Keys()
	if store.Trust("peers") == nil || store.Trust("other") != nil {
		t.Error("trust by name")
	}
	second := must.leaf(root.Issue(tlsidtest.Options{DNS: []string{"a.example"}}))
	if _, _, err := second.WritePEM(dir, "a"); err != nil {
		t.Fatal(err)
	}
	if err := store.Reload(); err != nil {
		t.Fatal(err)
	}
	if !store.Keys().For("a.example").Leaf.Equal(second.Cert) || !before.For("a.example").Leaf.Equal(first.Cert) {
		t.Error("reload must give the new certificate to newcomers and leave the old value alone")
	}
	if err := os.Chmod(keyFile, 0o644); err != nil { // P15
		t.Fatal(err)
	}
	if err := store.Reload(); err == nil {
		t.Error("a key that others can read was taken")
	}
	if !store.Keys().For("a.example").Leaf.Equal(second.Cert) {
		t.Error("a failed reload changed what runs")
	}
}

func TestKeysChooseByDomain(t *testing.T) {
	dir := t.TempDir()
	root := must.ca(tlsidtest.NewCA("root"))
	pair := func(name string, o tlsidtest.Options) tlsid.KeyPair {
		c, k, err := must.leaf(root.Issue(o)).WritePEM(dir, name)
		if err != nil {
			t.Fatal(err)
		}
		return tlsid.KeyPair{CertFile: c, KeyFile: k}
	}
	explicit := pair("explicit", tlsidtest.Options{DNS: []string{"x.example"}})
	explicit.Domains = []string{"special.example"}
	fallback := pair("fallback", tlsidtest.Options{DNS: []string{"f.example"}})
	fallback.Default = true
	keys, err := tlsid.LoadKeys([]tlsid.KeyPair{
		pair("a", tlsidtest.Options{DNS: []string{"a.example"}}), pair("b", tlsidtest.Options{XMPP: []string{"bücher.example"}}),
		pair("w", tlsidtest.Options{DNS: []string{"*.w.example"}}), explicit, fallback,
	})
	if err != nil {
		t.Fatal(err)
	}
	for domain, file := range map[string]string{
		"a.example": "a", "bücher.example": "b", "q.w.example": "w",
		"special.example": "explicit", "nobody.example": "fallback", "": "fallback",
	} {
		got := keys.For(domain)
		for _, f := range keys.Facts() {
			if filepath.Base(f.File) == file+".pem" && !f.NotAfter.Equal(got.Leaf.NotAfter) {
				t.Errorf("%q: not %s", domain, file)
			}
			if filepath.Base(f.File) == file+".pem" && f.Names.Len() > 0 {
				own, _ := tlsid.ParseNames(got.Leaf)
				if own.Len() != f.Names.Len() || own.Match(domain) != f.Names.Match(domain) {
					t.Errorf("%q got the certificate of %v, want %s", domain, own, file)
				}
			}
		}
	}
	if c := (&tlsid.Keys{}).For("a.example"); c != nil {
		t.Error("keys out of nothing")
	}
}
