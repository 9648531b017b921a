package xmlstream_test

import (
	"encoding/xml"
	"io"
	"strings"
	"testing"

	"sallyport/internal/xmpp/xmlstream"
)

const (
	benchHeader = "<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:db='jabber:server:dialback'" +
		" xmlns:stream='http://etherx.jabber.org/streams' from='a.example' to='b.example' id='77' version='1.0'>"
	benchPresence = "<presence from='romeo@montague.example/orchard' to='juliet@capulet.example'><show>away</show></presence>"
	benchMessage  = "<message from='romeo@montague.example/orchard' to='juliet@capulet.example' id='x7Tz93' type='chat'>" +
		"<body>Wherefore art thou, my dear?</body><securitylabel xmlns='urn:xmpp:sec-label:0'>" +
		"<displaymarking fgcolor='black' bgcolor='red'>SECRET</displaymarking><label>" +
		"<esssecuritylabel xmlns='urn:xmpp:sec-label:ess:0'>MQYCAQIGASk=</esssecuritylabel></label></securitylabel></message>"
)

func benchInputs() []struct{ name, in string } {
	long := strings.Replace(benchPresence, "<show>", "<status>"+strings.Repeat("It was the nightingale, and not the lark. ", 97)+"</status><show>", 1)
	disco := "<iq from='a.example' to='romeo@b.example/x' type='result' id='d1'><query xmlns='http://jabber.org/protocol/disco#info'>" +
		"<identity category='conference' type='text' name='Rooms'/>" + strings.Repeat("<feature var='http://jabber.org/protocol/muc'/>", 20) + "</query></iq>"
	return []struct{ name, in string }{
		{"presence", benchPresence}, {"message", benchMessage}, {"disco", disco}, {"long", long},
	}
}

// BenchmarkDecode reads one stanza after the other from a stream, tree included.
func BenchmarkDecode(b *testing.B) {
	for _, in := range benchInputs() {
		stanza := []byte(in.in)
		b.Run(in.name, func(b *testing.B) {
			d := xmlstream.NewDecoder(xmlstream.Options{ContentNS: xmlstream.NSServer})
			if _, err := d.Write([]byte(benchHeader)); err != nil {
				b.Fatal(err)
			}
			if _, err := d.Next(); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			b.SetBytes(int64(len(stanza)))
			for b.Loop() {
				d.Write(stanza)
				if e, err := d.Next(); err != nil || e.Kind != xmlstream.ElementEvent {
					b.Fatal(e.Kind, err)
				}
			}
		})
	}
}

// BenchmarkYardstick is encoding/xml on the same input, tokens only.
func BenchmarkYardstick(b *testing.B) {
	for _, in := range benchInputs() {
		b.Run(in.name, func(b *testing.B) {
			x := xml.NewDecoder(&endless{head: benchHeader, body: in.in})
			for range 2 { // declaration and header
				if _, err := x.Token(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportAllocs()
			b.SetBytes(int64(len(in.in)))
			for b.Loop() {
				readStd(b, x)
			}
		})
	}
}

// endless repeats body after head.
type endless struct {
	head, body string
	at         int
}

func (e *endless) Read(p []byte) (int, error) {
	n := copy(p, e.head)
	e.head = e.head[n:]
	for n < len(p) {
		k := copy(p[n:], e.body[e.at:])
		n += k
		e.at = (e.at + k) % len(e.body)
	}
	return n, nil
}

var _ io.Reader = (*endless)(nil)

func BenchmarkAppend(b *testing.B) {
	for _, in := range benchInputs() {
		b.Run(in.name, func(b *testing.B) {
			e, err := xmlstream.ParseDocument([]byte(in.in), xmlstream.Options{ContentNS: xmlstream.NSServer})
			if err != nil {
				b.Fatal(err)
			}
			var buf []byte
			b.ReportAllocs()
			b.SetBytes(int64(len(in.in)))
			for b.Loop() {
				if buf, err = xmlstream.AppendElement(buf[:0], e, xmlstream.NSServer); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
