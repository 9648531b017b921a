package labels

import (
	"fmt"
	"math/big"
)

// maxVersion bounds the digits of a version.
const maxVersion = 64

// Registry is an immutable set of policies.
type Registry struct {
	policies []*Policy
	byID     map[string]*Policy
}

// NewRegistry collects policies. Two with one OID, or with names that differ only by case, are an error: neither
// could be told from the other.
func NewRegistry(ps ...*Policy) (*Registry, error) {
	r := &Registry{byID: make(map[string]*Policy, len(ps))}
	for _, p := range ps {
		if p == nil {
			return nil, fmt.Errorf("nil policy")
		}
		if o := r.byID[p.id]; o != nil {
			return nil, fmt.Errorf("policies %q and %q have the same identifier %s", o.name, p.name, p.id)
		}
		if o, twice := r.ByName(p.name); twice {
			return nil, fmt.Errorf("policies %s and %s have the same name %q", o.id, p.id, p.name)
		}
		r.policies = append(r.policies, p)
		r.byID[p.id] = p
	}
	return r, nil
}

// Policy returns the policy with that OID.
func (r *Registry) Policy(oid string) (*Policy, bool) {
	if r == nil {
		return nil, false
	}
	p, ok := r.byID[oid]
	return p, ok
}

// ByName returns the policy with that name (exact, else by case folding).
func (r *Registry) ByName(name string) (*Policy, bool) {
	if r == nil {
		return nil, false
	}
	i := findName(len(r.policies), func(i int) string { return r.policies[i].name }, name)
	if i < 0 {
		return nil, false
	}
	return r.policies[i], true
}

// Policies returns all policies in the order given.
func (r *Registry) Policies() []*Policy {
	if r == nil {
		return nil
	}
	return append([]*Policy(nil), r.policies...)
}

// Label resolves a label under the policy it names.
func (r *Registry) Label(f LabelForm) (*Label, error) {
	p, ok := r.Policy(f.Policy)
	if !ok {
		return nil, Errorf(CodePolicy, "policy %s is not loaded", Quote(f.Policy))
	}
	return p.Label(f)
}

// Clearance resolves a clearance under the policy it names.
func (r *Registry) Clearance(f ClearanceForm) (*Clearance, error) {
	p, ok := r.Policy(f.Policy)
	if !ok {
		return nil, Errorf(CodePolicy, "policy %s is not loaded", Quote(f.Policy))
	}
	return p.Clearance(f)
}

// Replace returns a registry with p in place of the policy of its identifier, or added when there is none. A policy
// with a lower version is refused, and one with the same version and other content: both would be a step back, or a
// change that nobody announced (Open XML SPIF 2.1, version; ours).
func (r *Registry) Replace(p *Policy) (*Registry, error) {
	if p == nil {
		return nil, fmt.Errorf("nil policy")
	}
	old, replaces := r.Policy(p.id)
	if !replaces {
		return NewRegistry(append(r.Policies(), p)...)
	}
	switch order, err := compareVersions(p.version, old.version); {
	case p.digest == old.digest:
	case err != nil:
		return nil, fmt.Errorf("policy %s: %w", p.name, err)
	case order < 0:
		return nil, fmt.Errorf("policy %s: version %s is lower than the version %s in use", p.name, p.versionWords(), old.versionWords())
	case order == 0:
		return nil, fmt.Errorf("policy %s: version %s is in use with other content; a change needs a higher version", p.name, p.versionWords())
	}
	all := r.Policies()
	for i := range all {
		if all[i].id == p.id {
			all[i] = p
		}
	}
	return NewRegistry(all...)
}

// versionWords returns the version; one that is not stated is 1 by the schema.
func (p *Policy) versionWords() string {
	if p.version == "" {
		return "1"
	}
	return p.version
}

// compareVersions compares xs:integer values of any size.
func compareVersions(a, b string) (int, error) {
	var n [2]big.Int
	for i, s := range []string{a, b} {
		if s == "" {
			s = "1"
		}
		if _, ok := n[i].SetString(s, 10); !ok || len(s) > maxVersion {
			return 0, fmt.Errorf("version %s is not an integer, so that it cannot be told which is newer", Quote(s))
		}
	}
	return n[0].Cmp(&n[1]), nil
}
