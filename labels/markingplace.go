package labels

import "strings"

// Place is where a marking stands (Open XML SPIF 2.1, markingData/code). The zero value is the display marking of
// XEP-0258.
type Place uint8

const (
	PageBottom Place = iota
	PageTop
	DocumentStart
	DocumentEnd
	FirstLineOfText
	LastLineOfText
	Subject
	XHeader
	Portion
	WaterMark
	InputTitle
)

var placeNames = [...]string{
	PageBottom: "pageBottom", PageTop: "pageTop", DocumentStart: "documentStart", DocumentEnd: "documentEnd",
	FirstLineOfText: "firstLineOfText", LastLineOfText: "lastLineOfText", Subject: "subject", XHeader: "xHeader",
	Portion: "portionMarking", WaterMark: "waterMark", InputTitle: "inputTitle",
}

// placeCodes are the names in the one case that entries have theirs in.
var placeCodes = [...]string{
	PageBottom: "pagebottom", PageTop: "pagetop", DocumentStart: "documentstart", DocumentEnd: "documentend",
	FirstLineOfText: "firstlineoftext", LastLineOfText: "lastlineoftext", Subject: "subject", XHeader: "xheader",
	Portion: "portionmarking", WaterMark: "watermark", InputTitle: "inputtitle",
}

// codeBothPages stands for the top and the bottom of a page.
const codeBothPages = "pagetopbottom"

// String returns the word of the SPIF.
func (p Place) String() string {
	if int(p) < len(placeNames) {
		return placeNames[p]
	}
	return "unknown"
}

// ParsePlace is the inverse of String, in any case: the NATO documents spell some places differently. Hyphens are read
// over, and "portion" is enough for a portion marking.
func ParsePlace(s string) (Place, bool) {
	s = strings.ToLower(strings.ReplaceAll(s, "-", ""))
	for i, code := range placeCodes {
		if code == s {
			return Place(i), true
		}
	}
	if s == "portion" {
		return Portion, true
	}
	return PageBottom, false
}

// code returns the word of entries, "" for a place that does not exist.
func (p Place) code() string {
	if int(p) < len(placeCodes) {
		return placeCodes[p]
	}
	return ""
}

// isPage says whether a code is for the top or bottom of a page.
func isPage(code string) bool {
	return code == codeBothPages || code == placeCodes[PageBottom] || code == placeCodes[PageTop]
}

// covers says whether an entry with that code is for the place.
func covers(code, place string) bool {
	return code == place || code == codeBothPages && isPage(place)
}

// isModifier says whether a marking code is not a place (the NATO documents spell one of them with one p). A code that
// nobody knows is taken as a place: its entry is for somewhere else.
func isModifier(code string) bool {
	switch code {
	case codeReplacePolicy, codeNoName, codeNoMarking, codeSuppressClass, codeSuppressClass1:
		return true
	}
	return false
}

// hasPlace says whether anything in the policy is meant for the place.
func (p *Policy) hasPlace(place string) bool {
	if mentions(p.markings, p.qualifiers, place) {
		return true
	}
	for i := range p.classes {
		if mentions(p.classes[i].Markings, p.classes[i].Qualifiers, place) {
			return true
		}
	}
	for i := range p.tags {
		if mentions(nil, p.tags[i].Qualifiers, place) {
			return true
		}
	}
	for i := range p.cats {
		if mentions(p.cats[i].Markings, p.cats[i].Qualifiers, place) {
			return true
		}
	}
	return false
}

func mentions(ms []MarkingSpec, qs []QualifierSpec, place string) bool {
	for i := range ms {
		for _, c := range ms[i].Codes {
			if c == place {
				return true
			}
		}
	}
	for i := range qs {
		if qs[i].Code == place {
			return true
		}
	}
	return false
}
