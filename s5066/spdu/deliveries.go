package spdu

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"sallyport/s5066"
)

// MaxDeliveries is how many requests may wait for a word at once.
const MaxDeliveries = 4096

// ErrFull says that there are too many of something; nothing was taken.
var ErrFull = errors.New("too many are waiting")

// Delivery is a request of a client on its way.
type Delivery struct {
	ID      uint64
	Remote  s5066.Address
	Source  s5066.SAP
	SAP     s5066.SAP // at the destination
	Confirm s5066.Confirmation
	UPDU    []byte
}

// Result is what became of a Delivery. The zero value is none.
type Result uint8

// The results there are.
const (
	_         Result = iota
	Delivered        // as far as was asked for
	Expired          // its lifetime is over
	NoSAP            // nobody is bound to the SAP at the destination
	NoAnswer         // the destination, or its client-delivery confirmation, did not come
)

// String is the result as operators read it.
func (r Result) String() string {
	names := [...]string{"none", "delivered", "expired", "destination SAP not bound", "no answer"}
	if int(r) < len(names) {
		return names[r]
	}
	return "undefined"
}

// Outcome is the end of a Delivery; each has exactly one.
type Outcome struct {
	ID     uint64
	Result Result
}

// Deliveries is the client-data procedure (A.9): a delivery ends when the data transfer sublayer has reported and, where the client asked
// for it, the other client's node has. The zero value has no patience: set Wait. One goroutine owns it.
type Deliveries struct {
	Wait time.Duration // for the word of the other node, from the report on
	all  []*waiting
}

type waiting struct {
	Delivery
	reported bool
	word     bool      // the other node has said that its client has it
	until    time.Time // once reported
}

// Add begins a delivery. ErrFull.
func (d *Deliveries) Add(v Delivery) error {
	if len(d.all) >= MaxDeliveries {
		return fmt.Errorf("deliveries: %w", ErrFull)
	}
	d.all = append(d.all, &waiting{Delivery: v})
	return nil
}

// Len is how many are under way.
func (d *Deliveries) Len() int { return len(d.all) }

// Reported says that the node of the destination has all of it.
func (d *Deliveries) Reported(now time.Time, id uint64) []Outcome {
	for i, w := range d.all {
		if w.ID != id {
			continue
		}
		if w.Confirm != s5066.ConfirmClient || w.word {
			return []Outcome{d.end(i, Delivered)}
		}
		w.reported, w.until = true, now.Add(d.Wait)
	}
	return nil
}

// Failed says that it did not arrive. One whose client is known to have it is delivered nevertheless.
func (d *Deliveries) Failed(id uint64, why Result) []Outcome {
	for i, w := range d.all {
		if w.ID == id {
			if w.word {
				why = Delivered
			}
			return []Outcome{d.end(i, why)}
		}
	}
	return nil
}

// Heard takes a Confirm or Fail. It ends the oldest delivery it can speak of; nothing if there is none.
func (d *Deliveries) Heard(from s5066.Address, p PDU) []Outcome {
	switch p := p.(type) {
	case Confirm:
		i := d.find(from, p.Source, p.SAP, p.Prefix)
		if i < 0 {
			return nil
		}
		if w := d.all[i]; !w.reported {
			w.word = true
			return nil
		}
		return []Outcome{d.end(i, Delivered)}
	case Fail:
		if i := d.find(from, p.Source, p.SAP, p.Prefix); i >= 0 {
			return []Outcome{d.end(i, NoSAP)}
		}
	}
	return nil
}

func (d *Deliveries) find(from s5066.Address, source, sap s5066.SAP, prefix []byte) int {
	for i, w := range d.all {
		if w.Remote == from && w.Source == source && w.SAP == sap && w.Confirm == s5066.ConfirmClient && !w.word && bytes.HasPrefix(w.UPDU, prefix) {
			return i
		}
	}
	return -1
}

// Deadline is when Tick has something to do.
func (d *Deliveries) Deadline() (time.Time, bool) {
	var first time.Time
	for _, w := range d.all {
		if w.reported && (first.IsZero() || w.until.Before(first)) {
			first = w.until
		}
	}
	return first, !first.IsZero()
}

// Tick ends what has waited long enough for the other node's word.
func (d *Deliveries) Tick(now time.Time) (out []Outcome) {
	for i := 0; i < len(d.all); {
		if w := d.all[i]; w.reported && !now.Before(w.until) {
			out = append(out, d.end(i, NoAnswer))
			continue
		}
		i++
	}
	return out
}

func (d *Deliveries) end(i int, r Result) Outcome {
	o := Outcome{d.all[i].ID, r}
	d.all = append(d.all[:i], d.all[i+1:]...)
	return o
}
