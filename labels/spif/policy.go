package spif

import (
	"strconv"
	"strings"
	"time"

	"sallyport/labels"

	"github.com/beevik/etree"
)

type handlers = map[string]func(*etree.Element)

func (r *reader) policy(e *etree.Element) labels.PolicySpec {
	s := labels.PolicySpec{Line: r.doc.lines[e]}
	if e.Tag != "SPIF" || e.NamespaceURI() != r.space {
		r.problem(e, "root", "the root element is {%s}%s, not {%s}SPIF", e.NamespaceURI(), e.Tag, namespace)
		return s
	}
	a := r.attributes(e, "schemaVersion", "version", "creationDate", "originatorDN", "keyIdentifier", "privilegeId",
		"rbacId", "userRefURI", "docRefURI", "notBefore", "notAfter")
	switch a["schemaVersion"] {
	case "", "1.0", "2.0", "2.1": // one demo policy has none
	default:
		r.problem(e, "schema-version", "schema version %q is not supported (1.0, 2.0 and 2.1 are)", a["schemaVersion"])
	}
	s.Version = a["version"]
	s.NotBefore, s.NotAfter = r.date(e, a, "notBefore"), r.date(e, a, "notAfter")
	ids := 0
	r.each(e, handlers{
		"securityPolicyId": func(c *etree.Element) {
			ids++
			b := r.attributes(c, "name", "id")
			s.Name, s.ID = b["name"], b["id"]
			r.each(c, r.markings(&s.Markings, &s.Qualifiers, nil))
		},
		"securityClassifications": func(c *etree.Element) { s.Classes = append(s.Classes, r.classes(c)...) },
		"securityCategoryTagSets": func(c *etree.Element) { s.TagSets = append(s.TagSets, r.tagSets(c)...) },
		"privacyMarks":            func(c *etree.Element) { s.Privacy = r.privacyMarks(c) },
		"markingData":             func(c *etree.Element) { s.Markings = append(s.Markings, r.marking(c)) },
		"markingQualifier":        func(c *etree.Element) { s.Qualifiers = append(s.Qualifiers, r.qualifiers(c)...) },
		"defaultSecurityPolicyId": nil, // its effect is configuration: the schema cannot say which class it maps to
		"updateInfo":              nil,
		"equivalentPolicies":      func(c *etree.Element) { s.Equivalents = append(s.Equivalents, r.equivalentPolicies(c)...) },
		"extensions":              nil,
	})
	if ids != 1 {
		r.problem(e, "policy-id", "%d securityPolicyId elements instead of one", ids)
	}
	return s
}

// markings adds the handlers of marking elements to those given.
func (r *reader) markings(ms *[]labels.MarkingSpec, qs *[]labels.QualifierSpec, h handlers) handlers {
	if h == nil {
		h = handlers{}
	}
	h["markingData"] = func(c *etree.Element) { *ms = append(*ms, r.marking(c)) }
	h["markingQualifier"] = func(c *etree.Element) { *qs = append(*qs, r.qualifiers(c)...) }
	return h
}

func (r *reader) classes(e *etree.Element) []labels.ClassSpec {
	r.attributes(e, "name")
	var out []labels.ClassSpec
	var ms []labels.MarkingSpec
	var qs []labels.QualifierSpec
	r.each(e, r.markings(&ms, &qs, handlers{
		"securityClassification": func(c *etree.Element) { out = append(out, r.class(c)) },
	}))
	return out
}

func (r *reader) class(e *etree.Element) labels.ClassSpec {
	a := r.attributes(e, "name", "lacv", "hierarchy", "color", "obsolete")
	s := labels.ClassSpec{
		Name: name(a["name"]), Color: a["color"], LACV: r.lacv(e, a), Obsolete: r.boolean(e, a, "obsolete"), Line: r.doc.lines[e],
	}
	rank, err := strconv.Atoi(strings.TrimSpace(a["hierarchy"]))
	if err != nil {
		r.problem(e, "class-hierarchy", "classification %q: hierarchy %q is not an integer", s.Name, a["hierarchy"])
	}
	s.Hierarchy = rank
	r.each(e, r.markings(&s.Markings, &s.Qualifiers, handlers{
		"equivalentClassification": func(c *etree.Element) { s.Equivalents = append(s.Equivalents, r.equivalentClass(c)) },
		"requiredCategory":         func(c *etree.Element) { s.Required = append(s.Required, r.required(c)) },
	}))
	return s
}

func (r *reader) tagSets(e *etree.Element) []labels.TagSetSpec {
	r.attributes(e)
	var out []labels.TagSetSpec
	r.each(e, handlers{"securityCategoryTagSet": func(c *etree.Element) {
		a := r.attributes(c, "name", "id")
		s := labels.TagSetSpec{Name: name(a["name"]), ID: strings.TrimSpace(a["id"]), Line: r.doc.lines[c]}
		r.each(c, handlers{
			"securityCategoryTag":              func(t *etree.Element) { s.Tags = append(s.Tags, r.tag(t)) },
			"equivalentSecurityCategoryTagSet": func(t *etree.Element) { s.Equivalents = append(s.Equivalents, r.equivalentTagSet(t)) },
		})
		out = append(out, s)
	}})
	return out
}

