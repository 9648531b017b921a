package spif

import (
	"strconv"
	"strings"
	"time"

	"sallyport/labels"

	"github.com/beevik/etree"
)

type handlers = map[string]func(*etree.Element)

// policy reads the root. It returns false where nothing inside can be relied on.
func (r *reader) policy(e *etree.Element) (labels.PolicySpec, bool) {
	s := labels.PolicySpec{Line: r.doc.lines[e]}
	if !r.root(e) {
		return s, false
	}
	a := r.attributes(e, "schemaVersion", "version", "creationDate", "originatorDN", "keyIdentifier", "privilegeId",
		"rbacId", "userRefURI", "docRefURI", "notBefore", "notAfter")
	s.Version = r.phrase(e, strings.TrimSpace(a["version"]))
	s.NotBefore, s.NotAfter = r.date(e, a, "notBefore"), r.date(e, a, "notAfter")
	s.About = labels.About{
		Schema: a["schemaVersion"], Created: r.phrase(e, a["creationDate"]), Originator: r.phrase(e, a["originatorDN"]),
		KeyID: r.phrase(e, a["keyIdentifier"]), Privilege: strings.TrimSpace(a["privilegeId"]), RBAC: strings.TrimSpace(a["rbacId"]),
		UserRef: r.phrase(e, a["userRefURI"]), DocRef: r.phrase(e, a["docRefURI"]),
	}
	ids := 0
	r.each(e, handlers{
		"securityPolicyId": func(c *etree.Element) {
			ids++
			b := r.attributes(c, "name", "id")
			s.Name, s.ID = name(b["name"]), strings.TrimSpace(b["id"])
			r.each(c, r.markings(&s.Markings, &s.Qualifiers, nil))
		},
		"defaultSecurityPolicyId": r.once(func(c *etree.Element) {
			b := r.attributes(c, "name", "id")
			s.About.Default = labels.PolicyRef{Name: r.phrase(c, name(b["name"])), ID: strings.TrimSpace(b["id"])}
			r.each(c, r.markings(new([]labels.MarkingSpec), new([]labels.QualifierSpec), nil))
		}),
		"securityClassifications": r.once(func(c *etree.Element) { r.classes(c, &s) }),
		"securityCategoryTagSets": r.once(func(c *etree.Element) { s.TagSets = r.tagSets(c) }),
		"privacyMarks":            r.once(func(c *etree.Element) { s.Privacy = r.privacyMarks(c) }),
		"equivalentPolicies":      r.once(func(c *etree.Element) { s.Equivalents = r.equivalentPolicies(c) }),
		"markingData":             func(c *etree.Element) { s.Markings = append(s.Markings, r.marking(c)) },
		"markingQualifier":        func(c *etree.Element) { s.Qualifiers = append(s.Qualifiers, r.qualifiers(c)...) },
		"updateInfo":              nil, // where to fetch the next version; nothing is ever fetched
		"extensions":              r.once(func(c *etree.Element) { s.About.Extensions = extensions(c) }),
	})
	if ids != 1 {
		r.problem(e, "policy-id", "%d securityPolicyId elements instead of one", ids)
	}
	return s, true
}

// root checks that the file is a SPIF that this package knows.
func (r *reader) root(e *etree.Element) bool {
	a, space := r.plain(e), e.NamespaceURI()
	if r.lenient && (space == "" || space == namespaceTypo) {
		r.warn(e, "namespace", "the file is in namespace %q and read as if it were in %q", space, namespace)
		r.space = space
	}
	switch v := strings.TrimSpace(a["schemaVersion"]); {
	case e.Tag != "SPIF":
		r.problem(e, "root", "the root element is %q, not SPIF: this is no policy file", e.FullTag())
	case space == "" || space == namespaceTypo:
		if space != r.space {
			r.problem(e, "root", "the file is in namespace %q, not %q: correct its xmlns, or read it leniently", space, namespace)
		}
	case space != namespace:
		r.problem(e, "root", "the file is in namespace %q, not %q", space, namespace)
	case v == "3" || strings.HasPrefix(v, "3."):
		r.problem(e, "schema-version", "schema version %s is not supported, because its rules differ: export the policy as 2.1", v)
	case v != "" && v != "1.0" && v != "2.0" && v != "2.1": // one demo policy has none
		r.problem(e, "schema-version", "schema version %s is not known (1.0, 2.0 and 2.1 are)", labels.Quote(v))
	}
	return !r.failed
}

