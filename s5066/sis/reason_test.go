package sis_test

import (
	"testing"

	"sallyport/s5066/sis"
)

func TestNames(t *testing.T) {
	t.Parallel()
	for got, want := range map[string]string{
		sis.BindSAPInUse.String():                        "SAP in use",
		sis.BindReason(0).String():                       "unassigned(0)",
		sis.UnbindExpedited.String():                     "too many expedited requests",
		sis.RejectNoMode.String():                        "transmission mode not specified",
		sis.RejectReason(6).String():                     "unassigned(6)",
		sis.NodeReceiveOnly.String():                     "receive only",
		sis.NodeStatus(6).String():                       "unassigned(6)",
		sis.StatusEMCON.String():                         "EMCON",
		sis.TypeUnidataRequest.String():                  "S_UNIDATA_REQUEST",
		sis.Type(28).String():                            "type 28",
		(&sis.BindError{Reason: 1}).Error():              "node refused the bind: not enough resources",
		(&sis.UnbindError{Reason: 1}).Error():            "node unbound the client: pre-empted by a higher rank",
		sis.Management{Indication: true}.Type().String(): "S_MANAGEMENT_MSG_INDICATION",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
