package labelfile

import (
	"fmt"
	"strconv"

	"sallyport/internal/xmpp/xmlstream"
	"sallyport/labels"
)

// The debug format of the spiffing library: one element a value, all by number.
//
//	<label xmlns='http://surevine.com/xmlns/spiffy'>
//	  <policy id='2.999.258.1'/>
//	  <classification lacv='2'/>
//	  <tag type='enumeratedPermissive' id='2.999.258.1.3' lacv='826'/>
//	</label>

// debugKinds are the words for kinds. The format has one for both informative kinds; the policy knows which it is.
var debugKinds = map[string]labels.Kind{
	"restrictive": labels.Restrictive, "enumeratedRestrictive": labels.EnumRestrictive, "permissive": labels.Permissive,
	"enumeratedPermissive": labels.EnumPermissive, "informative": labels.InformativeBits,
}

func (p *parser) debug(e *xmlstream.Element) error {
	if !p.o.Debug {
		return bad("the debug format of the spiffing library is for tests; convert it with 'sallyport label parse --to ess'")
	}
	if e.Space() != nsDebug || e.Local() != "label" && e.Local() != "clearance" {
		return bad("the root element is %s, neither label nor clearance", labels.Quote(e.Local()))
	}
	var f labels.ClearanceForm
	policies := 0
	for c := range e.Children() {
		var err error
		switch {
		case c.Is(nsDebug, "policy"):
			policies++
			f.Policy, _ = c.Attr("id")
		case c.Is(nsDebug, "classification"):
			f.Classes, err = appendNumber(f.Classes, c)
		case c.Is(nsDebug, "tag"):
			f.Values, err = p.debugTag(f.Policy, f.Values, c)
		default:
			err = bad("%s is not allowed here", labels.Quote(c.Local()))
		}
		if err != nil {
			return err
		}
	}
	switch {
	case policies != 1 || labels.CheckOID(f.Policy) != nil:
		return bad("it needs one policy with an object identifier")
	case e.Local() == "clearance":
		p.clearance("clearance", f, nil)
	case len(f.Classes) != 1:
		return bad("a label has one classification, not %d", len(f.Classes))
	default:
		p.label("label", labels.LabelForm{Policy: f.Policy, Class: f.Classes[0], Values: f.Values}, nil)
	}
	return nil
}

func appendNumber(out []uint32, e *xmlstream.Element) ([]uint32, error) {
	s, _ := e.Attr("lacv")
	n, err := strconv.ParseUint(s, 10, 31)
	if err != nil {
		return out, bad("%s: lacv %s is no number", e.Local(), labels.Quote(s))
	}
	return append(out, uint32(n)), nil
}

func (p *parser) debugTag(policy string, out []labels.Value, e *xmlstream.Element) ([]labels.Value, error) {
	word, _ := e.Attr("type")
	v := labels.Value{Kind: debugKinds[word]}
	v.TagSet, _ = e.Attr("id")
	n, err := appendNumber(nil, e)
	switch {
	case err != nil:
		return out, err
	case v.Kind == labels.NoKind:
		return out, bad("tag type %s", labels.Quote(word))
	case labels.CheckOID(v.TagSet) != nil:
		return out, bad("tag set %s", labels.Quote(v.TagSet))
	}
	v.LACV = n[0]
	if v.Kind == labels.InformativeBits && p.enumerates(policy, v) {
		v.Kind = labels.InformativeEnum
	}
	return append(out, v), nil
}

// enumerates says whether the policy has the informative value as a number.
func (p *parser) enumerates(policy string, v labels.Value) bool {
	v.Kind = labels.InformativeEnum
	_, err := p.reg.Clearance(labels.ClearanceForm{Policy: policy, Values: []labels.Value{v}})
	return err == nil
}

// debugWord is the inverse of debugKinds.
func debugWord(k labels.Kind) (string, error) {
	if k == labels.InformativeEnum {
		k = labels.InformativeBits
	}
	for word, kind := range debugKinds {
		if kind == k {
			return word, nil
		}
	}
	return "", fmt.Errorf("the debug format has no word for kind %s", k)
}
