package catalogue_test

import (
	"fmt"

	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/labels"
	"sallyport/labels/catalogue"
	"sallyport/labels/spif"
	"sallyport/labels/xep0258"
)

// The way of one request: who asks, which catalogue, what may be offered, the answer.
func Example() {
	p, _ := spif.Load("../testdata/guard/guard.spif.xml")
	whole, _ := catalogue.FromPolicy(p, catalogue.Generate{At: now, Classes: []string{"PUBLIC", "INTERNAL"}, TagSets: []string{"Release"}})
	book := catalogue.Book{Peers: map[string]*catalogue.Catalogue{"low": whole}}
	admission := catalogue.Admission{Local: []string{"high.example"}}

	e, _ := xmlstream.ParseDocument([]byte(`<iq xmlns='jabber:client' type='get' id='1' from='juliet@high.example/b' to='high.example'>`+
		`<catalog xmlns='urn:xmpp:sec-label:catalog:2' to='romeo@low.example'/></iq>`), xmlstream.Options{ContentNS: xmlstream.NSClient})
	s, _ := stanza.FromCarried(e)
	request, _ := catalogue.ParseRequest(s)
	fmt.Println(admission.Decide(request))

	cleared, _ := p.Clearance(labels.ClearanceForm{Policy: p.ID(), Classes: []uint32{public, internal}, Values: []labels.Value{gbr, fra}})
	set, _ := labels.NewClearanceSet(cleared)
	subject := catalogue.Subject{Clearances: set}
	offer := book.Find(request.From, request.To.Domain(), "low").For(catalogue.Filter{
		At: now, Sender: subject, Service: subject, Peer: subject, Link: subject,
		Recipient: catalogue.Subject{Standing: catalogue.Unknown}, // nobody here knows what romeo may read
	})
	for _, i := range offer.Items {
		fmt.Println(i.Selector)
	}
	fmt.Println("left out:", offer.Left)
	answer, err := offer.Element(catalogue.Writing{To: request.To, Syntax: xep0258.ESS, At: now})
	fmt.Println(answer.NumNodes(), err)
	// Output:
	// give
	// INTERNAL
	// INTERNAL|REL TO FRA
	// INTERNAL|REL TO GBR
	// PUBLIC
	// PUBLIC|REL TO FRA
	// PUBLIC|REL TO GBR
	// left out: 1 not valid, 5 not cleared
	// 6 <nil>
}