// plain returns the attributes without namespace, none of them judged.
func (r *reader) plain(e *etree.Element) map[string]string {
	out := make(map[string]string, len(e.Attr))
	for _, a := range e.Attr {
		if a.Space == "" {
			out[a.Key] = a.Value
		}
	}
	return out
}

// maxExtensions bounds how many extensions are named.
const maxExtensions = 32

// extensions names what is in there: signatures, bindings, lists of members. None takes part in a decision.
func extensions(e *etree.Element) []string {
	var out []string
	for _, c := range e.ChildElements() {
		if len(out) < maxExtensions {
			out = append(out, "{"+c.NamespaceURI()+"}"+c.Tag)
		}
	}
	return out
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

func (r *reader) classes(e *etree.Element, s *labels.PolicySpec) {
	r.attributes(e, "name")
	r.each(e, r.markings(&s.ClassMarkings, &s.ClassQualifiers, handlers{
		"securityClassification": func(c *etree.Element) { s.Classes = append(s.Classes, r.class(c)) },
	}))
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

// kind reads tagType with enumType and tag7Encoding. An enumType beside another tagType contradicts it.
func (r *reader) kind(e *etree.Element, a map[string]string) labels.Kind {
	tag, enum, seven := a["tagType"], a["enumType"], a["tag7Encoding"]
	switch {
	case tag != "enumerated" && enum != "" || tag != "tagType7" && seven != "":
	case tag == "restrictive":
		return labels.Restrictive
	case tag == "permissive":
		return labels.Permissive
	case enum == "restrictive":
		return labels.EnumRestrictive
	case enum == "permissive":
		return labels.EnumPermissive
	case seven == "bitSetAttributes":
		return labels.InformativeBits
	case seven == "securityAttributes":
		return labels.InformativeEnum
	case tag == "tagType7" && seven == "" && e.Tag != "securityCategoryTag": // a reference does not say it: both
		return labels.InformativeBits
	}
	r.problem(e, "tag-type", "%s with tagType %q, enumType %q and tag7Encoding %q is not supported%s", e.Tag, tag, enum, seven, kindAdvice(tag))
	return labels.NoKind
}

func kindAdvice(tag string) string {
	switch tag {
	case "enumerated":
		return ": enumType must be restrictive or permissive, and stand alone"
	case "tagType7":
		return ": tag7Encoding must be bitSetAttributes or securityAttributes, and stand alone"
	case "notApplicable":
		return ": nobody says what such a tag decides"
	}
	return ": it is one of restrictive, permissive, enumerated, tagType7"
}

func (r *reader) category(e *etree.Element) labels.CategorySpec {
	a := r.attributes(e, "name", "lacv", "userInput", "dateFormat", "requiredClass", "obsolete", "notBefore", "notAfter")
	s := labels.CategorySpec{
		Name: name(a["name"]), LACV: r.lacv(e, a), Obsolete: r.boolean(e, a, "obsolete"), RequiredClass: name(a["requiredClass"]),
		NotBefore: r.date(e, a, "notBefore"), NotAfter: r.date(e, a, "notAfter"), Typed: a["userInput"] != "", Line: r.doc.lines[e],
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
	_, said := a["all"]
	all := r.boolean(e, a, "all")
	switch {
	case exact && all:
		r.problem(e, "group", "%s gives a lacv and all=\"true\": one value, or every value?", e.Tag)
	case !exact && said && !all:
		r.problem(e, "group", "%s gives neither a lacv nor all=\"true\": which value?", e.Tag)
	case exact:
		s.LACV = r.lacv(e, a)
	default:
		s.Any = true
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
