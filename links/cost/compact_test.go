package cost_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"sallyport/links/cost"
)

// TestTrainCompact: a model saves more than a dictionary does on conversations that neither has seen, and keeps to itself what people wrote.
func TestTrainCompact(t *testing.T) {
	t.Parallel()
	var in []cost.Entry
	for i := range 400 {
		text := fmt.Sprintf("<message from='user%d@office.example/phone' to='other%d@ships.example' type='chat' id='m%d'>"+
			"<securitylabel xmlns='urn:xmpp:sec-label:0'><displaymarking>RESTRICTED</displaymarking></securitylabel><body>Confidential phrase</body></message>", i%40, i%40, i)
		in = append(in, cost.Entry{Time: six, Stanza: read(t, text)})
	}
	_, zip, err := cost.Train(playing(in), cost.TrainOptions{})
	if err != nil {
		t.Fatal(err)
	}
	m, r, err := cost.TrainCompact(playing(in), cost.TrainOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if r.Samples != zip.Samples || r.HeldOut != zip.HeldOut || r.Plain != zip.Plain || r.Without != zip.Without || r.With >= zip.With ||
		r.ID != m.Fingerprint().String() || r.Dictionary != len(m.Bytes()) {
		t.Errorf("%+v, and as a dictionary %+v", r, zip)
	}
	if strings.Contains(string(m.Bytes()), "Confidential") || !strings.Contains(string(m.Bytes()), "office.example") {
		t.Error("what people wrote is in the model, or where they are is not")
	}
	whole, err := cost.MeasureCompact(playing(in), m)
	if err != nil || whole.HeldOut != len(in) || whole.With >= whole.Without {
		t.Errorf("measured %+v, %v", whole, err)
	}
	if _, _, err := cost.TrainCompact(playing(in[:1]), cost.TrainOptions{}); !errors.Is(err, cost.ErrFew) {
		t.Errorf("of one stanza: %v", err)
	}
}