func (r *reader) tag(e *etree.Element) labels.TagSpec {
	a := r.attributes(e, "name", "tagType", "enumType", "tag7Encoding", "singleSelection", "minSelection", "maxSelection")
	s := labels.TagSpec{
		Name: name(a["name"]), Kind: r.kind(e, a), Single: r.boolean(e, a, "singleSelection"),
		Min: r.selection(e, a, "minSelection"), Max: r.selection(e, a, "maxSelection"), Line: r.doc.lines[e],
	}
	r.each(e, handlers{
		"tagCategory":      func(c *etree.Element) { s.Categories = append(s.Categories, r.category(c)) },
		"markingQualifier": func(c *etree.Element) { s.Qualifiers = append(s.Qualifiers, r.qualifiers(c)...) },
	})
	return s
}

// kind reads tagType with enumType and tag7Encoding.
func (r *reader) kind(e *etree.Element, a map[string]string) labels.Kind {
	switch a["tagType"] {
	case "restrictive":
		return labels.Restrictive
	case "permissive":
		return labels.Permissive
	case "enumerated":
		switch a["enumType"] {
		case "restrictive":
			return labels.EnumRestrictive
		case "permissive":
			return labels.EnumPermissive
		}
	case "tagType7":
		switch a["tag7Encoding"] {
		case "bitSetAttributes":
			return labels.InformativeBits
		case "securityAttributes":
			return labels.InformativeEnum
		case "": // a categoryGroup does not say it: both
			if e.Tag != "securityCategoryTag" {
				return labels.InformativeBits
			}
		}
	}
	r.problem(e, "tag-type", "tag type %q (enumType %q, tag7Encoding %q) is not supported", a["tagType"], a["enumType"], a["tag7Encoding"])
	return labels.NoKind
}

func (r *reader) category(e *etree.Element) labels.CategorySpec {
	a := r.attributes(e, "name", "lacv", "userInput", "dateFormat", "requiredClass", "obsolete", "notBefore", "notAfter")
	s := labels.CategorySpec{
		Name: name(a["name"]), LACV: r.lacv(e, a), Obsolete: r.boolean(e, a, "obsolete"), RequiredClass: name(a["requiredClass"]),
		NotBefore: r.date(e, a, "notBefore"), NotAfter: r.date(e, a, "notAfter"), Line: r.doc.lines[e],
	}
	if a["userInput"] != "" {
		r.warn(e, "user-input", "category %q: values typed by users are not supported; only the name itself is read", s.Name)
	}
	r.each(e, r.markings(&s.Markings, &s.Qualifiers, handlers{
		"equivalentSecCategoryTag": func(c *etree.Element) { s.Equivalents = append(s.Equivalents, r.equivalentCategory(c)) },
		"excludedClass": func(c *etree.Element) {
			r.attributes(c)
			s.ExcludedClasses = append(s.ExcludedClasses, name(r.text(c)))
		},
		"requiredCategory": func(c *etree.Element) { s.Required = append(s.Required, r.required(c)) },
		"excludedCategory": func(c *etree.Element) { s.Excluded = append(s.Excluded, r.group(c)) },
	}))
	return s
}

func (r *reader) required(e *etree.Element) labels.RequiredSpec {
	a := r.attributes(e, "operation")
	s := labels.RequiredSpec{Line: r.doc.lines[e]}
	switch a["operation"] {
	case "all":
	case "oneOrMore":
		s.Operation = labels.OneOrMore
	case "onlyOne":
		s.Operation = labels.OnlyOne
	case "":
		r.warn(e, "operation", "requiredCategory without operation is read as all")
	default:
		r.problem(e, "operation", "operation %q is none of onlyOne, oneOrMore, all", a["operation"])
	}
	r.each(e, handlers{"categoryGroup": func(c *etree.Element) { s.Groups = append(s.Groups, r.group(c)) }})
	return s
}

func (r *reader) group(e *etree.Element) labels.GroupSpec {
	a := r.attributes(e, "tagSetRef", "tagType", "enumType", "tag7Encoding", "lacv", "all")
	r.each(e, handlers{})
	s := labels.GroupSpec{TagSet: name(a["tagSetRef"]), Kind: r.kind(e, a), Line: r.doc.lines[e]}
	_, exact := a["lacv"]
	s.Any = r.boolean(e, a, "all") || !exact
	if exact {
		s.LACV = r.lacv(e, a)
	}
	return s
}

func (r *reader) privacyMarks(e *etree.Element) labels.PrivacySpec {
	a := r.attributes(e, "minSelection", "maxSelection")
	s := labels.PrivacySpec{Min: r.selection(e, a, "minSelection"), Max: r.selection(e, a, "maxSelection")}
	r.each(e, r.markings(&s.Markings, &s.Qualifiers, handlers{"privacyMark": func(c *etree.Element) {
		b := r.attributes(c, "name", "obsolete")
		m := labels.PrivacyMarkSpec{Name: name(b["name"]), Obsolete: r.boolean(c, b, "obsolete"), Line: r.doc.lines[c]}
		r.each(c, r.markings(&m.Markings, &m.Qualifiers, nil))
		s.Marks = append(s.Marks, m)
	}}))
	return s
}

// date reads an xs:dateTime. One without zone is taken as UTC.
func (r *reader) date(e *etree.Element, a map[string]string, key string) time.Time {
	s := strings.TrimSpace(a[key])
	if s == "" {
		return time.Time{}
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t
		}
	}
	r.problem(e, "date", "%s %q is not a date and time", key, s)
	return time.Time{}
}
