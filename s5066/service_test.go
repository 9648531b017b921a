package s5066_test

import (
	"testing"

	"sallyport/s5066"
)

func TestResolve(t *testing.T) {
	t.Parallel()
	bind := s5066.ServiceType{Mode: s5066.TxARQ, Confirm: s5066.ConfirmClient, AsTheyArrive: true}
	for _, row := range []struct {
		name               string
		request, def, want s5066.ServiceType
	}{
		{
			"mode 0 takes the whole default",
			s5066.ServiceType{Confirm: s5066.ConfirmNode, Retransmissions: 4},
			bind, bind,
		},
		{
			"a mode takes nothing of it",
			s5066.ServiceType{Mode: s5066.TxNonARQ, Retransmissions: 4},
			bind,
			s5066.ServiceType{Mode: s5066.TxNonARQ, Retransmissions: 4},
		},
		{
			"no confirmation without ARQ",
			s5066.ServiceType{Mode: s5066.TxNonARQErrors, Confirm: s5066.ConfirmNode},
			bind,
			s5066.ServiceType{Mode: s5066.TxNonARQErrors},
		},
		{
			"no copies with ARQ, nothing extended, confirmation 3 is none",
			s5066.ServiceType{Mode: s5066.TxARQ, Confirm: 3, Retransmissions: 1, Extended: true},
			bind,
			s5066.ServiceType{Mode: s5066.TxARQ},
		},
		{"nothing said anywhere", s5066.ServiceType{}, s5066.ServiceType{}, s5066.ServiceType{}},
	} {
		if got := row.request.Resolve(row.def); got != row.want {
			t.Errorf("%s: %+v, want %+v", row.name, got, row.want)
		}
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	for got, want := range map[string]string{
		s5066.TxARQ.String(): "ARQ", s5066.TxMode(9).String(): "undefined(9)",
		s5066.ConfirmClient.String(): "client", s5066.Confirmation(3).String(): "undefined(3)",
		s5066.LinkNoSAP.String(): "destination SAP not bound", s5066.LinkReason(0).String(): "reason 0",
		s5066.LinkEndBroken.String(): "physical link broken", s5066.LinkEnd(9).String(): "reason 9",
		s5066.SAPRCOP.String(): "6",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if !s5066.TxNonARQErrors.Defined() || s5066.TxDefault.Defined() || s5066.TxMode(4).Defined() {
		t.Error("modes 1 to 3 and no others are defined")
	}
	if s5066.SAP(16).Valid() || s5066.Rank(16).Valid() || s5066.Priority(16).Valid() || s5066.LinkType(3).Valid() {
		t.Error("a value beyond its field is valid")
	}
}
