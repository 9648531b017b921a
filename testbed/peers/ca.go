package peers

import (
	"os"
	"path/filepath"
	"time"

	"sallyport/internal/tlsid/tlsidtest"
)

// CA is the certificate authority of one test bed, with its files.
type CA struct {
	File string // PEM of the root

	dir  string
	root *tlsidtest.CA
}

// Pair names the files of a certificate and its key, and both in one (which ejabberd wants).
type Pair struct{ Cert, Key, Both string }

// NewCA makes an authority whose files live in dir.
func NewCA(dir string) (*CA, error) {
	root, err := tlsidtest.NewCA("testbed root")
	if err != nil {
		return nil, err
	}
	file, err := root.WritePEM(dir, "ca")
	return &CA{File: file, dir: dir, root: root}, err
}

// Issue makes a certificate for the given domains that is valid now.
func (c *CA) Issue(name string, domains ...string) (Pair, error) {
	return c.write(name)(c.root.Issue(names(domains)))
}

// IssueExpired makes one that ended yesterday.
func (c *CA) IssueExpired(name string, domains ...string) (Pair, error) {
	now := time.Now()
	o := names(domains)
	o.NotBefore, o.NotAfter = now.Add(-48*time.Hour), now.Add(-24*time.Hour)
	return c.write(name)(c.root.Issue(o))
}

// IssueSelfSigned makes one that no authority vouches for, so that only dialback can prove the domain.
func (c *CA) IssueSelfSigned(name string, domains ...string) (Pair, error) {
	return c.write(name)(tlsidtest.SelfSigned(names(domains)))
}

// names are dNSName and SRVName, never XmppAddr.
// COMPAT(ejabberd, 23.01): its stream process crashes (badarg in xmpp_stream_pkix:get_cert_domains) when a peer
// whose certificate has an XmppAddr asks for SASL EXTERNAL.
func names(domains []string) tlsidtest.Options {
	o := tlsidtest.Options{DNS: domains}
	for _, d := range domains {
		o.SRV = append(o.SRV, "_xmpp-server."+d)
	}
	return o
}

// write returns a function that writes what an Issue function gave.
func (c *CA) write(name string) func(*tlsidtest.Leaf, error) (Pair, error) {
	return func(leaf *tlsidtest.Leaf, err error) (Pair, error) {
		if err != nil {
			return Pair{}, err
		}
		p := Pair{Both: filepath.Join(c.dir, name+".both.pem")}
		if p.Cert, p.Key, err = leaf.WritePEM(c.dir, name); err != nil {
			return Pair{}, err
		}
		var both []byte
		for _, file := range []string{p.Cert, p.Key} {
			b, err := os.ReadFile(file)
			if err != nil {
				return Pair{}, err
			}
			both = append(both, b...)
		}
		return p, os.WriteFile(p.Both, both, 0o600)
	}
}
