package manage

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"sallyport/s5066"
	"sallyport/s5066/dpdu"
	"sallyport/s5066/sis"
)

// Numbers of messages.
const (
	NumberRequest uint8 = 1 // client to node
	NumberAnswer  uint8 = 2 // node to client, as the next
	NumberEvent   uint8 = 3
)

// MaxBody is the largest body in bytes.
const MaxBody = sis.MaxManagement

// ErrMessage is wrapped by all errors of this package.
var ErrMessage = errors.New("management message")

// Verb is what a request wants. The zero value is nothing, and refused.
type Verb string

// The verbs.
const (
	VerbStatus  Verb = "status"
	VerbWatch   Verb = "watch"
	VerbRate    Verb = "rate"
	VerbMessage Verb = "message"
	VerbEMCON   Verb = "emcon"
)

// Request is one of a manager.
type Request struct {
	ID       uint64        `json:"id"`
	Verb     Verb          `json:"verb"`
	On       bool          `json:"on,omitempty"`       // watch, emcon
	Remote   s5066.Address `json:"remote,omitzero"`    // message; rate: with whom to agree
	Rate     int           `json:"rate,omitempty"`     // bit/s
	Type     uint8         `json:"type,omitempty"`     // of the order wire message, 0 to 15
	Data     uint8         `json:"data,omitempty"`     // of it
	Extended string        `json:"extended,omitempty"` // of it, in hexadecimal, at most 23 bytes
}

// EOW is what a request for a message wants to be said. Errors wrap ErrMessage.
func (r Request) EOW() (dpdu.EOW, string, error) {
	extended, err := hex.DecodeString(r.Extended)
	switch {
	case err != nil:
		return 0, "", fmt.Errorf("%w: the extended message is not hexadecimal", ErrMessage)
	case r.Type > 15:
		return 0, "", fmt.Errorf("%w: type %d of an order wire message, want 0 to 15", ErrMessage, r.Type)
	case len(extended) > dpdu.MaxExtended:
		return 0, "", fmt.Errorf("%w: an extended message of %d bytes, want %d at most", ErrMessage, len(extended), dpdu.MaxExtended)
	}
	return dpdu.MakeEOW(dpdu.EOWType(r.Type), r.Data), string(extended), nil
}

// Answer is how a request ended.
type Answer struct {
	ID     uint64  `json:"id"`
	OK     bool    `json:"ok"`
	Why    string  `json:"why,omitempty"`  // of a refusal
	Text   string  `json:"text,omitempty"` // what was done
	Status *Status `json:"status,omitempty"`
}

// Event is something that happened.
type Event struct {
	Time   time.Time     `json:"time"`
	Kind   string        `json:"kind"`
	Remote s5066.Address `json:"remote,omitzero"`
	Text   string        `json:"text,omitempty"`
}

// AppendRequest, AppendAnswer and AppendEvent append a body. Errors wrap ErrMessage: what is too large.
func AppendRequest(dst []byte, r Request) ([]byte, error) { return appendBody(dst, r) }

// AppendAnswer appends the body of an answer.
func AppendAnswer(dst []byte, a Answer) ([]byte, error) { return appendBody(dst, a) }

// AppendEvent appends the body of an event.
func AppendEvent(dst []byte, e Event) ([]byte, error) { return appendBody(dst, e) }

func appendBody(dst []byte, v any) ([]byte, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMessage, err)
	}
	if len(b) > MaxBody {
		return nil, fmt.Errorf("%w: %d bytes, want %d at most", ErrMessage, len(b), MaxBody)
	}
	return append(dst, b...), nil
}

// ParseRequest, ParseAnswer and ParseEvent read a whole body. Errors wrap ErrMessage.
func ParseRequest(b []byte) (r Request, err error) { return r, parse(b, &r) }

// ParseAnswer reads the body of an answer.
func ParseAnswer(b []byte) (a Answer, err error) { return a, parse(b, &a) }

// ParseEvent reads the body of an event.
func ParseEvent(b []byte) (e Event, err error) { return e, parse(b, &e) }

func parse(b []byte, v any) error {
	if len(b) > MaxBody {
		return fmt.Errorf("%w: %d bytes, want %d at most", ErrMessage, len(b), MaxBody)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("%w: %w", ErrMessage, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: something follows it", ErrMessage)
	}
	return nil
}
