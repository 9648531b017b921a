package simulation

// Fault is a defect planted into a world. The zero value is none.
type Fault uint8

// The faults, each of which the oracle has to find.
const (
	NoFault           Fault = iota
	AcknowledgedEarly       // the receiver acknowledges before the commit
	RepetitionsKept         // the receiver takes what comes twice
	OrderSwapped            // two entries leave in the wrong order
)

// String says it for tests.
func (f Fault) String() string {
	return []string{"none", "acknowledged early", "repetitions kept", "order swapped"}[f]
}
