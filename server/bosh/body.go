package bosh

import (
	"errors"
	"strconv"
	"strings"

	"sallyport/internal/xmpp/xmlstream"
)

// Namespaces.
const (
	NS     = "http://jabber.org/protocol/httpbind"
	NSXMPP = "urn:xmpp:xbosh"
)

// maxRID is the largest request id (§14.2).
const maxRID = 1<<53 - 1

// Condition is why a session ended (§17.2).
type Condition string

// Conditions that we send. None is an end in order.
const (
	None              Condition = ""
	BadRequest        Condition = "bad-request"
	HostUnknown       Condition = "host-unknown"
	ImproperAddress   Condition = "improper-addressing"
	ItemNotFound      Condition = "item-not-found"
	PolicyViolation   Condition = "policy-violation"
	RemoteStreamError Condition = "remote-stream-error"
	SystemShutdown    Condition = "system-shutdown"
)

// Request is one <body/> of a client.
type Request struct {
	RID       uint64
	SID       string // empty: it opens a session
	To, From  string
	Lang      string
	Version   string // of XMPP
	Ver       string // of this protocol
	Wait      int    // seconds
	Hold      int
	Ack       bool   // wants to be told what has arrived
	Acked     uint64 // the last request whose answer it has; 0: it does not say
	Pause     int    // seconds; 0: no pause
	Restart   bool
	Terminate bool
	Attrs     []xmlstream.Attr // all, as a stream header has them
	Elements  []*xmlstream.Element
}

// ErrBody: it is no body of this protocol.
var ErrBody = errors.New("bosh: malformed body")

// ParseBody reads the body of an HTTP request.
func ParseBody(data []byte, limits xmlstream.Limits) (Request, error) {
	e, err := xmlstream.ParseDocument(data, xmlstream.Options{Limits: limits})
	if err != nil {
		return Request{}, errors.Join(ErrBody, err)
	}
	if !e.Is(NS, "body") {
		return Request{}, ErrBody
	}
	r := Request{}
	for i := range e.NumAttrs() {
		r.Attrs = append(r.Attrs, e.AttrAt(i))
	}
	rid, _ := e.Attr("rid")
	if r.RID, err = strconv.ParseUint(rid, 10, 64); err != nil || r.RID == 0 || r.RID > maxRID || rid[0] == '0' {
		return Request{}, ErrBody
	}
	for _, f := range []struct {
		name string
		n    *int
	}{{"wait", &r.Wait}, {"hold", &r.Hold}, {"pause", &r.Pause}} {
		text, ok := e.Attr(f.name)
		if !ok {
			continue
		}
		if *f.n, err = strconv.Atoi(text); err != nil || *f.n < 0 {
			return Request{}, ErrBody
		}
	}
	r.SID, _ = e.Attr("sid")
	r.To, _ = e.Attr("to")
	r.From, _ = e.Attr("from")
	r.Ver, _ = e.Attr("ver")
	r.Lang, _ = e.AttrNS(xmlstream.NSXML, "lang")
	r.Version, _ = e.AttrNS(NSXMPP, "version")
	restart, _ := e.AttrNS(NSXMPP, "restart")
	kind, _ := e.Attr("type")
	acked, ack := e.Attr("ack")
	r.Ack = ack
	r.Acked, _ = strconv.ParseUint(acked, 10, 64) // what is no number acknowledges nothing
	r.Restart, r.Terminate = restart == "true" || restart == "1", kind == "terminate"
	for i := range e.NumNodes() {
		n := e.NodeAt(i)
		if n.Element == nil {
			return Request{}, ErrBody // text between elements
		}
		r.Elements = append(r.Elements, n.Element)
	}
	return r, nil
}

// Our version of this protocol.
const major, minor = 1, 6

// lower is our version, or the client's where that is lower (§7.2). What is no version is ours.
func lower(ver string) string {
	first, second, _ := strings.Cut(ver, ".")
	a, err1 := strconv.ParseUint(first, 10, 16)
	b, err2 := strconv.ParseUint(second, 10, 16)
	if err1 != nil || err2 != nil || a > major || a == major && b > minor {
		a, b = major, minor
	}
	return strconv.FormatUint(a, 10) + "." + strconv.FormatUint(b, 10)
}

// empty: it brings nothing but the wish for an answer.
func (r *Request) empty() bool {
	return len(r.Elements) == 0 && !r.Restart && !r.Terminate && r.Pause == 0
}

// appendBody writes a body around elements that stand alone. attrs are names and values.
func appendBody(payload []byte, constant string, attrs ...string) []byte {
	var list []xmlstream.Attr
	for i := 0; i+1 < len(attrs); i += 2 {
		if attrs[i+1] != "" {
			list = append(list, xmlstream.Attr{Name: xmlstream.Name{Local: attrs[i]}, Value: attrs[i+1]})
		}
	}
	out, err := xmlstream.AppendElement(nil, xmlstream.NewElement(xmlstream.Name{Space: NS, Local: "body"}, list), "")
	if err != nil { // a value that is no XML: it is left out, as the client can do without
		out = []byte("<body xmlns='" + NS + "'/>")
	}
	out = append(out[:len(out)-len("/>")], constant...)
	if len(payload) == 0 {
		return append(out, "/>"...)
	}
	return append(append(append(out, '>'), payload...), "</body>"...)
}

// Refusal is the body that ends what is no session.
func Refusal(c Condition) []byte {
	return appendBody(nil, "", "type", "terminate", "condition", string(c))
}
