package scenario

import (
	"bytes"
	_ "embed"
	"fmt"
	"net/netip"
	"path/filepath"
	"runtime"
	"text/template"

	"sallyport/testbed/peers"
)

//go:embed gateway.toml.tmpl
var gatewayConfig string

// PeerOptions is the table of one peer in the gateway's configuration.
type PeerOptions struct {
	Name, Side       string
	Domains          []string
	Route            netip.AddrPort // not valid: by DNS
	DirectTLS        bool           // the route speaks TLS from the first byte (XEP-0368)
	Authenticate     []string
	Bidi             bool
	StreamManagement bool
	InDoubt          string
	QueueAge         string // how long a stanza may wait for the peer; empty: the default
	Clearance        string // file
	DefaultLabel     string // file; empty: unlabelled messages are refused
	More             string // TOML appended to the table
}

// GatewayOptions say how a gateway departs from the usual, which lets ordinary federation through and holds
// what has no label to be PUBLIC.
type GatewayOptions struct {
	Inside, Outside func(*PeerOptions) // last word on the two peers; may be nil
	Relays          []PeerOptions      // more peers, paired with the inside server
	Profile         string             // default: federation
	ByName          bool               // no routes: the bed's name server between is asked
	Far             bool               // the outer one of two gateways
	HeadSink        string             // second place for the head of the audit log
	LabelPolicy     string             // that governs labels inside
	Policies        []string           // more security policies, by the names of their files
	More            string             // TOML appended to the file
	Debug           bool
}

// gatewayView is what the template reads.
type gatewayView struct {
	Inside, Outside             peers.Settings
	InsideListen, OutsideListen Listen
	Resolver                    netip.AddrPort
	CA, Testdata                string
	ForInside, ForOutside       peers.Pair // certificates that name the inside and the outside domains
	InsidePeer, OutsidePeer     PeerOptions
	Options                     GatewayOptions
}

// Listen is where a gateway listens on one side.
type Listen struct{ StartTLS, Direct netip.AddrPort }

func listenAt(a netip.Addr) Listen {
	return Listen{netip.AddrPortFrom(a, 5269), netip.AddrPortFrom(a, 5270)}
}

// listen says where a gateway with these options listens.
func (o *GatewayOptions) listen(b *peers.Bed) (inside, outside Listen) {
	if o.Far {
		return listenAt(b.FarInside()), listenAt(b.FarOutside())
	}
	return listenAt(b.Inside()), listenAt(b.Outside())
}

// testdata is the folder of this package's test data, wherever the test that uses it runs.
func testdata() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "testdata")
}

// GatewayTOML writes the configuration of a gateway for a bed.
func GatewayTOML(b *peers.Bed, o GatewayOptions) ([]byte, error) {
	if o.Profile == "" {
		o.Profile = "federation"
	}
	inside, outside := b.Prosody.Settings, b.Ejabberd.Settings
	v := gatewayView{
		Inside: inside, Outside: outside, CA: b.CA.File, Testdata: testdata(), Options: o,
		Resolver:    b.Between.Addr,
		InsidePeer:  usualPeer(insidePeer, "inside", inside, "clearance-internal.xml"),
		OutsidePeer: usualPeer(outsidePeer, "outside", outside, "clearance-public.xml"),
	}
	v.InsideListen, v.OutsideListen = o.listen(b)
	name := "gateway"
	if o.Far {
		name = "far-gateway"
	}
	var err error
	if v.ForInside, err = b.CA.Issue(name+"-for-inside", inside.Domain, inside.Rooms()); err != nil {
		return nil, err
	}
	if v.ForOutside, err = b.CA.Issue(name+"-for-outside", outside.Domain, outside.Rooms()); err != nil {
		return nil, err
	}
	if o.ByName {
		v.InsidePeer.Route, v.OutsidePeer.Route = netip.AddrPort{}, netip.AddrPort{}
	}
	if o.Inside != nil {
		o.Inside(&v.InsidePeer)
	}
	if o.Outside != nil {
		o.Outside(&v.OutsidePeer)
	}
	t, err := template.New("gateway.toml").Parse(gatewayConfig)
	if err != nil {
		return nil, fmt.Errorf("gateway.toml.tmpl: %w", err)
	}
	var out bytes.Buffer
	if err := t.Execute(&out, v); err != nil {
		return nil, fmt.Errorf("gateway.toml.tmpl: %w", err)
	}
	return out.Bytes(), nil
}

// The names of the two servers in the configuration.
const (
	insidePeer  = "inside-server"
	outsidePeer = "outside-server"
)

// usualPeer is the definition of a server as an operator would first write it.
func usualPeer(name, side string, s peers.Settings, clearance string) PeerOptions {
	return PeerOptions{
		Name: name, Side: side, Domains: []string{s.Domain, s.Rooms()}, Route: s.Servers(),
		Authenticate: []string{"external", "dialback"}, Bidi: true, StreamManagement: true,
		InDoubt: "bounce", Clearance: filepath.Join(testdata(), clearance),
		DefaultLabel: filepath.Join(testdata(), "label-public.xml"),
	}
}

// RefuseUnlabelled makes a peer say what its messages are.
func RefuseUnlabelled(p *PeerOptions) { p.DefaultLabel = "" }
