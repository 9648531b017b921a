package radio_test

import (
	"fmt"
	"regexp"
	"slices"
	"testing"

	"sallyport/testbed/proof"
)

// proofs are the tests in which the hostile inputs of group N stand, by row: file and test, or words of a row of its table.
var proofs = [][]string{
	{"N01 wrong preambles, versions, zeros", "s5066/sis/hostile_test.go: TestN01"},
	{"N02 sizes", "s5066/sis/hostile_test.go: TestN02"},
	{"N03 types", "s5066/sis/hostile_test.go: TestN03"},
	{"N04 binds", "s5066/sis/hostile_test.go: TestN04"},
	{"N05 requests before a bind, sizes of U_PDUs", "s5066/sis/hostile_test.go: TestN05"},
	{"N06 destinations", "s5066/sis/hostile_test.go: TestN06"},
	{"N07 lifetime, confirmation, mode", "s5066/sis/hostile_test.go: TestN07"},
	{"N08 a client that never reads", "s5066/sis/hostile_test.go: TestN08", "s5066/sis/hostile_test.go: TestN08Indications"},
	{"N09 errored blocks without number", "s5066/sis/hostile_test.go: TestN09"},
	{"N10 headers, checksums, unknown types", "s5066/dpdu/receiver_test.go: TestN10BadHeaders", "s5066/dpdu/receiver_test.go: TestN10DamagedSegmentKeepsItsHeader", "s5066/dts/hostile_test.go: TestN10UnknownTypes"},
	{"N11 junk with false sync words", "s5066/dpdu/receiver_test.go: TestN11FalseSyncWords"},
	{"N12 outside of the window, repeated, wrap", "s5066/dts/hostile_test.go: TestN12WindowOfTheReceiver", "s5066/dts/hostile_test.go: TestN12FramesOutOfStepAskForResynchronisation"},
	{"N13 acknowledgements of nothing", "s5066/dts/hostile_test.go: TestN13AcknowledgementsOfNothing"},
	{"N14 resets", "s5066/dts/hostile_test.go: TestN14ResetStorm", "s5066/dts/hostile_test.go: TestN14FullResetInMidCPDUIsToldToTheSender"},
	{"N15 C_PDUs in pieces", "s5066/dts/hostile_test.go: TestN15Fragments"},
	{"N16 non-ARQ numbers that lie", "s5066/dts/hostile_test.go: TestN16NonARQ"},
	{"N17 S_PDUs, times to die, unknown SAPs", "s5066/spdu/pdu_test.go: TestN17Refused", "s5066/spdu/pdu_test.go: \"over the new year\"", "s5066/node/hostile_test.go: TestN17", "s5066/node/hostile_test.go: \"not bound\""},
	{"N18 strangers, forged breaks", "s5066/cas/machine_test.go: BREAK of another node (N18)", "s5066/node/hostile_test.go: TestN18"},
	{"N19 orders of rates", "s5066/dts/hostile_test.go: TestN19RateOrders", "s5066/node/hostile_test.go: TestN19"},
	{"N20 versions, types, ids, sequence of streams", "links/hf/hostile_test.go: \"stream of another version\"", "links/hf/hostile_test.go: \"stream never opened\"", "links/hf/hostile_test.go: \"sequence jump\"", "links/hf/hostilestream_test.go: N20 opened twice", "links/hf/hostilestream_test.go: N20 data after the end"},
	{"N21 floods, half open, acknowledged before sent", "links/hf/hostile_test.go: \"open flood\"", "links/hf/hostilestream_test.go: N21 half open", "links/hf/hostilestream_test.go: N21 acknowledged before sent", "links/hf/hostile_test.go: \"marks never given\""},
	{"N22 stream headers, unlisted domains", "links/hf/hostile_test.go: \"stream header in a stream\"", "links/hf/hostile_test.go: \"unlisted domain\""},
	// Beyond the rows: what only a third station on the same channel can do to two gateways.
	{"beyond the rows: replayed, cut short, forged on the air", "gateway/radio/simulation/third_test.go: TestThirdStation", "links/hf/reflected_test.go: TestReflected"},
}

// TestEveryRowIsProven: each hostile input of group N stands in a test, where this table says.
func TestEveryRowIsProven(t *testing.T) {
	t.Parallel()
	number := regexp.MustCompile(`^N\d\d `)
	var seen []string
	for _, entry := range proofs {
		row, places := entry[0], entry[1:]
		seen = append(seen, number.FindString(row))
		if len(places) == 0 {
			t.Errorf("%s: nowhere", row)
		}
		for _, place := range places {
			if err := proof.Stands("../..", place); err != nil {
				t.Errorf("%s: %v", row, err)
			}
		}
	}
	slices.Sort(seen)
	for i := range 22 {
		if want := fmt.Sprintf("N%02d ", i+1); !slices.Contains(seen, want) {
			t.Errorf("%sis not in the table", want)
		}
	}
}
