package sasl

import (
	"bytes"
	"crypto/hmac"
	"encoding/base64"
	"hash"
	"strconv"
)

// scramServer is the server side of SCRAM (RFC 5802 §5, §7).
type scramServer struct {
	name string
	hash func() hash.Hash
	plus bool
	ch   Channel

	asked    bool // the empty challenge was sent
	over     bool
	question *Question
	first    clientFirst
	binding  []byte // what c= must hold
	secret   Secret
	standing Standing
	nonce    string // both parts
	server   string // our server-first
	identity string
}

var _ Inquirer = (*scramServer)(nil)

func (s *scramServer) Name() string { return s.name }

func (s *scramServer) Identity() string { return s.identity }

// Next takes client-first and, after Answer, client-final.
func (s *scramServer) Next(response []byte, present bool) (challenge []byte, done bool, err error) {
	switch {
	case s.question != nil || s.over:
		err = &Failure{Condition: MalformedRequest}
	case s.server != "":
		challenge, done, err = s.final(string(response))
	case !present && !s.asked:
		s.asked = true
		return []byte{}, false, nil
	default:
		err = s.begin(string(response))
	}
	s.over = s.over || done || err != nil
	return challenge, done, err
}

// begin judges client-first as far as that goes without the account.
func (s *scramServer) begin(text string) error {
	first, ok := parseClientFirst(text)
	if !ok || s.ch.Nonce == "" {
		return &Failure{Condition: MalformedRequest}
	}
	s.first = first
	if err := s.checkBinding(); err != nil {
		return err
	}
	id, err := s.ch.identity(first.username, first.authzid)
	if err != nil {
		return err
	}
	s.question = &Question{Want: WantSecret, Identity: id}
	return nil
}

// checkBinding holds the flag against what was offered (RFC 5802 §6, F08).
func (s *scramServer) checkBinding() error {
	s.binding = []byte(s.first.gs2)
	switch flag := s.first.flag; {
	case flag == 'p':
		data, ok := s.ch.binding(s.first.bindType)
		if !s.plus || !ok {
			return &Failure{Condition: NotAuthorized, Why: WrongBinding}
		}
		s.binding = append(s.binding, data...)
	case s.plus, flag == 'y' && len(s.ch.Bindings) > 0, s.ch.RequireBinding:
		return &Failure{Condition: NotAuthorized, Why: Downgraded}
	}
	return nil
}

func (s *scramServer) Asks() (Question, bool) {
	if s.question == nil {
		return Question{}, false
	}
	return *s.question, true
}

// Answer gives server-first.
func (s *scramServer) Answer(r Reply) ([]byte, bool, error) {
	if s.question == nil || s.server != "" {
		return nil, false, &Failure{Condition: MalformedRequest}
	}
	s.first.identity, s.question = s.question.Identity, nil
	size := s.hash().Size()
	if len(r.Secret.Salt) == 0 || r.Secret.Iterations < 1 || len(r.Secret.StoredKey) != size || len(r.Secret.ServerKey) != size {
		s.over = true
		return nil, false, &Failure{Condition: TemporaryAuthFailure} // nothing to check against: never a decision on the account
	}
	s.secret, s.standing = r.Secret, r.Standing
	s.nonce = s.first.nonce + s.ch.Nonce
	s.server = "r=" + s.nonce + ",s=" + base64.StdEncoding.EncodeToString(s.secret.Salt) + ",i=" + strconv.Itoa(s.secret.Iterations)
	if len(s.ch.Offered) > 0 {
		s.server += ",h=" + base64.StdEncoding.EncodeToString(s.ch.offerHash(s.hash()))
	}
	return []byte(s.server), false, nil
}

// final checks the proof and gives our own (RFC 5802 §3).
func (s *scramServer) final(text string) ([]byte, bool, error) {
	last, ok := parseClientFinal(text)
	if !ok {
		return nil, false, &Failure{Condition: MalformedRequest}
	}
	auth := []byte(s.first.bare + "," + s.server + "," + last.withoutProof)
	signature := s.mac(s.secret.StoredKey, auth)
	key := make([]byte, len(signature))
	copy(key, last.proof)
	for i := range key {
		key[i] ^= signature[i]
	}
	stored := s.hash()
	_, _ = stored.Write(key) // a hash never fails
	proved := hmac.Equal(stored.Sum(nil), s.secret.StoredKey) && len(last.proof) == len(key)
	if !bytes.Equal(last.binding, s.binding) {
		why := WrongBinding
		if s.first.flag != 'p' {
			why = Downgraded
		}
		return nil, false, &Failure{Condition: NotAuthorized, Why: why}
	}
	if err := s.standing.judge(proved && last.nonce == s.nonce); err != nil {
		return nil, false, err
	}
	s.identity = s.first.identity
	return []byte("v=" + base64.StdEncoding.EncodeToString(s.mac(s.secret.ServerKey, auth))), true, nil
}

func (s *scramServer) mac(key, text []byte) []byte {
	m := hmac.New(s.hash, key)
	_, _ = m.Write(text) // a hash never fails
	return m.Sum(nil)
}
