package labelfile

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strconv"
	"time"

	"sallyport/internal/xmpp/xmlstream"
	"sallyport/labels"
	"sallyport/labels/ess"
	"sallyport/labels/icism"
	"sallyport/labels/nato4774"
	"sallyport/labels/xep0258"
)

// WriteOptions say how a label is written.
type WriteOptions struct {
	At   time.Time // creation date of syntaxes that demand one
	Lang string    // of the display marking
	// ICISM is the mapping of the syntax ICISM.
	ICISM *icism.Mapping
	// Inside is the syntax inside a securitylabel; none is ESS.
	Inside xep0258.Syntax
}

// AppendLabel appends a label in a syntax, from its normal form. Text syntaxes end with a line feed.
func AppendLabel(dst []byte, l *labels.Label, s Syntax, o WriteOptions) ([]byte, error) {
	if l.Policy() == nil {
		return dst, fmt.Errorf("write label: no label")
	}
	switch s {
	case ESS, ESSDER, ESSHex:
		b, err := ess.AppendLabel(nil, l.Form())
		if err != nil {
			return dst, err
		}
		return appendOctets(dst, b, s), nil
	case SDN801c:
		b, err := ess.AppendLabelAs(nil, l.Form(), ess.SDN801c)
		if err != nil {
			return dst, err
		}
		return appendOctets(dst, b, s), nil
	case STANAG4774:
		e, err := nato4774.BuildLabel(l, o.At)
		return appendXML(dst, e, err)
	case XEP0258:
		if o.Inside == xep0258.NoSyntax {
			o.Inside = xep0258.ESS
		}
		e, err := xep0258.ElementWith(l, l.Policy(), xep0258.WriteOptions{
			Syntax: o.Inside, Lang: o.Lang, KeepPrivacyMark: true, ICISM: o.ICISM, At: o.At,
		})
		return appendXML(dst, e, err)
	case ICISM:
		if o.ICISM == nil {
			return dst, fmt.Errorf("a label cannot be written as %s without a mapping", s)
		}
		e, err := icism.Element(l, o.ICISM)
		return appendXML(dst, e, err)
	case Spiffing:
		f := l.Form()
		if f.PrivacyMark != "" {
			return dst, fmt.Errorf("the debug format cannot carry the privacy mark %s", labels.Quote(f.PrivacyMark))
		}
		return appendDebug(dst, "label", f.Policy, []uint32{f.Class}, f.Values)
	case Text:
		text, _, _ := l.Policy().Marking(l, o.Lang)
		return append(dst, text+"\n"...), nil
	case NoSyntax, STANAG4778, Message, Certificate, CMS, LDIF:
	}
	return dst, fmt.Errorf("a label cannot be written as %s", s)
}

// AppendClearance appends a clearance in a syntax, from its normal form.
func AppendClearance(dst []byte, c *labels.Clearance, s Syntax) ([]byte, error) {
	if c.Policy() == nil {
		return dst, fmt.Errorf("write clearance: no clearance")
	}
	switch s {
	case ESS, ESSDER, ESSHex:
		b, err := ess.AppendClearance(nil, c.Form())
		if err != nil {
			return dst, err
		}
		return appendOctets(dst, b, s), nil
	case SDN801c:
		b, err := ess.AppendClearanceAs(nil, c.Form(), ess.SDN801c)
		if err != nil {
			return dst, err
		}
		return appendOctets(dst, b, s), nil
	case STANAG4774:
		e, err := nato4774.BuildClearance(c)
		return appendXML(dst, e, err)
	case Spiffing:
		f := c.Form()
		return appendDebug(dst, "clearance", f.Policy, f.Classes, f.Values)
	case Text:
		return append(dst, c.String()+"\n"...), nil
	case NoSyntax, STANAG4778, XEP0258, Message, ICISM, Certificate, CMS, LDIF:
	}
	return dst, fmt.Errorf("a clearance cannot be written as %s", s)
}

func appendOctets(dst, b []byte, s Syntax) []byte {
	switch s {
	case ESSDER:
		return append(dst, b...)
	case ESSHex:
		return append(hex.AppendEncode(dst, b), '\n')
	default:
		return append(base64.StdEncoding.AppendEncode(dst, b), '\n')
	}
}

func appendXML(dst []byte, e *xmlstream.Element, err error) ([]byte, error) {
	if err != nil {
		return dst, err
	}
	if dst, err = xmlstream.AppendElement(dst, e, ""); err != nil {
		return dst, err
	}
	return append(dst, '\n'), nil
}

// appendDebug writes the debug format.
func appendDebug(dst []byte, root, policy string, classes []uint32, values []labels.Value) ([]byte, error) {
	nodes := []xmlstream.Node{debugElement("policy", "id", policy)}
	for _, n := range classes {
		nodes = append(nodes, debugElement("classification", "lacv", strconv.FormatUint(uint64(n), 10)))
	}
	for _, v := range values {
		word, err := debugWord(v.Kind)
		if err != nil {
			return dst, err
		}
		nodes = append(nodes, debugElement("tag", "type", word, "id", v.TagSet, "lacv", strconv.FormatUint(uint64(v.LACV), 10)))
	}
	return appendXML(dst, xmlstream.NewElement(xmlstream.Name{Space: nsDebug, Local: root}, nil, nodes...), nil)
}

func debugElement(local string, attrs ...string) xmlstream.Node {
	var list []xmlstream.Attr
	for i := 0; i+1 < len(attrs); i += 2 {
		list = append(list, xmlstream.Attr{Name: xmlstream.Name{Local: attrs[i]}, Value: attrs[i+1]})
	}
	return xmlstream.ElementNode(xmlstream.NewElement(xmlstream.Name{Space: nsDebug, Local: local}, list))
}
