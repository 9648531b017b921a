package hf_test

import (
	"crypto/tls"
	"fmt"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/labels"
	"sallyport/peering"
	"sallyport/rules"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// releaser lets presence and messages cross between a.example and b.example over the link "hf".
var releaser = sync.OnceValue(func() *peering.Engine {
	profile, problems := rules.CompileProfile(rules.DefaultProfile("federation"))
	set, more := rules.CompileRules(nil)
	registry, err := labels.NewRegistry()
	if len(problems)+len(more) > 0 || err != nil {
		panic(fmt.Sprint(problems, more, err))
	}
	floor := peering.Floor{Methods: []peering.Method{peering.External}, MinTLS: tls.VersionTLS12}
	kinds := peering.Kinds{Message: true, Presence: true, IQ: []string{"*"}}
	p, bad := peering.Compile(peering.Definition{
		Profile: profile, Rules: set, Labels: registry,
		Peers: []peering.Peer{
			{Name: "a", Side: "in", Domains: []peering.Pattern{"a.example"}, Floor: floor, Kinds: kinds, Links: []string{"hf"}},
			{Name: "b", Side: "out", Domains: []peering.Pattern{"b.example"}, Floor: floor, Kinds: kinds, Links: []string{"hf"}},
		},
		Pairs: []peering.Pair{{From: "a", To: "b", Both: true}},
	})
	if len(bad) > 0 {
		panic(bad)
	}
	return peering.NewEngine(p)
})

// released makes presence with a number, and more text, in its status.
func released(t testing.TB, from, to string, n int, more string) peering.Released {
	t.Helper()
	text := fmt.Sprintf("<presence from='u@%s/r' to='v@%s'><status>n%d %s</status></presence>", from, to, n, more)
	e, err := xmlstream.ParseDocument([]byte(text), xmlstream.Options{Limits: xmlstream.ServerLimits(), ContentNS: xmlstream.NSServer})
	if err != nil {
		t.Fatal(err)
	}
	s, err := stanza.From(e)
	if err != nil {
		t.Fatal(err)
	}
	v := releaser().Judge(&peering.Arrival{
		Stanza: s, Link: "hf", Peer: from[:1], Domain: s.From().DomainJID(), LocalDomain: s.To().DomainJID(), Time: time.Now(), Node: "test", Serial: 1,
		Proof: peering.Proof{Method: peering.External, TLS: tls.VersionTLS13}, Bytes: len(text),
	})
	r, ok := v.Released()
	if !ok {
		t.Fatalf("not released: %+v", v.Refusal)
	}
	return r
}
