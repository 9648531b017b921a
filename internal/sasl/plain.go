package sasl

import (
	"bytes"
	"unicode/utf8"
)

// plainServer is PLAIN (RFC 4616). It shows the password to the caller, once.
type plainServer struct {
	ch       Channel
	asked    bool // the empty challenge was sent
	question *Question
	over     bool
	identity string
}

var _ Inquirer = (*plainServer)(nil)

func (s *plainServer) Name() string { return Plain }

func (s *plainServer) Identity() string { return s.identity }

func (s *plainServer) Next(response []byte, present bool) ([]byte, bool, error) {
	switch {
	case s.question != nil || s.over:
		return nil, false, &Failure{Condition: MalformedRequest}
	case !present && !s.asked:
		s.asked = true
		return []byte{}, false, nil
	}
	s.over = true
	parts := bytes.Split(response, []byte{0})
	if len(parts) != 3 || len(parts[1]) == 0 {
		return nil, false, &Failure{Condition: MalformedRequest} // F04
	}
	if !utf8.Valid(response) || len(parts[2]) == 0 { // F04, F06
		return nil, false, &Failure{Condition: NotAuthorized, Why: WrongProof}
	}
	id, err := s.ch.identity(string(parts[1]), string(parts[0]))
	if err != nil {
		return nil, false, err
	}
	s.question = &Question{Want: WantPassword, Identity: id, Password: Password(parts[2])}
	return nil, false, nil
}

func (s *plainServer) Asks() (Question, bool) {
	if s.question == nil {
		return Question{}, false
	}
	return *s.question, true
}

func (s *plainServer) Answer(r Reply) ([]byte, bool, error) {
	if s.question == nil {
		return nil, false, &Failure{Condition: MalformedRequest}
	}
	id := s.question.Identity
	s.question = nil
	if err := r.Standing.judge(r.Right); err != nil {
		return nil, false, err
	}
	s.identity = id
	return nil, true, nil
}

// externalAccount is EXTERNAL for clients: the certificate proves the identity, the
// account must still be one that may log in.
type externalAccount struct {
	ExternalServer
	waiting bool
	proven  string
}

var _ Inquirer = (*externalAccount)(nil)

func (s *externalAccount) Identity() string { return s.proven }

func (s *externalAccount) Next(response []byte, present bool) ([]byte, bool, error) {
	if s.waiting || s.proven != "" {
		return nil, false, &Failure{Condition: MalformedRequest}
	}
	challenge, done, err := s.ExternalServer.Next(response, present)
	if err != nil {
		return nil, false, err
	}
	if s.waiting = done; !done {
		challenge = []byte{}
	}
	return challenge, false, nil
}

func (s *externalAccount) Asks() (Question, bool) {
	if !s.waiting {
		return Question{}, false
	}
	return Question{Want: WantStanding, Identity: s.ExternalServer.Identity()}, true
}

func (s *externalAccount) Answer(r Reply) ([]byte, bool, error) {
	if !s.waiting {
		return nil, false, &Failure{Condition: MalformedRequest}
	}
	s.waiting = false
	if err := r.Standing.judge(true); err != nil {
		return nil, false, err
	}
	s.proven = s.ExternalServer.Identity()
	return nil, true, nil
}
