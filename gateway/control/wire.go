package control

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// Bounds on what crosses the socket.
const (
	maxQuestion = 2 << 20  // bytes of a question: a stanza to explain, with escapes
	maxAnswer   = 16 << 20 // bytes of an answer
	maxClients  = 16       // connections at once

	questionTime = 30 * time.Second // to send a question, and to be silent between two
	answerTime   = time.Minute      // for the verb
	writeTime    = 10 * time.Second // to take an answer
)

// Code says why there is no result.
type Code string

// The codes.
const (
	BadQuestion Code = "bad-question" // not JSON, too long, unknown fields, wrong arguments
	UnknownVerb Code = "unknown-verb"
	Denied      Code = "denied"
	Unrecorded  Code = "unrecorded" // the audit log did not take the record, so nothing was done
	Failed      Code = "failed"     // the verb ran and says why not
	Busy        Code = "busy"       // too many connections
)

// CallError is an answer without a result.
type CallError struct {
	Code Code   `json:"code"`
	Text string `json:"text"`
}

func (e *CallError) Error() string { return e.Text }

type question struct {
	Verb string          `json:"verb"`
	Args json.RawMessage `json:"args,omitempty"`
}

type answer struct {
	OK     bool            `json:"ok"`
	Result json.RawMessage `json:"result,omitempty"`
	Error  *CallError      `json:"error,omitempty"`
}

var errTooLong = errors.New("longer than allowed")

// readLine returns the next line without its end, at most limit bytes.
func readLine(r *bufio.Reader, limit int) ([]byte, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		if len(line)+len(part) > limit {
			return nil, errTooLong
		}
		line = append(line, part...)
		switch {
		case err == nil:
			return bytes.TrimRight(line, "\r\n"), nil
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF) && len(line) > 0:
			return nil, io.ErrUnexpectedEOF
		default:
			return nil, err
		}
	}
}

// Decode reads arguments strictly: an unknown field is an error, so that a misspelt one
// cannot be taken for its default.
func Decode(args json.RawMessage, into any) error {
	if len(args) == 0 {
		args = json.RawMessage("{}")
	}
	return decodeStrict(args, into)
}

func decodeStrict(b []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return &CallError{BadQuestion, "question: " + err.Error()}
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return &CallError{BadQuestion, "question: more than one JSON value"}
	}
	return nil
}

func encode(a answer) []byte {
	b, err := json.Marshal(a)
	if err == nil && len(b) > maxAnswer {
		err = fmt.Errorf("the answer is %d bytes long, %d is the most", len(b), maxAnswer)
	}
	if err != nil {
		b, _ = json.Marshal(answer{Error: &CallError{Failed, err.Error()}})
	}
	return append(b, '\n')
}
