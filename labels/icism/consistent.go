package icism

import (
	"slices"

	"sallyport/labels"
)

func mismatch(format string, args ...any) error {
	return labels.Errorf(labels.CodeMismatch, format, args...)
}

// consistent checks what the attributes say against each other.
func (a attributes) consistent() error {
	for name, tokens := range a {
		sorted := slices.Sorted(slices.Values(tokens))
		if len(slices.Compact(sorted)) != len(tokens) {
			return bad("a word twice in %s", name)
		}
	}
	if len(a[classification]) != 1 {
		return bad("no single classification")
	}
	if len(a[ownerProducer]) == 0 {
		return bad("no ownerProducer")
	}
	class := a[classification][0]
	if !slices.Contains(classTokens, class) {
		return labels.Errorf(labels.CodeUnknown, "IC-ISM classification %s", labels.Quote(class))
	}
	released := len(a[releasableTo]) > 0
	switch {
	case a.has(dissemination, "NF") && (released || a.has(dissemination, "REL")):
		return mismatch("NF together with a release")
	case a.has(dissemination, "REL") != released:
		return mismatch("REL and releasableTo stand for each other, and one is missing")
	case a.has(dissemination, "DISPLAYONLY") != (len(a[displayOnlyTo]) > 0):
		return mismatch("DISPLAYONLY and displayOnlyTo stand for each other, and one is missing")
	case class == "U" && len(a[sciControls]) > 0:
		return mismatch("control systems on U")
	}
	return a.notJoint()
}

// notJoint refuses joint markings: nothing says which policy they fall under.
func (a attributes) notJoint() error {
	j, ok := a[joint]
	switch {
	case !ok || len(j) == 1 && (j[0] == "false" || j[0] == "0"):
		return nil
	case len(j) == 1 && (j[0] == "true" || j[0] == "1"):
		return labels.Errorf(labels.CodeUnknown, "a joint marking is under no policy known here")
	}
	return bad("joint is no boolean")
}
