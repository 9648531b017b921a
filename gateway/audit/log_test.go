package audit_test

import (
	"crypto/ed25519"
	"testing"

	"sallyport/gateway/audit"
	"sallyport/internal/disk/faulty"
)

func TestSmoke(t *testing.T) {
	fs := faulty.New()
	key := testKey()
	l, err := audit.Open(audit.Options{FS: fs, Node: "gw1", Key: key, SegmentBytes: 4096})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 100 {
		if seq, err := l.Append(&audit.Record{Kind: audit.Decision, From: "a@a.example", Serial: uint64(i)}, nil, 0); err != nil || seq != uint64(i+1) {
			t.Fatal(seq, err)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := audit.VerifyFS(fs, nil, testKey().Public().(ed25519.PublicKey))
	if err != nil || !r.OK() || r.Records != 100 {
		t.Fatalf("%+v %v", r, err)
	}
	t.Logf("%+v", r)
}

func testKey() ed25519.PrivateKey { return ed25519.NewKeyFromSeed(make([]byte, 32)) }
