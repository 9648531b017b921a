package pep_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"sallyport/internal/xmpp/caps"
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/tree"
	"sallyport/server"
	"sallyport/server/pep"
	"sallyport/server/servertest"
)

func TestMain(m *testing.M) {
	code := m.Run()
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

const (
	juliet  = "juliet@capulet.lit"
	balcony = juliet + "/balcony"
	chamber = juliet + "/chamber"
	romeo   = "romeo@montague.lit/orchard" // sees juliet's presence
	nurse   = "nurse@capulet.lit/chamber"  // too, and is in the group Servants
	paris   = "paris@verona.lit/x"         // does not
	tune    = "http://jabber.org/protocol/tune"
)

// world is the service with clients whose caps it can ask for.
type world struct {
	server.Feature
	*testing.T
	service *pep.Service
	core    servertest.Core

	mu      sync.Mutex
	clients map[string]string // the disco#info of each
	blocked string
	looked  int               // how often rosters have been looked into
	stopped string            // what is in labels that no answer may have
	hidden  map[string]string // of readers, by their full address: what is in labels that they may not read
}

// mayRead looks at labels only.
func (w *world) mayRead(kept stanza.Stanza, reader jid.JID) bool {
	what, ok := w.hidden[reader.String()]
	return !ok || !strings.Contains(servertest.Text(w.T, kept.Element()), what)
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t, clients: make(map[string]string)}
	now := time.Unix(1e9, 0)
	w.core.Answer = w.answer
	w.service = pep.New(pep.Config{
		Store: servertest.Store(t, juliet), Core: &w.core, Node: "n1", Now: func() time.Time { now = now.Add(time.Second); return now },
		MaySee: func(_ context.Context, account, who jid.JID) bool {
			return account.String() == juliet && (who == jid.MustParse(romeo).Bare() || who == jid.MustParse(nurse).Bare())
		},
		Knows: func(_ context.Context, _, who jid.JID) bool {
			w.looked++
			return who != jid.MustParse(paris).Bare()
		},
		Groups: func(_ context.Context, _, who jid.JID) []string {
			if who == jid.MustParse(nurse).Bare() {
				return []string{"Family", "Servants"}
			}
			return nil
		},
		Blocks:  func(_ context.Context, _, other jid.JID) bool { return other.String() == w.blocked },
		MayRead: w.mayRead,
		MayAnswer: func(answer stanza.Stanza) bool {
			return w.stopped == "" || !strings.Contains(servertest.Text(t, answer.Element()), w.stopped)
		},
	})
	t.Cleanup(w.service.Close)
	w.Feature = w.service.Feature()
	return w
}

// answer is what clients say when they are asked what their caps mean.
func (w *world) answer(q stanza.Stanza) stanza.Stanza {
	w.mu.Lock()
	defer w.mu.Unlock()
	text, ok := w.clients[q.To().String()]
	if !ok {
		a, _ := stanza.ErrorReply(q, stanza.ServiceUnavailable, stanza.ErrorOptions{})
		return a
	}
	a, err := tree.IQ(stanza.IQResult, q.To(), q.From(), q.ID(), servertest.Element(w.T, text))
	if err != nil {
		w.Error(err)
	}
	return a
}

func info(features ...string) string {
	return "<query xmlns='http://jabber.org/protocol/disco#info'><identity category='client' type='pc'/><feature var='" + strings.Join(features, "'/><feature var='") + "'/></query>"
}

// shows is presence with the caps of a disco#info.
func (w *world) shows(from, query string) stanza.Stanza {
	w.Helper()
	ver, err := caps.Ver("sha-1", servertest.Element(w.T, query))
	if err != nil {
		w.Fatal(err)
	}
	return servertest.Stanza(w.T, "<presence from='"+from+"' to='"+juliet+"'><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='urn:client' ver='"+ver+"'/></presence>")
}

// comes lets a client come whose caps are those of a disco#info, and which gives it when it is asked.
func (w *world) comes(from, query string) {
	w.Helper()
	w.mu.Lock()
	w.clients[from] = query
	w.mu.Unlock()
	w.presence(w.shows(from, query))
}

