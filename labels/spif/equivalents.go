package spif

import (
	"strings"

	"sallyport/labels"

	"github.com/beevik/etree"
)

// Equivalences with other policies (Open XML SPIF 2.1: equivalentPolicies, equivalentClassification,
// equivalentSecCategoryTag, equivalentSecurityCategoryTagSet). What a requiredCategory in them names stands in the
// other policy, so that only a registry that has both can check it.

func (r *reader) equivalentPolicies(e *etree.Element) []labels.EquivalentPolicySpec {
	r.attributes(e)
	var out []labels.EquivalentPolicySpec
	r.each(e, handlers{"equivalentPolicy": func(c *etree.Element) {
		a := r.attributes(c, "name", "id", "userRefURI", "docRefURI")
		s := labels.EquivalentPolicySpec{Name: name(a["name"]), ID: strings.TrimSpace(a["id"]), Line: r.doc.lines[c]}
		s.Required = r.requiredThere(c)
		out = append(out, s)
	}})
	return out
}

func (r *reader) equivalentClass(e *etree.Element) labels.EquivalentClassSpec {
	a := r.attributes(e, "policyRef", "lacv", "applied")
	return labels.EquivalentClassSpec{
		Policy: name(a["policyRef"]), LACV: r.lacv(e, a), Applied: r.applied(e, a), Required: r.requiredThere(e), Line: r.doc.lines[e],
	}
}

func (r *reader) equivalentCategory(e *etree.Element) labels.EquivalentCategorySpec {
	a := r.attributes(e, "policyRef", "tagSetId", "tagType", "enumType", "tag7Encoding", "lacv", "applied", "action")
	r.each(e, handlers{})
	s := labels.EquivalentCategorySpec{
		Policy: name(a["policyRef"]), TagSet: strings.TrimSpace(a["tagSetId"]), Kind: r.kind(e, a), Applied: r.applied(e, a),
		Line: r.doc.lines[e],
	}
	switch a["action"] {
	case "":
	case "discard":
		s.Discard = true
	default:
		r.problem(e, "action", "action %q is not known: only discard is", a["action"])
	}
	if !s.Discard || strings.TrimSpace(a["lacv"]) != "" {
		s.LACV = r.lacv(e, a) // COMPAT(tlp-plus.xml of the reference library): discard with an empty lacv
	}
	return s
}

func (r *reader) equivalentTagSet(e *etree.Element) labels.EquivalentTagSetSpec {
	a := r.attributes(e, "policyRef", "name", "id")
	return labels.EquivalentTagSetSpec{
		Policy: name(a["policyRef"]), Name: name(a["name"]), ID: strings.TrimSpace(a["id"]), Required: r.requiredThere(e),
		Line: r.doc.lines[e],
	}
}

// requiredThere reads the requirements that an equivalence has in the other policy.
func (r *reader) requiredThere(e *etree.Element) []labels.RequiredSpec {
	var out []labels.RequiredSpec
	r.each(e, handlers{"requiredCategory": func(c *etree.Element) { out = append(out, r.required(c)) }})
	return out
}

// applied reads the direction. One that is missing or not understood holds in none, and refuses the file.
func (r *reader) applied(e *etree.Element, a map[string]string) labels.Applied {
	switch a["applied"] {
	case "encrypt":
		return labels.AppliedEncrypt
	case "decrypt":
		return labels.AppliedDecrypt
	case "both":
		return labels.AppliedBoth
	}
	r.problem(e, "applied", "applied %q is none of encrypt, decrypt, both", a["applied"])
	return labels.NoApplied
}
