package labels

import (
	"fmt"
	"math/big"
)

// maxVersion bounds the digits of a version.
const maxVersion = 64

// Edition is what has to be kept of a policy to tell later whether another file is its successor.
type Edition struct {
	ID, Name string
	Version  string // as stated; "" is 1 by the schema
	Digest   [32]byte
}

// Edition returns what Follows compares.
func (p *Policy) Edition() Edition {
	if p == nil {
		return Edition{}
	}
	return Edition{ID: p.id, Name: p.name, Version: p.version, Digest: p.digest}
}

// Follows is nil when p may take the place of an edition of the same policy: it is the same, or its version is higher.
// A lower version is a step back, and other content under the same version a change that nobody announced; the error
// says which (Open XML SPIF 2.1, version; ours).
func (p *Policy) Follows(e Edition) error {
	if p == nil || p.id != e.ID {
		return fmt.Errorf("another policy than %s", e.Name)
	}
	order, err := compareVersions(p.version, e.Version)
	switch {
	case p.digest == e.Digest:
	case err != nil:
		return fmt.Errorf("policy %s: %w", p.name, err)
	case order < 0:
		return fmt.Errorf("policy %s: version %s is lower than version %s, which has been in use", p.name, versionWords(p.version), versionWords(e.Version))
	case order == 0:
		return fmt.Errorf("policy %s: version %s has been in use with other content", p.name, versionWords(p.version))
	}
	return nil
}

// versionWords returns a version; one that is not stated is 1 by the schema.
func versionWords(v string) string {
	if v == "" {
		return "1"
	}
	return v
}

// compareVersions compares xs:integer values of any size.
func compareVersions(a, b string) (int, error) {
	var n [2]big.Int
	for i, s := range []string{a, b} {
		s = versionWords(s)
		if _, ok := n[i].SetString(s, 10); !ok || len(s) > maxVersion {
			return 0, fmt.Errorf("version %s is not an integer, so that it cannot be told which is newer", Quote(s))
		}
	}
	return n[0].Cmp(&n[1]), nil
}
