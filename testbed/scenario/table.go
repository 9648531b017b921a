package scenario

import "testing"

// Scenario is one thing that people or attackers do.
type Scenario struct {
	Name   string
	Direct bool // also true of two servers with nothing between
	Play   func(*testing.T, *World)
}

// Shared are the scenarios of ordinary federation, played side by side in one world.
func Shared() []Scenario {
	return []Scenario{
		{"messages-both-ways", true, messagesBothWays},
		{"presence-subscription", true, presenceSubscription},
		{"rooms-across", true, roomsAcross},
		{"personal-eventing", true, personalEventing},
		{"discovery", true, discovery},
		{"vcards", true, vCards},
		{"file-transfer-refused", false, fileTransferRefused},
		{"spoofed-from", false, spoofedFrom},
	}
}

// Labelled are those of a boundary where every message needs a label, played side by side in another world.
func Labelled() []Scenario {
	return []Scenario{
		{"label-allowed", false, labelAllowed},
		{"label-refused", false, labelRefused},
		{"unlabelled", false, unlabelled},
		{"wrapped-content", false, wrappedContent},
	}
}

// LabelledGateway is the gateway of the labelled world.
func LabelledGateway() GatewayOptions {
	return GatewayOptions{Inside: RefuseUnlabelled, Outside: RefuseUnlabelled}
}

// Alone is a scenario that needs servers of its own.
type Alone struct {
	Scenario
	Setup   Setup
	Gateway GatewayOptions
	Middle  func(GatewayOptions) Middle // nil: a Gateway
}

// Between makes what stands between the servers.
func (a *Alone) Between() Middle {
	if a.Middle != nil {
		return a.Middle(a.Gateway)
	}
	return &Gateway{Options: a.Gateway}
}

// Apart are the scenarios that change or stop the servers.
func Apart() []Alone {
	return []Alone{
		{Scenario: Scenario{"dialback-only", true, provenBy("dialback", "EXTERNAL")}, Setup: DialbackOnly(), Gateway: Authenticating("dialback")},
		{Scenario: Scenario{"external-only", true, provenBy("EXTERNAL", "dialback")}, Setup: ExternalOnly(), Gateway: Authenticating("external")},
		{Scenario: Scenario{"expired-certificate", true, nothingCrosses}, Setup: ExpiredCertificate(), Gateway: hurried(Authenticating("external"))},
		{Scenario: Scenario{"one-stream-both-ways", true, oneStreamBothWays}, Setup: OneStreamBothWays()},
		{Scenario: Scenario{"gateway-crashes", false, gatewayCrashes}, Setup: OneStreamBothWays()},
		{Scenario: Scenario{"outside-restarts", true, outsideRestarts}},
		{Scenario: Scenario{"outside-crashes", true, outsideCrashes}},
		{Scenario: Scenario{"reload-under-load", false, reloadUnderLoad}},
		{Scenario: Scenario{"too-large-for-neighbour", false, tooLargeForNeighbour}, Setup: SmallStanzas()},
		{Scenario: Scenario{"direct-tls", false, directTLS}, Setup: DirectTLS(), Gateway: Authenticating("external"), Middle: Tapped},
		{Scenario: Scenario{"two-gateways", false, twoGateways}, Gateway: Authenticating("external"), Middle: Two},
		{Scenario: Scenario{"found-by-name", false, foundByName}, Setup: DirectTLS(), Gateway: GatewayOptions{ByName: true}, Middle: Named},
		{Scenario: Scenario{"two-policies", false, twoPolicies}, Gateway: TwoPolicies()},
		{Scenario: Scenario{"end-of-log", false, endOfLog}, Middle: Witnessed},
	}
}
