package gateway

import (
	"fmt"
	"iter"

	"sallyport/gateway/audit"
	"sallyport/peering"
)

// Replayed is one recorded decision judged again.
type Replayed struct {
	Seq      uint64   `json:"seq"`
	From     string   `json:"from"`
	To       string   `json:"to"`
	Was      Judgment `json:"was"`
	Now      Judgment `json:"now"`
	SameRule bool     `json:"same_policy"` // by the version that decided then
}

// Judgment is what a record and a verdict have in common.
type Judgment struct {
	Outcome string `json:"outcome"`
	Stage   string `json:"stage,omitempty"`
	Reason  string `json:"reason,omitempty"`
	Rule    string `json:"rule,omitempty"`
}

// ReplayCount sums a replay up.
type ReplayCount struct {
	Decisions int `json:"decisions"`  // records of decisions read
	NoContent int `json:"no_content"` // of these: cannot be judged again, the log has no content
	Same      int `json:"same"`
	Different int `json:"different"`
}

// Replay judges recorded decisions again under p, from the content the log kept, with the
// facts that were used then, and yields those that now come out otherwise. What was not
// delivered for lack of room, or was answered here, is compared as released: queue and memory
// are no part of the policy.
func Replay(p *peering.Policy, entries iter.Seq2[audit.Entry, error], count *ReplayCount) iter.Seq2[Replayed, error] {
	engine := peering.NewEngine(p)
	return func(yield func(Replayed, error) bool) {
		for e, err := range entries {
			if err != nil {
				yield(Replayed{}, err)
				return
			}
			if e.Record.Kind != audit.Decision {
				continue
			}
			count.Decisions++
			if len(e.Record.Content) == 0 {
				count.NoContent++
				continue
			}
			r, err := replayOne(engine, &e)
			if err != nil {
				yield(Replayed{}, fmt.Errorf("record %d: %w", e.Seq, err))
				return
			}
			if r.Was == r.Now {
				count.Same++
				continue
			}
			count.Different++
			if !yield(r, nil) {
				return
			}
		}
	}
}

func replayOne(engine *peering.Engine, e *audit.Entry) (Replayed, error) {
	rec := &e.Record
	v, err := engine.Rejudge(peering.Stored(rec.Content), nil)
	if err != nil {
		return Replayed{}, err
	}
	r := Replayed{
		Seq: e.Seq, From: rec.From, To: rec.To, SameRule: rec.PolicyVersion == v.Version.String(),
		Was: Judgment{rec.Outcome, rec.Stage, rec.Reason, rec.Rule}, Now: Judgment{Outcome: v.Outcome.String()},
	}
	if r.Was.Outcome == outcomeBounced || r.Was.Outcome == outcomeAnswered {
		r.Was = Judgment{Outcome: peering.Release.String()}
	}
	if v.Outcome != peering.Release {
		r.Now.Stage, r.Now.Reason, r.Now.Rule = v.Refusal.Stage.String(), string(v.Refusal.Reason), v.Refusal.Rule
	}
	return r, nil
}
