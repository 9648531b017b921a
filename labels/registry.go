package labels

import "fmt"

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

// Replace returns a registry with p in place of the policy of its identifier, or added when there is none. What does
// not follow that policy is refused; see Policy.Follows.
func (r *Registry) Replace(p *Policy) (*Registry, error) {
	if p == nil {
		return nil, fmt.Errorf("nil policy")
	}
	old, replaces := r.Policy(p.id)
	if !replaces {
		return NewRegistry(append(r.Policies(), p)...)
	}
	if err := p.Follows(old.Edition()); err != nil {
		return nil, err
	}
	all := r.Policies()
	for i := range all {
		if all[i].id == p.id {
			all[i] = p
		}
	}
	return NewRegistry(all...)
}
