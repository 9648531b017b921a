package scenario

import (
	"path/filepath"
)

// satellite is a link over which the ship connects to the shore: TCP with TLS, each known by its certificate.
func satellite(priority int) SiteLink {
	return SiteLink{Name: "satellite", Kind: "x2x", Priority: priority}
}

// radio is a second one, without TLS, which the shore opens.
func radio(priority int) SiteLink {
	return SiteLink{Name: "radio", Kind: "x2x", Priority: priority, Clear: true, NearOpens: true}
}

// mesh is one over datagrams, which the ship opens; key is in place of certificates.
func mesh(priority int, key string) SiteLink {
	return SiteLink{Name: "mesh", Kind: "dtls", Priority: priority, SharedKey: key}
}

// OverLinks are the scenarios of two sites with links of custody between them.
func OverLinks() []Alone {
	sites := func(o SiteOptions) func(GatewayOptions) Middle {
		return func(GatewayOptions) Middle { return NewSites(o) }
	}
	one := SiteOptions{Links: []SiteLink{satellite(1)}}
	two := SiteOptions{Links: []SiteLink{satellite(1), radio(2)}}
	compressed := mesh(1, "a key that only two of them hold")
	compressed.Near, compressed.Far = `compression = "fresh"`, `compression = "fresh"`
	datagrams := SiteOptions{Links: []SiteLink{compressed}}
	certified := SiteOptions{Links: []SiteLink{mesh(1, ""), satellite(2)}}
	short := SiteOptions{Links: []SiteLink{satellite(1)}, Spool: `lifetime = "10s"`}
	return []Alone{
		// Those that mostly wait come first, so that others run beside them.
		{Scenario: Scenario{"over-radio-1200", false, overRadio}, Middle: radioSites("110a-1200-short", 0.1)},
		{Scenario: Scenario{"over-radio-9600", false, overRadio}, Middle: radioSites("4539-9600-veryshort", 0.1)},
		{Scenario: Scenario{"over-a-link", false, overALink}, Middle: sites(one)},
		{Scenario: Scenario{"link-cut", false, linkCut}, Middle: sites(one)},
		{Scenario: Scenario{"link-silent", false, linkSilent}, Middle: sites(one)},
		{Scenario: Scenario{"answered-while-cut", false, answeredWhileCut}, Middle: sites(answering(one))},
		{Scenario: Scenario{"room-merged", false, roomMerged}, Middle: sites(mergedRooms(one))},
		{Scenario: Scenario{"fail-over", false, failOver}, Middle: sites(two)},
		{Scenario: Scenario{"datagrams", false, overDatagrams}, Middle: sites(datagrams)},
		{Scenario: Scenario{"datagrams-first", false, datagramsFirst}, Middle: sites(certified)},
		{Scenario: Scenario{"ship-killed", false, shipKilled}, Middle: sites(one)},
		{Scenario: Scenario{"link-clearance", false, linkClearance}, Middle: sites(clearedLinks())},
		{Scenario: Scenario{"refused-while-waiting", false, refusedWhileWaiting}, Middle: sites(clearedPeers(one))},
		{Scenario: Scenario{"lifetime-over", false, lifetimeOver}, Middle: sites(short)},
	}
}

// radioSites have only radio between them.
func radioSites(waveform string, loss float64) func(GatewayOptions) Middle {
	return func(GatewayOptions) Middle { return NewRadioSites(waveform, loss) }
}

// clearedPeers lets both sites read what is INTERNAL.
func clearedPeers(o SiteOptions) SiteOptions {
	internal := func(p *PeerOptions) { p.Clearance = filepath.Join(testdata(), "clearance-internal.xml") }
	o.Near.Outside, o.Far.Outside = internal, internal
	return o
}

// clearedLinks are two links of which the better may carry only what is PUBLIC.
func clearedLinks() SiteOptions {
	clearance := `clearance = ["` + filepath.Join(testdata(), "clearance-public.xml") + `"]`
	open, secure := satellite(1), radio(2)
	open.Near, open.Far = clearance, clearance
	return clearedPeers(SiteOptions{Links: []SiteLink{open, secure}})
}

// answering lets the shore say what the ship has said of itself.
func answering(o SiteOptions) SiteOptions {
	o.Near.Outside = func(p *PeerOptions) { p.More = `answers = { questions = ["disco-info", "caps"] }` }
	return o
}
