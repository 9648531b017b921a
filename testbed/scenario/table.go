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
}

// Apart are the scenarios that change or stop the servers.
func Apart() []Alone {
	return []Alone{
		{Scenario{"dialback-only", true, provenBy("dialback", "EXTERNAL")}, DialbackOnly(), Authenticating("dialback")},
		{Scenario{"external-only", true, provenBy("EXTERNAL", "dialback")}, ExternalOnly(), Authenticating("external")},
		{Scenario{"expired-certificate", true, nothingCrosses}, ExpiredCertificate(), Authenticating("external")},
		{Scenario{"one-stream-both-ways", true, oneStreamBothWays}, OneStreamBothWays(), GatewayOptions{}},
		{Scenario{"gateway-crashes", false, gatewayCrashes}, OneStreamBothWays(), GatewayOptions{}},
		{Scenario{"outside-restarts", true, outsideRestarts}, Setup{}, GatewayOptions{}},
		{Scenario{"outside-crashes", true, outsideCrashes}, Setup{}, GatewayOptions{}},
		{Scenario{"reload-under-load", false, reloadUnderLoad}, Setup{}, GatewayOptions{}},
	}
}
