package sasl

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"unicode/utf8"
)

// HT-SHA-256 mechanisms, by the channel binding that the token is bound with.
const (
	TokenNone = "HT-SHA-256-NONE"
	TokenEndP = "HT-SHA-256-ENDP" // tls-server-end-point
	TokenExpr = "HT-SHA-256-EXPR" // tls-exporter
)

// MaxTokens is how many tokens of one client are tried: the one in use, its
// successor, and some that have ended.
const MaxTokens = 4

// hashedToken reports whether the name is a mechanism for tokens.
func hashedToken(name string) bool {
	return name == TokenNone || name == TokenEndP || name == TokenExpr
}

// IsToken reports whether a mechanism takes tokens of XEP-0484, and nothing else.
func IsToken(mechanism string) bool { return hashedToken(mechanism) }

// TokenMechanisms are those that work with these bindings, the strongest first.
func TokenMechanisms(bindings []Binding) []string {
	ch := Channel{Bindings: bindings}
	var names []string
	for _, name := range []string{TokenExpr, TokenEndP} {
		if _, ok := ch.binding(tokenBinding(name)); ok {
			names = append(names, name)
		}
	}
	return append(names, TokenNone)
}

func tokenBinding(name string) string {
	switch name {
	case TokenEndP:
		return TLSServerEndPoint
	case TokenExpr:
		return TLSExporter
	}
	return ""
}

// tokenServer is HT-SHA-256 (draft-schmaus-kitten-sasl-ht §3): one message each way.
type tokenServer struct {
	name     string
	ch       Channel
	asked    bool
	over     bool
	proof    []byte
	data     []byte // of the channel binding
	question *Question
	token    Token
	identity string
}

var _ Inquirer = (*tokenServer)(nil)

func (s *tokenServer) Name() string { return s.name }

func (s *tokenServer) Identity() string { return s.identity }

// UsedToken is the caller's name of the token that proved the identity, empty before.
func UsedToken(s Server) string {
	if t, ok := s.(*tokenServer); ok && t.identity != "" {
		return t.token.ID
	}
	return ""
}

func (s *tokenServer) Next(response []byte, present bool) ([]byte, bool, error) {
	switch {
	case s.question != nil || s.over:
		return nil, false, &Failure{Condition: MalformedRequest}
	case !present && !s.asked:
		s.asked = true
		return []byte{}, false, nil
	}
	s.over = true
	name, proof, ok := bytes.Cut(response, []byte{0})
	if !ok || len(name) == 0 || !utf8.Valid(name) || len(proof) != sha256.Size {
		return nil, false, &Failure{Condition: MalformedRequest}
	}
	if typ := tokenBinding(s.name); typ != "" {
		if s.data, ok = s.ch.binding(typ); !ok {
			return nil, false, &Failure{Condition: NotAuthorized, Why: WrongBinding}
		}
	} else if s.ch.RequireBinding {
		return nil, false, &Failure{Condition: NotAuthorized, Why: Downgraded}
	}
	id, err := s.ch.identity(string(name), "")
	if err != nil {
		return nil, false, err
	}
	s.proof = bytes.Clone(proof)
	s.question = &Question{Want: WantTokens, Identity: id}
	return nil, false, nil
}

func (s *tokenServer) Asks() (Question, bool) {
	if s.question == nil {
		return Question{}, false
	}
	return *s.question, true
}

// Answer tries MaxTokens tokens in any case, so that nobody learns how many there are.
func (s *tokenServer) Answer(r Reply) ([]byte, bool, error) {
	if s.question == nil {
		return nil, false, &Failure{Condition: MalformedRequest}
	}
	id := s.question.Identity
	s.question = nil
	found := -1
	for i := range MaxTokens {
		var value string
		if i < len(r.Tokens) {
			value = r.Tokens[i].Value
		}
		if hmac.Equal(s.mac(value, "Initiator"), s.proof) && value != "" {
			found = i
		}
	}
	if err := r.Standing.judge(found >= 0); err != nil {
		return nil, false, err
	}
	if r.Tokens[found].Over { // XEP-0484 §4.2
		return nil, false, &Failure{Condition: CredentialsExpired, Why: NotInStanding}
	}
	s.token, s.identity = r.Tokens[found], id
	return s.mac(s.token.Value, "Responder"), true, nil
}

func (s *tokenServer) mac(token, who string) []byte {
	m := hmac.New(sha256.New, []byte(token))
	_, _ = m.Write(append([]byte(who), s.data...)) // a hash never fails
	return m.Sum(nil)
}
