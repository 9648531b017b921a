package sasl

import "unicode/utf8"

// External is the name of the mechanism.
const External = "EXTERNAL"

// ExternalClient asks for the identity that the channel proves. With an empty
// AuthzID the server derives it (RFC 4422 appendix A.1).
type ExternalClient struct{ AuthzID string }

var _ Client = (*ExternalClient)(nil)

func (c *ExternalClient) Name() string { return External }

// Next gives the authorisation identity, first or after an empty challenge.
func (c *ExternalClient) Next(challenge []byte) ([]byte, error) {
	if len(challenge) > 0 {
		return nil, &Failure{Condition: MalformedRequest} // EXTERNAL has only the empty challenge
	}
	return append([]byte{}, c.AuthzID...), nil
}

// ExternalServer accepts an identity that the channel has proven.
type ExternalServer struct {
	// Identities are what the channel proves and this stream may use. Empty: nobody.
	Identities []string
	// Same reports whether an authorisation identity sent by the peer means the
	// proven one; it compares after preparation. Nil compares bytes.
	Same func(authzid, proven string) bool

	asked    bool
	identity string
}

var _ Server = (*ExternalServer)(nil)

func (s *ExternalServer) Name() string { return External }

// Identity is the accepted identity.
func (s *ExternalServer) Identity() string { return s.identity }

// Next answers a missing initial response with one empty challenge. An empty
// authorisation identity is accepted when exactly one identity is proven; a
// value must be one of them (F16).
func (s *ExternalServer) Next(response []byte, present bool) ([]byte, bool, error) {
	s.identity = ""
	if len(s.Identities) == 0 {
		return nil, false, &Failure{Condition: NotAuthorized}
	}
	if !present && !s.asked {
		s.asked = true
		return nil, false, nil
	}
	// After the challenge an absent text is the empty response (RFC 6120 §6.4.3).
	s.asked = true
	if !utf8.Valid(response) {
		return nil, false, &Failure{Condition: MalformedRequest}
	}
	if len(response) == 0 {
		if len(s.Identities) != 1 {
			return nil, false, &Failure{Condition: InvalidAuthzid}
		}
		s.identity = s.Identities[0]
		return nil, true, nil
	}
	for _, id := range s.Identities {
		if s.same(string(response), id) {
			s.identity = id
			return nil, true, nil
		}
	}
	return nil, false, &Failure{Condition: InvalidAuthzid}
}

func (s *ExternalServer) same(authzid, proven string) bool {
	if s.Same == nil {
		return authzid == proven
	}
	return s.Same(authzid, proven)
}
