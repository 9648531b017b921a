package sasl

import (
	"encoding/base64"
	"strings"
)

// Client is the initiating side of one attempt.
type Client interface {
	// Name is the mechanism name, as in <auth mechanism=''/>.
	Name() string
	// Next returns our message. The first call, with no challenge, gives the
	// initial response; nil means that there is none to send with <auth/>.
	Next(challenge []byte) (response []byte, err error)
}

// Server is the receiving side of one attempt. Its errors are *Failure.
type Server interface {
	Name() string
	// Next takes the peer's message; present is false when <auth/> carried no
	// initial response. done means that Identity is authenticated; otherwise
	// challenge goes to the peer.
	Next(response []byte, present bool) (challenge []byte, done bool, err error)
	// Identity is the authorisation identity, empty until done.
	Identity() string
}

// DecodeText reads the text of <auth/>, <challenge/> or <response/> (RFC 6120
// §6.4.2): empty means no data at all, a lone "=" means data of length zero, all
// else is strict base64 without white space (F03).
func DecodeText(text string) (data []byte, present bool, err error) {
	switch {
	case text == "":
		return nil, false, nil
	case text == "=":
		return []byte{}, true, nil
	case strings.ContainsAny(text, "\r\n"): // the decoder of encoding/base64 would skip them
		return nil, false, &Failure{Condition: IncorrectEncoding}
	}
	data, err = base64.StdEncoding.Strict().DecodeString(text)
	if err != nil {
		return nil, false, &Failure{Condition: IncorrectEncoding}
	}
	return data, true, nil
}

// EncodeText is the inverse of DecodeText: nil gives "", empty data gives "=".
func EncodeText(data []byte) string {
	switch {
	case data == nil:
		return ""
	case len(data) == 0:
		return "="
	}
	return base64.StdEncoding.EncodeToString(data)
}
