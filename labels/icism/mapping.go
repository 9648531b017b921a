package icism

import (
	"fmt"
	"slices"
	"strings"

	"sallyport/internal/xmpp/xmlstream"
	"sallyport/labels"
)

// Namespaces of the attributes.
const (
	NS   = "urn:us:gov:ic:ism"
	NSv2 = "urn:us:gov:ic:ism:v2"
)

// Limits of one carrier element and of a mapping.
const (
	maxValue  = 4096 // bytes of one attribute
	maxTokens = 64   // words in one list
	maxValues = 4096 // entries of a mapping
)

// Wildcard as Token of a ValueMapping stands for every word that has no entry of its own.
const Wildcard = "*"

// Mapping says how an element with IC-ISM attributes is read as a label. The zero value reads nothing.
type Mapping struct {
	// XML namespace of the element that stands inside the label and has the attributes.
	Namespace string `toml:"namespace"`
	// Name of that element, such as `icismlabel`.
	Element string `toml:"element"`
	// Whether its attributes have no namespace, as in the illustration of XEP-0258. Attributes in the namespace of IC-ISM
	// are refused then, and without it those that have none.
	Plain bool `toml:"plain-attributes"`
	// Security policy that the labels are read under, by name or object identifier.
	Policy string `toml:"policy"`
	// Values of ownerProducer that are taken, such as `USA`, or `GBR USA` for both together; a label of anybody else is
	// refused. The first is what is written.
	Owners []string `toml:"owner-producers"`
	// Classification of the policy that each of `U`, `R`, `C`, `S` and `TS` stands for, such as `{ U = "PUBLIC" }`. One
	// that is not listed is refused.
	Classes map[string]string `toml:"classifications"`
	// What the words in the attributes that are lists stand for, one entry for each word. A word without an entry is
	// refused.
	Values []ValueMapping `toml:"value"`
}

// ValueMapping says what a word of a list stands for.
type ValueMapping struct {
	// Attribute with the list, such as `releasableTo` or `disseminationControls`.
	Attribute string `toml:"attribute"`
	// Word in it, such as `GBR`; `*` is every word of that attribute that has no entry of its own.
	Token string `toml:"token"`
	// Tag set of the policy, by name, that the value belongs to.
	TagSet string `toml:"tag-set"`
	// Kind of that value: restrictive, permissive or informative. Where nations are listed it has to be permissive.
	Type string `toml:"type"`
	// Name of the value in the policy; the word itself if left out.
	Name string `toml:"name"`
	// Passes the word over, since it means nothing under the policy; then nothing else is stated. It is refused all the
	// same where it is the last word of a list of nations, which would otherwise be open to all.
	Discard bool `toml:"discard"`
}

// Is says whether an element is the carrier of the mapping.
func (m *Mapping) Is(e *xmlstream.Element) bool {
	return m != nil && m.Element != "" && m.Namespace != "" && e.Is(m.Namespace, m.Element)
}

// Check returns what is wrong with a mapping, one sentence for each; none means that it can be used under these
// policies.
func (m *Mapping) Check(reg *labels.Registry) []string {
	var out []string
	say := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	if m.Namespace == "" || m.Element == "" {
		say("namespace and element: name the element that carries the attributes")
	}
	if len(m.Owners) == 0 {
		say("owner-producers: name at least one, such as \"USA\"")
	}
	for _, o := range m.Owners {
		if len(strings.Fields(o)) == 0 {
			say("owner-producers: an empty one")
		}
	}
	if len(m.Values) > maxValues {
		say("value: %d entries, at most %d", len(m.Values), maxValues)
	}
	p, err := m.policy(reg)
	if err != nil {
		return append(out, fmt.Sprintf("policy: %q is not loaded", m.Policy))
	}
	if len(m.Classes) == 0 {
		say("classifications: state at least one of %s", strings.Join(classTokens, ", "))
	}
	for token, name := range m.Classes {
		if !slices.Contains(classTokens, token) {
			say("classifications: %q is none of %s", token, strings.Join(classTokens, ", "))
		}
		if _, ok := p.ClassNamed(name); !ok {
			say("classifications: policy %s has no classification %q", p.Name(), name)
		}
	}
	slices.Sort(out)
	return append(out, m.checkValues(p)...)
}