func (w *world) presence(s stanza.Stanza) {
	w.Helper()
	if s.From().Bare().String() == juliet {
		w.Available(w.Context(), server.Resource{JID: s.From()}, s, true)
	} else if err := w.Comes(w.Context(), &server.Passing{Account: s.To().Bare(), Stanza: s}); err != nil {
		w.Error(err)
	}
	w.service.Settle()
}

// asks asks, and gives the answer in words.
func (w *world) asks(kind, from, in string) string {
	w.Helper()
	to := juliet
	if strings.HasPrefix(from, juliet) {
		to = ""
	}
	space := "http://jabber.org/protocol/pubsub"
	if in, ok := strings.CutPrefix(in, "owner:"); ok {
		return servertest.Said(w.T, servertest.Ask(w.T, w.Feature, kind, from, to, "<pubsub xmlns='"+space+"#owner'>"+in+"</pubsub>"))
	}
	return servertest.Said(w.T, servertest.Ask(w.T, w.Feature, kind, from, to, "<pubsub xmlns='"+space+"'>"+in+"</pubsub>"))
}

// notified gives who was told what, but for questions, as "client: event".
func (w *world) notified() []string {
	w.Helper()
	var out []string
	ids := make(map[string]bool)
	for _, text := range append(w.core.Told(w.T), w.core.Submitted(w.T)...) {
		s := servertest.Stanza(w.T, text)
		if s.Kind() == stanza.IQ {
			continue
		}
		e := s.Element().Child("http://jabber.org/protocol/pubsub#event", "event")
		if e == nil || s.From().String() != juliet || s.Type() != stanza.MessageHeadline || s.ID() == "" || ids[s.ID()] { // XEP-0060 §12.4
			w.Errorf("said %s", text)
			continue
		}
		ids[s.ID()] = true
		in := strings.TrimPrefix(servertest.Text(w.T, e), "<event xmlns='http://jabber.org/protocol/pubsub#event'>")
		said := s.To().String() + ": " + strings.TrimSuffix(in, "</event>")
		if label := s.Element().Child("urn:xmpp:sec-label:0", "securitylabel"); label != nil {
			said += servertest.Text(w.T, label)
		}
		out = append(out, said)
	}
	slices.Sort(out)
	return out
}

