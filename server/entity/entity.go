// Package entity answers what everybody may ask of a server or of himself: is it there (ping, XEP-0199), what time it has (XEP-0202),
// which software it is (XEP-0092); and when somebody was last there (XEP-0012).
//
// Inside: one constructor for each. Not inside: pings that the server sends (server/c2s).
//
// It must never tell who is not subscribed to an account's presence anything about it, whether it exists included: he gets the answer
// that everybody gets for an address without account.
package entity

import (
	"context"
	"time"

	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/tree"
	"sallyport/server"
)

// Namespaces.
const (
	nsPing    = "urn:xmpp:ping"
	nsTime    = "urn:xmpp:time"
	nsVersion = "jabber:iq:version"
	nsLast    = "jabber:iq:last"
)

// refused answers with a condition.
func refused(c stanza.Condition) server.Answer { return server.Answer{Condition: c} }

// Ping answers pings of a domain, and of the own account (XEP-0199 §4.2).
func Ping() server.Feature {
	return server.Feature{
		Name:            "ping",
		ServerFeatures:  []string{nsPing},
		AccountFeatures: []string{nsPing},
		IQ: []server.IQRoute{{
			Space: nsPing, Local: "ping", At: []server.Target{server.AtAccount, server.AtServer},
			Handle: func(_ context.Context, q *server.Request) server.Answer {
				if q.Set {
					return refused(stanza.BadRequest)
				}
				return server.Answer{}
			},
		}},
	}
}

// Time tells the time of the server, with its zone (XEP-0202).
func Time(now func() time.Time) server.Feature {
	return server.Feature{
		Name:           "time",
		ServerFeatures: []string{nsTime},
		IQ: []server.IQRoute{{
			Space: nsTime, Local: "time", At: []server.Target{server.AtServer},
			Handle: func(_ context.Context, q *server.Request) server.Answer {
				if q.Set {
					return refused(stanza.BadRequest)
				}
				at := now()
				return server.Answer{Payload: tree.New(nsTime, "time", tree.With(
					tree.New(nsTime, "tzo", tree.Text(at.Format("-07:00"))),
					tree.New(nsTime, "utc", tree.Text(at.UTC().Format("2006-01-02T15:04:05.000Z"))),
				))}
			},
		}},
	}
}

// Version tells name and version of the software, and the operating system unless os is empty (XEP-0092).
func Version(name, version, os string) server.Feature {
	return server.Feature{
		Name:           "version",
		ServerFeatures: []string{nsVersion},
		IQ: []server.IQRoute{{
			Space: nsVersion, Local: "query", At: []server.Target{server.AtServer},
			Handle: func(_ context.Context, q *server.Request) server.Answer {
				if q.Set {
					return refused(stanza.NotAllowed)
				}
				e := tree.New(nsVersion, "query", tree.With(
					tree.New(nsVersion, "name", tree.Text(name)), tree.New(nsVersion, "version", tree.Text(version))))
				if os != "" {
					e = tree.New(nsVersion, "query", tree.With(e.Child(nsVersion, "name"), e.Child(nsVersion, "version"),
						tree.New(nsVersion, "os", tree.Text(os))))
				}
				return server.Answer{Payload: e}
			},
		}},
	}
}
