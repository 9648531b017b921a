package icism

import (
	"slices"
	"strings"

	"sallyport/internal/xmpp/xmlstream"
	"sallyport/labels"
)

var classWords = map[string]string{"U": "UNCLASSIFIED", "R": "RESTRICTED", "C": "CONFIDENTIAL", "S": "SECRET", "TS": "TOP SECRET"}

// Words that a banner writes in full. What is not here stands as it is.
var bannerWords = map[string]string{
	"RS": "RSEN", "OC": "ORCON", "OC-USGOV": "ORCON-USGOV", "IMC": "IMCON", "NF": "NOFORN", "PR": "PROPIN",
	"DSEN": "DEA SENSITIVE", "DS": "LIMDIS", "XD": "EXDIS", "ND": "NODIS", "SBU-NF": "SBU NOFORN", "LES-NF": "LES NOFORN",
}

// Banner returns the banner line of a carrier element, CLASS//SCI//SAR//AEA//FGI//DISSEM, such as
// "SECRET//REL TO USA, GBR". It is for people, and for markings of the USA alone: joint and foreign ones have banners
// of another form.
func Banner(e *xmlstream.Element, m *Mapping) (string, error) {
	if m == nil {
		return "", labels.Errorf(labels.CodeUnknown, "there is no IC-ISM mapping")
	}
	a, err := m.read(e)
	if err != nil {
		return "", err
	}
	if err := a.consistent(); err != nil {
		return "", err
	}
	if !slices.Equal(a[ownerProducer], []string{"USA"}) || len(a["nonUSControls"]) > 0 {
		return "", labels.Errorf(labels.CodeUnknown, "no banner is known for markings that are not of the USA alone")
	}
	groups := []string{classWords[a[classification][0]]}
	add := func(prefix string, tokens []string) {
		if len(tokens) > 0 {
			groups = append(groups, prefix+strings.Join(tokens, "/"))
		}
	}
	add("", a[sciControls])
	add("SAR-", a["SARIdentifier"])
	add("", a["atomicEnergyMarkings"])
	switch open := a["FGIsourceOpen"]; {
	case len(a["FGIsourceProtected"]) > 0 || slices.Contains(open, "UNKNOWN"):
		groups = append(groups, "FGI")
	case len(open) > 0:
		groups = append(groups, "FGI "+strings.Join(open, " "))
	}
	add("", a.disseminated())
	add("", inFull(a["nonICmarkings"]))
	return strings.Join(groups, "//"), nil
}

// disseminated are the words of the last group.
func (a attributes) disseminated() []string {
	var out []string
	for _, token := range a[dissemination] {
		switch token {
		case "REL":
			out = append(out, "REL TO "+strings.Join(a[releasableTo], ", "))
		case "DISPLAYONLY":
			out = append(out, "DISPLAY ONLY "+strings.Join(a[displayOnlyTo], ", "))
		default:
			out = append(out, inFull([]string{token})...)
		}
	}
	return out
}

func inFull(tokens []string) []string {
	out := make([]string, len(tokens))
	for i, token := range tokens {
		if out[i] = token; bannerWords[token] != "" {
			out[i] = bannerWords[token]
		}
	}
	return out
}
