package gateway_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"sallyport/gateway/audit"
	"sallyport/gateway/control"
)

// setBack lets an older copy of the shore's spool take the place of the newer one: old waited when the copy was made and was delivered
// afterwards, lost was taken and delivered afterwards, fresh is new and would get the numbers of lost.
func setBack(e *ends) (old, lost, fresh []string) {
	e.settle(time.Second)
	e.wires.cut(sat)
	e.wires.cut(hf)
	old = e.send(3)
	e.settle(time.Second)
	copied := e.shore.spool.FS.Copy()
	e.mend()
	e.settle(5 * time.Minute)
	lost = e.send(4)
	e.settle(time.Minute)
	e.wires.cut(sat)
	e.wires.cut(hf)
	e.kill(e.shore, func(int) int { return 0 })
	e.shore.spool.FS = copied
	e.shore.start(e.t, e.shore.site)
	fresh = e.send(2)
	e.settle(time.Second)
	e.mend()
	e.settle(10 * time.Minute)
	return old, lost, fresh
}

// TestSpoolSetBack: nothing new is taken for a repetition, and nothing old arrives twice without a word.
func TestSpoolSetBack(t *testing.T) {
	for _, tt := range []struct {
		rule  string
		twice bool
	}{{"bounce", false}, {"resend", true}} {
		t.Run(tt.rule, func(t *testing.T) {
			edit := func(shore, _ *site) {
				shore.peers = strings.ReplaceAll(shore.peers, "side = \"out\"", "side = \"out\"\nin-doubt = \""+tt.rule+"\"")
			}
			between(t, edit, func(t *testing.T, e *ends) {
				was := e.epoch()
				old, lost, fresh := setBack(e)
				want := slices.Concat(old, lost)
				if tt.twice {
					want = append(want, old...)
				}
				wantSame(t, e.ship.got("b.example"), append(want, fresh...))
				if e.epoch() == was {
					t.Error("the numbers did not begin anew")
				}
				told := e.shore.got("a.example")
				c := e.counts(e.shore)
				if tt.twice && (len(told) != 0 || c.InDoubt != 0) || !tt.twice && (!slices.Equal(told, old) || c.InDoubt != 3) {
					t.Errorf("told the senders of %v; %+v", told, c)
				}
				e.wantWarning()
				more := e.send(3)
				e.settle(time.Minute)
				if got := e.ship.got("b.example"); !slices.Equal(got[len(got)-3:], more) {
					t.Errorf("what came afterwards: %v", got[len(got)-3:])
				}
			})
		})
	}
}

// TestSetBackAndKilled: a death between the greeting and the new epoch changes nothing.
func TestSetBackAndKilled(t *testing.T) {
	between(t, nil, func(t *testing.T, e *ends) {
		e.shore.spool.sync = 100 * time.Millisecond
		old, lost, fresh := setBack(e)
		e.kill(e.shore, func(int) int { return 0 })
		e.mend()
		e.shore.start(t, e.shore.site)
		more := e.send(3)
		e.settle(10 * time.Minute)
		wantSame(t, e.ship.got("b.example"), slices.Concat(old, lost, fresh, more))
	})
}

func (e *ends) epoch() string {
	e.t.Helper()
	st, err := e.shore.Spool(e.t.Context(), control.SpoolQuestion{})
	if err != nil {
		e.t.Fatal(err)
	}
	return st.Epoch
}

// wantWarning wants operators told: in the list of what waits, in the audit log and, once for each, in the log.
func (e *ends) wantWarning() {
	e.t.Helper()
	st, err := e.shore.Spool(e.t.Context(), control.SpoolQuestion{})
	if err != nil || !strings.Contains(st.Warning, "older copy") {
		e.t.Errorf("spool list says %q, %v", st.Warning, err)
	}
	var noted []string
	for _, r := range e.shore.records(audit.Filter{Kind: audit.SecurityEvent}) {
		if r.Rule == "spool-rolled-back" {
			noted = append(noted, r.Reason)
		}
	}
	if len(noted) != 1 || noted[0] != st.Warning {
		e.t.Errorf("noted %q", noted)
	}
	if n := e.shore.logs.FilterMessageSnippet("needs a look").Len(); n < 1 {
		e.t.Errorf("%d lines in the log", n)
	}
}