func (m *Mapping) checkValues(p *labels.Policy) []string {
	var out []string
	seen := map[[2]string]bool{}
	for i, v := range m.Values[:min(len(m.Values), maxValues)] {
		where := fmt.Sprintf("value %d (%s %s)", i+1, v.Attribute, v.Token)
		key := [2]string{v.Attribute, v.Token}
		switch t, known := types[v.Type]; {
		case !slices.Contains(lists, v.Attribute):
			out = append(out, where+": attribute is none of "+strings.Join(lists, ", "))
		case v.Token == "" || strings.ContainsAny(v.Token, " \t\r\n"):
			out = append(out, where+": token is one word, or \""+Wildcard+"\"")
		case seen[key]:
			out = append(out, where+": the word has an entry already")
		case v.Discard && (v.TagSet != "" || v.Type != "" || v.Name != ""):
			out = append(out, where+": discarded, and yet it names a category")
		case v.Discard && v.Token == Wildcard:
			out = append(out, where+": words that nobody has named cannot be discarded")
		case v.Discard:
		case !known:
			out = append(out, where+": type is restrictive, permissive or informative")
		case isNations(v.Attribute) && t != labels.TypePermissive:
			out = append(out, where+": a list of nations permits; type must be permissive")
		case v.Token == Wildcard && v.Name != "":
			out = append(out, where+": every word cannot have one name")
		default:
			if set, err := p.TagSetNamed("", v.TagSet); err != nil {
				out = append(out, where+": "+words(err))
			} else if _, err := p.ValueNamed(set, t, v.name(v.Token)); err != nil && v.Token != Wildcard {
				out = append(out, where+": "+words(err))
			}
		}
		seen[key] = true
	}
	return out
}

func words(err error) string {
	if e, ok := err.(*labels.Error); ok {
		return e.Detail
	}
	return err.Error()
}

var types = map[string]labels.Type{
	"restrictive": labels.TypeRestrictive, "permissive": labels.TypePermissive, "informative": labels.TypeInformative,
}

func (v *ValueMapping) name(token string) string {
	if v.Name != "" {
		return v.Name
	}
	return token
}

// policy finds the policy by identifier, else by name.
func (m *Mapping) policy(reg *labels.Registry) (*labels.Policy, error) {
	if p, ok := reg.Policy(m.Policy); ok {
		return p, nil
	}
	if p, ok := reg.ByName(m.Policy); ok && m.Policy != "" {
		return p, nil
	}
	return nil, labels.Errorf(labels.CodePolicy, "policy %s of the IC-ISM mapping is not loaded", labels.Quote(m.Policy))
}

// entry returns what a word of a list stands for.
func (m *Mapping) entry(attribute, token string) *ValueMapping {
	var rest *ValueMapping
	for i := range m.Values {
		v := &m.Values[i]
		if v.Attribute != attribute {
			continue
		}
		switch v.Token {
		case token:
			return v
		case Wildcard:
			rest = v
		}
	}
	return rest
}

// value resolves an entry for a word.
func (v *ValueMapping) value(p *labels.Policy, token string) (labels.Value, error) {
	t, ok := types[v.Type]
	if !ok {
		return labels.Value{}, labels.Errorf(labels.CodeUnknown, "the IC-ISM mapping of %s says no type", labels.Quote(token))
	}
	set, err := p.TagSetNamed("", v.TagSet)
	if err != nil {
		return labels.Value{}, err
	}
	return p.ValueNamed(set, t, v.name(token))
}