// expect wants exactly these to have been notified.
func (w *world) expect(what string, want ...string) {
	w.Helper()
	slices.Sort(want)
	if got := w.notified(); !slices.Equal(got, want) {
		w.Errorf("%s: notified\n%s\nwant\n%s", what, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func publish(node, id, payload string) string {
	return "<publish node='" + node + "'><item id='" + id + "'>" + payload + "</item></publish>"
}

func event(node, id, payload string) string {
	return "<items node='" + node + "'><item id='" + id + "'>" + payload + "</item></items>"
}

func options(fields ...string) string {
	return "<publish-options>" + formOf("publish-options", fields) + "</publish-options>"
}

func formOf(kind string, fields []string) string {
	text := "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE' type='hidden'><value>http://jabber.org/protocol/pubsub#" + kind + "</value></field>"
	for i := 0; i+1 < len(fields); i += 2 {
		text += "<field var='pubsub#" + fields[i] + "'><value>" + strings.ReplaceAll(fields[i+1], ",", "</value><value>") + "</value></field>"
	}
	return text + "</x>"
}

const song = "<tune xmlns='http://jabber.org/protocol/tune'><title>Yessongs</title></tune>"

// What is published here is announced: events, and the vCards that are among them (XEP-0292 §7); and that it is by an account (XEP-0060 §9).
func TestWhatIsAnnounced(t *testing.T) {
	t.Parallel()
	f := newWorld(t).service.Feature()
	for _, want := range []string{"http://jabber.org/protocol/pubsub#publish", "http://jabber.org/protocol/pubsub#pubsub-on-a-jid", "urn:ietf:params:xml:ns:vcard-4.0"} {
		if !slices.Contains(f.AccountFeatures, want) {
			t.Errorf("%s is not among %v", want, f.AccountFeatures)
		}
	}
}

// TestPublish has the course of XEP-0163 §1.1.
func TestPublish(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	wants := info("urn:a", tune+"+notify")
	for _, who := range []string{balcony, chamber, romeo, paris} {
		w.comes(who, wants)
	}
	w.comes(nurse, info("urn:a"))
	w.expect("before anything is published")
	said := "<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='" + tune + "'><item id='i1'/></publish></pubsub>"
	if got := w.asks("set", balcony, publish(tune, "i1", song)); got != said {
		t.Errorf("answered %s", got)
	}
	e := event(tune, "i1", song)
	w.expect("published", balcony+": "+e, chamber+": "+e, romeo+": "+e)
	w.comes(nurse, wants) // it wants to know from now on
	w.expect("caps that changed", nurse+": "+e)
	w.presence(w.shows(nurse, wants))
	w.expect("the same presence again")
	w.presence(servertest.Stanza(t, "<presence from='"+romeo+"' to='"+juliet+"' type='unavailable'/>"))
	w.Unavailable(t.Context(), server.Resource{JID: jid.MustParse(chamber)})
	w.blocked = nurse
	w.asks("set", chamber, publish(tune, "i2", song))
	e = event(tune, "i2", song)
	w.expect("some are gone, one is blocked", balcony+": "+e)
	w.blocked = ""
	w.presence(w.shows(romeo, wants))
	w.expect("the last item for who comes", romeo+": "+e)
	w.asks("set", balcony, publish("urn:other", "x", "<x xmlns='urn:other'/>"))
	w.expect("a node that nobody wants")
}

func TestRetractPurgeDelete(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.comes(romeo, info(tune+"+notify"))
	w.asks("set", balcony, publish(tune, "i1", song)+options("max_items", "5"))
	w.asks("set", balcony, publish(tune, "i2", song))
	w.notified()
	steps := []struct{ name, kind, in, want, told string }{
		{"§7.2", "set", "<retract node='" + tune + "' notify='true'><item id='i1'/></retract>", "", "<items node='" + tune + "'><retract id='i1'/></items>"},
		{"again", "set", "<retract node='" + tune + "'><item id='i1'/></retract>", "item-not-found", ""},
		{"without id", "set", "<retract node='" + tune + "'><item/></retract>", "bad-request <item-required xmlns='http://jabber.org/protocol/pubsub#errors'/>", ""},
		{"without node", "set", "<retract><item id='i1'/></retract>", "bad-request <nodeid-required xmlns='http://jabber.org/protocol/pubsub#errors'/>", ""},
		{"§12.11, one of two that is not there", "set", "<retract node='" + tune + "'><item id='i2'/><item id='i1'/></retract>", "item-not-found", ""},
		{"one of two without id", "set", "<retract node='" + tune + "'><item id='i2'/><item/></retract>", "bad-request <item-required xmlns='http://jabber.org/protocol/pubsub#errors'/>", ""},
		{"so that all are there", "set", "<retract node='" + tune + "'><item id='i2'/><item id='i2'/></retract>", "", "<items node='" + tune + "'><retract id='i2'/></items>"},
		{"§8.5", "set", "owner:<purge node='" + tune + "'/>", "", "<purge node='" + tune + "'/>"},
		{"§8.4", "set", "owner:<delete node='" + tune + "'/>", "", "<delete node='" + tune + "'/>"},
		{"again", "set", "owner:<delete node='" + tune + "'/>", "item-not-found", ""},
		{"of a node that is gone", "set", "<retract node='" + tune + "'><item id='i1'/></retract>", "item-not-found", ""},
	}
	for _, s := range steps {
		if got := w.asks(s.kind, balcony, s.in); got != s.want {
			t.Errorf("%s: %s", s.name, got)
		}
		if s.told == "" {
			w.expect(s.name)
		} else {
			w.expect(s.name, romeo+": "+s.told)
		}
	}
}

func TestClose(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.core.Answer = nil // nobody answers
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.presence(w.shows(romeo, info(tune+"+notify")))
	}()
	for len(w.core.Submitted(t)) == 0 { // it is being asked
		select {
		case <-t.Context().Done():
			t.Fatal("nobody is asked")
		default:
		}
	}
	w.service.Close()
	<-done
}
