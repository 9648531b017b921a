package scenario

import "testing"

// Scenario is one thing that people or attackers do.
type Scenario struct {
	Name   string
	Direct bool // also true of two servers with nothing between
	Play   func(*testing.T, *World)
}

// Shared are the scenarios that can be played side by side in one world.
func Shared() []Scenario {
	return []Scenario{
		{"messages-both-ways", true, messagesBothWays},
		{"presence-subscription", true, presenceSubscription},
		{"rooms-across", true, roomsAcross},
		{"personal-eventing", true, personalEventing},
		{"discovery", true, discovery},
		{"vcards", true, vCards},
	}
}
