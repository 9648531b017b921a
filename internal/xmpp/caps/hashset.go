package caps

import (
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strings"

	"sallyport/internal/xmpp/xmlstream"
)

// Separators of XEP-0390 §4.1. They cannot stand in XML 1.0, so that its text has one reading.
const (
	endPart = "\x1f"
	endItem = "\x1e"
	endForm = "\x1d"
	endList = "\x1c"
)

// Hash returns the capability hash under sha-256, in base64 (XEP-0390 §4.1). ErrUncovered for what has no hash.
func Hash(info *xmlstream.Element) (string, error) {
	if info == nil || info.Name() != infoName {
		return "", ErrUncovered
	}
	var features, identities, forms []string
	for e := range info.Children() {
		switch {
		case e.Is(info.Space(), "feature"):
			v, _ := e.Attr("var")
			features = append(features, v+endPart)
		case e.Is(info.Space(), "identity"):
			id := identity(e)
			identities = append(identities, strings.Join(id[:], endPart)+endPart+endItem)
		case e.Is(nsForm, "x"):
			f, err := readForm(e)
			if err != nil {
				return "", err
			}
			forms = append(forms, hashedForm(f))
		default:
			return "", ErrUncovered
		}
	}
	text := sorted(features) + endList + sorted(identities) + endList + sorted(forms) + endList
	sum := sha256.Sum256([]byte(text))
	return base64.StdEncoding.EncodeToString(sum[:]), nil
}

func hashedForm(f form) string {
	fields := []string{"FORM_TYPE" + endPart + f.typ + endPart + endItem}
	for _, one := range f.fields {
		values := slices.Sorted(slices.Values(one.values))
		text := one.name + endPart
		for _, v := range values {
			text += v + endPart
		}
		fields = append(fields, text+endItem)
	}
	return sorted(fields) + endForm
}

func sorted(list []string) string {
	slices.Sort(list)
	return strings.Join(list, "")
}
