package radio

import (
	"context"
	"encoding/json"
	"errors"
	"path/filepath"

	"sallyport/gateway/control"
	"sallyport/internal/role"
	"sallyport/s5066"
	"sallyport/s5066/capture"
	"sallyport/s5066/dpdu"
	"sallyport/s5066/manage"
)

// The verbs of a node's control socket.
const (
	VerbStatus  = "hf.status"
	VerbCapture = "hf.capture"
	VerbEMCON   = "hf.emcon"
	VerbRate    = "hf.rate"
	VerbMessage = "hf.message"
)

// Radio is a running node.
type Radio interface {
	Status() Status
	// SetEMCON begins or ends radio silence; an error says that a restart would end it.
	SetEMCON(on bool) error
	SetRate(rate int) error
	// AskRate and SendEOW ask another node. What comes of it is in Status.Asked, under the number.
	AskRate(remote s5066.Address, rate int) (uint64, error)
	SendEOW(remote s5066.Address, eow dpdu.EOW, extended string) (uint64, error)
}

// RateQuestion sets the rate at which the node transmits, or asks another node to agree on one.
type RateQuestion struct {
	Rate int           `json:"rate"`          // bit/s
	With s5066.Address `json:"with,omitzero"` // the other node
}

// MessageQuestion says a message of the order wire to another node.
type MessageQuestion struct {
	To       s5066.Address `json:"to"`
	Type     uint8         `json:"type"` // 0 to 15
	Data     uint8         `json:"data"`
	Extended string        `json:"extended,omitempty"` // in hexadecimal
}

// AskedAnswer names what another node was asked for; nothing was, where it is 0.
type AskedAnswer struct {
	ID uint64 `json:"id"`
}

// EMCONQuestion begins radio silence, or ends it.
type EMCONQuestion struct {
	On bool `json:"on"`
}

// CaptureQuestion turns a capture on, or off where it names no prefix.
type CaptureQuestion struct {
	Prefix string `json:"prefix,omitempty"` // of the files, absolute
	Bytes  int64  `json:"bytes,omitempty"`  // of a file; 0: 16 MiB
	Files  int    `json:"files,omitempty"`  // of each kind; 0: 8
	Ports  bool   `json:"ports,omitempty"`  // real ports instead of 5066
}

// CaptureAnswer is what a capture that was turned off recorded.
type CaptureAnswer struct {
	Primitives uint64 `json:"primitives"` // pieces of clients' connections
	Frames     uint64 `json:"frames"`     // D_PDUs
	Dropped    uint64 `json:"dropped"`
}

// Verbs are what a running node is asked.
func Verbs(r Radio, sw *capture.Switch) []control.Verb {
	return []control.Verb{
		{Name: VerbStatus, Role: role.View, Handle: func(context.Context, json.RawMessage, control.Caller) (any, error) {
			s := r.Status()
			if stats, ok := sw.Running(); ok {
				s.Capture = &stats
			}
			return s, nil
		}},
		{Name: VerbCapture, Role: role.Operate, Changes: true, Handle: func(_ context.Context, args json.RawMessage, _ control.Caller) (any, error) {
			var q CaptureQuestion
			if err := control.Decode(args, &q); err != nil {
				return nil, err
			}
			return switchCapture(q, sw)
		}},
		{Name: VerbEMCON, Role: role.Operate, Changes: true, Handle: func(_ context.Context, args json.RawMessage, _ control.Caller) (any, error) {
			var q EMCONQuestion
			if err := control.Decode(args, &q); err != nil {
				return nil, err
			}
			return q, r.SetEMCON(q.On)
		}},
		{Name: VerbRate, Role: role.Operate, Changes: true, Handle: func(_ context.Context, args json.RawMessage, _ control.Caller) (any, error) {
			var q RateQuestion
			if err := control.Decode(args, &q); err != nil {
				return nil, err
			}
			if !q.With.Valid() {
				return AskedAnswer{}, r.SetRate(q.Rate)
			}
			id, err := r.AskRate(q.With, q.Rate)
			return AskedAnswer{id}, err
		}},
		{Name: VerbMessage, Role: role.Operate, Changes: true, Handle: func(_ context.Context, args json.RawMessage, _ control.Caller) (any, error) {
			var q MessageQuestion
			if err := control.Decode(args, &q); err != nil {
				return nil, err
			}
			eow, extended, err := manage.Request{Type: q.Type, Data: q.Data, Extended: q.Extended}.EOW()
			if err != nil {
				return nil, err
			}
			id, err := r.SendEOW(q.To, eow, extended)
			return AskedAnswer{id}, err
		}},
	}
}

func switchCapture(q CaptureQuestion, sw *capture.Switch) (CaptureAnswer, error) {
	if q.Prefix != "" {
		if !filepath.IsAbs(q.Prefix) {
			return CaptureAnswer{}, errors.New("the prefix of the files has to be absolute: the node does not know your folder")
		}
		return CaptureAnswer{}, sw.On(capture.Options{Prefix: q.Prefix, Bytes: q.Bytes, Files: q.Files, StandardPort: !q.Ports})
	}
	if _, ok := sw.Running(); !ok {
		return CaptureAnswer{}, errors.New("no capture is running")
	}
	stats, err := sw.Off()
	return CaptureAnswer{stats.Primitives, stats.Frames, stats.Dropped}, err
}
