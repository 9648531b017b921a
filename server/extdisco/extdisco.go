// Package extdisco tells clients of services beside the server, as relays for calls, and gives them credentials for a while (XEP-0215).
//
// Inside: [New]. Not inside: the services.
//
// It must never tell anybody but the accounts of this server, and never give out the secret that credentials are made with.
//
// Credentials are those that relays can check without being asked (the TURN REST API of the IETF drafts behave-turn-rest, as coturn has
// it): the name is the second in which they end and who they are for, the password a keyed hash (HMAC-SHA1) of the name.
package extdisco

import (
	"context"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // what relays understand; a MAC needs no hash without collisions
	"encoding/base64"
	"errors"
	"strconv"
	"time"

	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/tree"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/server"
)

const nsServices = "urn:xmpp:extdisco:2"

// Service is one that clients are told of.
type Service struct {
	Type       string // stun, turn, turns …
	Host       string
	Port       int    // 0: the usual one
	Transport  string // udp or tcp, empty for none in particular
	Name       string
	Secret     string // shared with the service, for credentials; empty: it needs none
	Restricted bool   // tells clients that credentials are needed
}

// lifetime is how long credentials hold.
const lifetime = 12 * time.Hour

// New makes the feature.
func New(services []Service, now func() time.Time) (server.Feature, error) {
	for _, s := range services {
		if s.Type == "" || s.Host == "" || s.Port < 0 || s.Port > 65535 {
			return server.Feature{}, errors.New("an external service needs a type, a host and a port from 0 to 65535")
		}
	}
	f := &feature{services, now}
	at := []server.Target{server.AtServer}
	return server.Feature{
		Name:           "external services",
		ServerFeatures: []string{nsServices},
		IQ: []server.IQRoute{
			{Space: nsServices, Local: "services", At: at, Handle: f.list},
			{Space: nsServices, Local: "credentials", At: at, Handle: f.credentials},
		},
	}, nil
}

type feature struct {
	services []Service
	now      func() time.Time
}

func refused(c stanza.Condition) server.Answer { return server.Answer{Condition: c} }

// list is §3.1 and §3.2.
func (f *feature) list(_ context.Context, q *server.Request) server.Answer {
	if c := asked(q); c != stanza.NoCondition {
		return refused(c)
	}
	want := tree.Value(q.Payload, "type")
	var in []*xmlstream.Element
	for i := range f.services {
		if s := &f.services[i]; want == "" || s.Type == want {
			in = append(in, f.element(s, q))
		}
	}
	return server.Answer{Payload: tree.New(nsServices, "services", tree.Attr("type", want), tree.With(in...))}
}

// credentials is §3.3.
func (f *feature) credentials(_ context.Context, q *server.Request) server.Answer {
	if c := asked(q); c != stanza.NoCondition {
		return refused(c)
	}
	want := q.Payload.Child(nsServices, "service")
	if want == nil || tree.Value(want, "host") == "" || tree.Value(want, "type") == "" {
		return refused(stanza.BadRequest)
	}
	var in []*xmlstream.Element
	for i := range f.services {
		s := &f.services[i]
		port := tree.Value(want, "port")
		if s.Host == tree.Value(want, "host") && s.Type == tree.Value(want, "type") && (port == "" || port == portOf(s)) && s.Secret != "" {
			in = append(in, f.element(s, q))
		}
	}
	if len(in) == 0 {
		return refused(stanza.ItemNotFound)
	}
	return server.Answer{Payload: tree.New(nsServices, "credentials", tree.With(in...))}
}

func asked(q *server.Request) stanza.Condition {
	switch {
	case q.Set:
		return stanza.BadRequest
	case !q.Local:
		return stanza.Forbidden
	}
	return stanza.NoCondition
}

func portOf(s *Service) string {
	if s.Port == 0 {
		return ""
	}
	return strconv.Itoa(s.Port)
}

func (f *feature) element(s *Service, q *server.Request) *xmlstream.Element {
	parts := []tree.Part{
		tree.Attr("host", s.Host), tree.Attr("name", s.Name), tree.Attr("port", portOf(s)), tree.Attr("transport", s.Transport), tree.Attr("type", s.Type),
	}
	if s.Restricted || s.Secret != "" {
		parts = append(parts, tree.Attr("restricted", "true"))
	}
	if s.Secret != "" {
		until := f.now().Add(lifetime)
		name := strconv.FormatInt(until.Unix(), 10) + ":" + q.From.Local()
		mac := hmac.New(sha1.New, []byte(s.Secret))
		mac.Write([]byte(name)) // a hash never fails
		parts = append(parts, tree.Attr("username", name), tree.Attr("password", base64.StdEncoding.EncodeToString(mac.Sum(nil))),
			tree.Attr("expires", until.UTC().Format("2006-01-02T15:04:05Z")))
	}
	return tree.New(nsServices, "service", parts...)
}
