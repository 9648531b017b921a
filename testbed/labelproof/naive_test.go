package labelproof_test

import (
	"encoding/xml"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// The second implementation. Sections are those of the Open XML SPIF 2.1 schema and of RFC 3281 / X.501 access decisions.

type naiveGroup struct {
	Set      string `xml:"tagSetRef,attr"`
	TagType  string `xml:"tagType,attr"`
	EnumType string `xml:"enumType,attr"`
	LACV     string `xml:"lacv,attr"`
	All      bool   `xml:"all,attr"`
}

type naiveRequired struct {
	Operation string       `xml:"operation,attr"`
	Groups    []naiveGroup `xml:"categoryGroup"`
}

type naiveClass struct {
	Name     string          `xml:"name,attr"`
	LACV     int             `xml:"lacv,attr"`
	Required []naiveRequired `xml:"requiredCategory"`
}

type naiveCategory struct {
	Name          string          `xml:"name,attr"`
	LACV          int             `xml:"lacv,attr"`
	RequiredClass string          `xml:"requiredClass,attr"`
	NotBefore     string          `xml:"notBefore,attr"`
	NotAfter      string          `xml:"notAfter,attr"`
	Excluded      []string        `xml:"excludedClass"`
	Required      []naiveRequired `xml:"requiredCategory"`
	Excludes      []naiveGroup    `xml:"excludedCategory"`
}

type naiveTag struct {
	TagType    string          `xml:"tagType,attr"`
	EnumType   string          `xml:"enumType,attr"`
	Encoding   string          `xml:"tag7Encoding,attr"`
	Single     bool            `xml:"singleSelection,attr"`
	Min        string          `xml:"minSelection,attr"`
	Max        string          `xml:"maxSelection,attr"`
	Categories []naiveCategory `xml:"tagCategory"`
}

type naiveSet struct {
	Name string     `xml:"name,attr"`
	ID   string     `xml:"id,attr"`
	Tags []naiveTag `xml:"securityCategoryTag"`
}

type naivePolicy struct {
	XMLName   xml.Name `xml:"SPIF"`
	NotBefore string   `xml:"notBefore,attr"`
	NotAfter  string   `xml:"notAfter,attr"`
	Identity  struct {
		ID string `xml:"id,attr"`
	} `xml:"securityPolicyId"`
	Classes []naiveClass `xml:"securityClassifications>securityClassification"`
	Sets    []naiveSet   `xml:"securityCategoryTagSets>securityCategoryTagSet"`
}

// naiveValue is one category value. Kind is tagType, enumType and tag7Encoding in one word.
type naiveValue struct {
	Set  string // OID
	Kind string
	LACV int
}

type naiveLabel struct {
	Class  int
	Values map[naiveValue]bool
}

type naiveClearance struct {
	Classes map[int]bool
	Values  map[naiveValue]bool
}

func readNaive(t testing.TB, text []byte) *naivePolicy {
	t.Helper()
	var p naivePolicy
	if err := xml.Unmarshal(text, &p); err != nil {
		t.Fatal(err)
	}
	return &p
}

func readNaiveFile(t testing.TB, path string) *naivePolicy {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return readNaive(t, b)
}

func (t *naiveTag) kind() string {
	switch t.TagType {
	case "enumerated":
		return "enumerated " + t.EnumType
	case "tagType7":
		return "informative " + t.Encoding
	}
	return t.TagType
}

func (t *naiveTag) values(s *naiveSet) []naiveValue {
	var out []naiveValue
	for _, c := range t.Categories {
		out = append(out, naiveValue{s.ID, t.kind(), c.LACV})
	}
	return out
}

// members lists the values a reference means.
func (p *naivePolicy) members(g naiveGroup) []naiveValue {
	var out []naiveValue
	for i := range p.Sets {
		s := &p.Sets[i]
		if s.Name != g.Set {
			continue
		}
		for j := range s.Tags {
			tag := &s.Tags[j]
			if tag.TagType != g.TagType || tag.TagType == "enumerated" && tag.EnumType != g.EnumType {
				continue
			}
			for _, v := range tag.values(s) {
				if g.All || g.LACV == "" || g.LACV == fmt.Sprint(v.LACV) {
					out = append(out, v)
				}
			}
		}
	}
	return out
}

func (p *naivePolicy) matches(g naiveGroup, values map[naiveValue]bool, except *naiveValue) bool {
	for _, v := range p.members(g) {
		if values[v] && (except == nil || v != *except) {
			return true
		}
	}
	return false
}

func (p *naivePolicy) fulfilled(all []naiveRequired, values map[naiveValue]bool) bool {
	for _, r := range all {
		hits := 0
		for _, g := range r.Groups {
			if p.matches(g, values, nil) {
				hits++
			}
		}
		switch r.Operation {
		case "onlyOne":
			if hits != 1 {
				return false
			}
		case "oneOrMore":
			if hits == 0 {
				return false
			}
		default:
			if hits != len(r.Groups) {
				return false
			}
		}
	}
	return true
}

func during(notBefore, notAfter string, at time.Time) bool {
	if notBefore != "" {
		if from, err := time.Parse(time.RFC3339, notBefore); err != nil || at.Before(from) {
			return false
		}
	}
	if notAfter != "" {
		if to, err := time.Parse(time.RFC3339, notAfter); err != nil || at.After(to) {
			return false
		}
	}
	return true
}

// valid says whether the label obeys the policy.
func (p *naivePolicy) valid(l naiveLabel, at time.Time) bool {
	if !during(p.NotBefore, p.NotAfter, at) {
		return false
	}
	class := ""
	for _, c := range p.Classes {
		if c.LACV == l.Class {
			class = c.Name
			if !p.fulfilled(c.Required, l.Values) {
				return false
			}
		}
	}
	for i := range p.Sets {
		for j := range p.Sets[i].Tags {
			if !p.validTag(&p.Sets[i], &p.Sets[i].Tags[j], l, class, at) {
				return false
			}
		}
	}
	return true
}

func (p *naivePolicy) validTag(s *naiveSet, tag *naiveTag, l naiveLabel, class string, at time.Time) bool {
	used := 0
	for i, v := range tag.values(s) {
		if !l.Values[v] {
			continue
		}
		used++
		c := &tag.Categories[i]
		for _, name := range c.Excluded {
			if strings.TrimSpace(name) == class {
				return false
			}
		}
		if c.RequiredClass != "" && c.RequiredClass != class {
			return false
		}
		for _, g := range c.Excludes {
			if p.matches(g, l.Values, &v) {
				return false
			}
		}
		if !p.fulfilled(c.Required, l.Values) || !during(c.NotBefore, c.NotAfter, at) {
			return false
		}
	}
	if used == 0 {
		return true
	}
	limit := func(s string) (n int, ok bool) {
		if s == "" || s == "unbounded" {
			return 0, false
		}
		_, err := fmt.Sscan(s, &n)
		return n, err == nil
	}
	if n, ok := limit(tag.Max); ok && used > n {
		return false
	}
	if n, ok := limit(tag.Min); ok && used < n {
		return false
	}
	return !tag.Single || used <= 1
}

// granted says whether the clearance covers the label.
func (p *naivePolicy) granted(l naiveLabel, c naiveClearance) bool {
	if !c.Classes[l.Class] {
		return false
	}
	for i := range p.Sets {
		s := &p.Sets[i]
		for j := range s.Tags {
			needed, met, missed := 0, 0, 0
			for _, v := range s.Tags[j].values(s) {
				if l.Values[v] {
					needed++
					if c.Values[v] {
						met++
					} else {
						missed++
					}
				}
			}
			switch kind := s.Tags[j].kind(); {
			case strings.HasSuffix(kind, "restrictive") && missed > 0:
				return false
			case strings.HasSuffix(kind, "permissive") && needed > 0 && met == 0:
				return false
			}
		}
	}
	return true
}
