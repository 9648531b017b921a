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
	Route            netip.AddrPort
	Authenticate     []string
	Bidi             bool
	StreamManagement bool
	InDoubt          string
	QueueAge         string // how long a stanza may wait for the peer; empty: the default
	Clearance        string // file
	DefaultLabel     string // file; empty: unlabelled messages are refused
}

// GatewayOptions say how a gateway departs from the usual, which lets ordinary federation through and holds
// what has no label to be PUBLIC.
type GatewayOptions struct {
	Inside, Outside func(*PeerOptions) // last word on the two peers; may be nil
	Relays          []PeerOptions      // more peers, paired with the inside server
	Profile         string             // default: federation
	More            string             // TOML appended to the file
	Debug           bool
}

// gatewayView is what the template reads.
type gatewayView struct {
	Inside, Outside             peers.Settings
	InsideListen, OutsideListen netip.AddrPort
	CA, Testdata                string
	ForInside, ForOutside       peers.Pair // certificates that name the inside and the outside domains
	InsidePeer, OutsidePeer     PeerOptions
	Options                     GatewayOptions
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
		InsideListen:  netip.AddrPortFrom(b.Inside(), 5269),
		OutsideListen: netip.AddrPortFrom(b.Outside(), 5269),
		InsidePeer:    usualPeer(insidePeer, "inside", inside, "clearance-internal.xml"),
		OutsidePeer:   usualPeer(outsidePeer, "outside", outside, "clearance-public.xml"),
	}
	var err error
	if v.ForInside, err = b.CA.Issue("gateway-for-inside", inside.Domain, inside.Rooms()); err != nil {
		return nil, err
	}
	if v.ForOutside, err = b.CA.Issue("gateway-for-outside", outside.Domain, outside.Rooms()); err != nil {
		return nil, err
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
