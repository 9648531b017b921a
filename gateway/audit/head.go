package audit

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Names of the signed statements beside the segments.
const (
	headName  = "head.json"
	startName = "start.json"
)

// maxStatement bounds one signed statement as text.
const maxStatement = 4096

// ErrSignature says that a statement is not signed by the key.
var ErrSignature = errors.New("wrong signature")

// Statement is a signed sentence about the log of one node. Two kinds exist. A head says: at Time the log reached to
// Seq, whose record has Hash. A start says: records before Seq were removed on purpose; the first that remains is in
// Segment and follows Hash.
type Statement struct {
	Kind    StatementKind
	Node    string
	Began   time.Time // when the log was begun, tells logs of one node apart
	Segment uint64    // of a start only
	Seq     uint64
	Hash    Hash
	Time    time.Time
	Sig     [ed25519.SignatureSize]byte
}

// Head is a statement of kind HeadStatement.
type Head = Statement

// StatementKind tells heads and starts apart.
type StatementKind string

// The kinds of statement.
const (
	HeadStatement  StatementKind = "head"
	StartStatement StatementKind = "start"
)

// signed returns the bytes under the signature: every field with fixed length or with its length before it.
func (s *Statement) signed() []byte {
	b := appendText(nil, "sallyport audit statement 1")
	b = appendText(b, string(s.Kind))
	b = appendText(b, s.Node)
	b = appendTime(b, s.Began)
	b = appendTime(b, s.Time)
	b = binary.BigEndian.AppendUint64(b, s.Segment)
	b = binary.BigEndian.AppendUint64(b, s.Seq)
	return append(b, s.Hash[:]...)
}

func (s *Statement) sign(key ed25519.PrivateKey) {
	copy(s.Sig[:], ed25519.Sign(key, s.signed()))
}

// Verify returns nil or ErrSignature.
func (s *Statement) Verify(key ed25519.PublicKey) error {
	if len(key) != ed25519.PublicKeySize || !ed25519.Verify(key, s.signed(), s.Sig[:]) {
		return ErrSignature
	}
	return nil
}

// statementText is the form in files and log lines.
type statementText struct {
	Kind    StatementKind `json:"audit"`
	Node    string        `json:"node"`
	Began   string        `json:"began"`
	Segment uint64        `json:"segment,omitempty"`
	Seq     uint64        `json:"seq"`
	Hash    string        `json:"hash"`
	Time    string        `json:"time"`
	Sig     string        `json:"sig"`
}

// AppendStatement appends the statement as one line of JSON without the line end.
func AppendStatement(dst []byte, s *Statement) []byte {
	dst = append(dst, `{"audit":`...)
	dst = appendJSONString(dst, string(s.Kind))
	dst = append(dst, `,"node":`...)
	dst = appendJSONString(dst, s.Node)
	dst = fmt.Appendf(dst, `,"began":%q`, s.Began.UTC().Format(time.RFC3339Nano))
	if s.Segment != 0 {
		dst = fmt.Appendf(dst, `,"segment":%d`, s.Segment)
	}
	return fmt.Appendf(dst, `,"seq":%d,"hash":"%x","time":%q,"sig":%q}`,
		s.Seq, s.Hash, s.Time.UTC().Format(time.RFC3339Nano), base64.StdEncoding.EncodeToString(s.Sig[:]))
}

// ParseStatement reads one line. Text before the first brace is allowed, so that lines of a syslog file can be used.
func ParseStatement(line []byte) (Statement, error) {
	if len(line) > maxStatement {
		return Statement{}, errors.New("statement too long")
	}
	if i := bytes.IndexByte(line, '{'); i > 0 {
		line = line[i:]
	}
	dec := json.NewDecoder(bytes.NewReader(line))
	dec.DisallowUnknownFields()
	var t statementText
	if err := dec.Decode(&t); err != nil {
		return Statement{}, fmt.Errorf("statement: %w", err)
	}
	if len(bytes.TrimSpace(line[dec.InputOffset():])) > 0 {
		return Statement{}, errors.New("statement: text after its end")
	}
	return t.parse()
}

func (t *statementText) parse() (Statement, error) {
	s := Statement{Kind: t.Kind, Node: t.Node, Segment: t.Segment, Seq: t.Seq}
	if s.Kind != HeadStatement && s.Kind != StartStatement {
		return Statement{}, errors.New("statement: unknown kind")
	}
	var errs [4]error
	s.Began, errs[0] = time.Parse(time.RFC3339Nano, t.Began)
	s.Time, errs[1] = time.Parse(time.RFC3339Nano, t.Time)
	errs[2] = exactly(s.Hash[:], hex.DecodeString, t.Hash)
	errs[3] = exactly(s.Sig[:], base64.StdEncoding.DecodeString, t.Sig)
	if err := errors.Join(errs[:]...); err != nil {
		return Statement{}, fmt.Errorf("statement: %w", err)
	}
	return s, nil
}

// exactly decodes text into dst and insists on its length.
func exactly(dst []byte, decode func(string) ([]byte, error), text string) error {
	b, err := decode(text)
	if err != nil {
		return err
	}
	if len(b) != len(dst) {
		return fmt.Errorf("%d bytes where %d are needed", len(b), len(dst))
	}
	copy(dst, b)
	return nil
}

// parseStatements reads the lines of a file that hold a statement; other lines of a syslog file are passed over, but a
// file without any statement is an error.
func parseStatements(data []byte) ([]Statement, error) {
	var list []Statement
	var first error
	for line := range bytes.Lines(data) {
		line = bytes.TrimSpace(line)
		if !bytes.Contains(line, []byte(`{"audit":`)) {
			continue
		}
		s, err := ParseStatement(line)
		if err != nil && first == nil {
			first = err
		}
		if err == nil {
			list = append(list, s)
		}
	}
	if first == nil && len(list) == 0 {
		first = errors.New("no signed head in it")
	}
	return list, first
}
