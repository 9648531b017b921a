package push_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/tree"
	"sallyport/server"
	"sallyport/server/push"
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

const user, mobile = "user@example.com", "user@example.com/mobile"

type world struct {
	server.Feature
	*testing.T
	service *push.Service
	core    servertest.Core
	says    stanza.Condition // of the push service
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t}
	w.core.Answer = func(q stanza.Stanza) stanza.Stanza {
		a, err := tree.IQ(stanza.IQResult, q.To(), q.From(), q.ID(), nil)
		if err != nil {
			t.Error(err)
		}
		if e, ok := stanza.ErrorReply(q, w.says, stanza.ErrorOptions{}); ok {
			a = e
		}
		return a
	}
	w.service = push.New(push.Config{Store: servertest.Store(t, user), Core: &w.core})
	t.Cleanup(w.service.Close)
	w.Feature = w.service.Feature()
	return w
}

func (w *world) enable(node, in string) string {
	w.Helper()
	return servertest.Said(w.T, servertest.Set(w.T, w.Feature, mobile, "", "<enable xmlns='urn:xmpp:push:0' jid='push-5.client.example' node='"+node+"'>"+in+"</enable>"))
}

func (w *world) comes(in string) {
	w.Helper()
	if _, err := servertest.Comes(w.T, w.Feature, "<message from='juliet@capulet.example/balcony' to='user@example.com' "+in+"</message>"); err != nil {
		w.Error(err)
	}
}

const body = "type='chat'><body>Wherefore art thou, Romeo?</body>"

// pushed gives what services were told, when everything is told.
func (w *world) pushed() []string {
	w.Helper()
	w.service.Settle()
	return w.core.Submitted(w.T)
}

// TestPush has the examples of XEP-0357 §5 to §7.
func TestPush(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.comes(body)
	if got := w.pushed(); got != nil {
		t.Errorf("before anybody is named: %v", got)
	}
	options := "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>http://jabber.org/protocol/pubsub#publish-options</value></field><field var='secret'><value>eruio</value></field></x>"
	if got := w.enable("yxs32", options); got != "" {
		t.Errorf("§5: %s", got)
	}
	w.comes(body)
	want := "<iq from='example.com' id='push' to='push-5.client.example' type='set'><pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='yxs32'><item>" +
		"<notification xmlns='urn:xmpp:push:0'><x xmlns='jabber:x:data' type='submit'><field type='hidden' var='FORM_TYPE'><value>urn:xmpp:push:summary</value></field>" +
		"<field var='message-count'><value>1</value></field></x></notification></item></publish><publish-options>" + options + "</publish-options></pubsub></iq>"
	if got := w.pushed(); !slices.Equal(got, []string{want}) {
		t.Errorf("§7: %s\nwant %s", got, want)
	}
	for name, in := range map[string]string{
		"a chat state": "type='chat'><composing xmlns='http://jabber.org/protocol/chatstates'/>", "an error": "type='error'><error type='cancel'/>",
		"a headline": "type='headline'><body>b</body>", "not to be kept": body + "<no-store xmlns='urn:xmpp:hints'/>",
	} {
		if w.comes(in); len(w.pushed()) > 0 {
			t.Errorf("%s wakes somebody", name)
		}
	}
	if w.comes(body + "<no-permanent-store xmlns='urn:xmpp:hints'/>"); len(w.pushed()) != 1 {
		t.Error("nobody is woken for what is in no archive, but waits")
	}
	client := server.Resource{JID: jid.MustParse(mobile), Active: true}
	for name, tc := range map[string]struct {
		there []server.Resource
		want  int
	}{
		"it is looked at": {[]server.Resource{client}, 0}, "nobody looks at it": {[]server.Resource{{JID: client.JID}}, 1},
		"another is looked at": {[]server.Resource{{JID: jid.MustParse(user + "/desk"), Active: true}}, 1},
	} {
		w.core.Online = tc.there
		if w.comes(body); len(w.pushed()) != tc.want {
			t.Errorf("%s: it is woken, or not", name)
		}
	}
	if got := servertest.Said(t, servertest.Set(t, w.Feature, mobile, "", "<disable xmlns='urn:xmpp:push:0' jid='push-5.client.example'/>")); got != "" {
		t.Errorf("§6: %s", got)
	}
	if w.comes(body); len(w.pushed()) > 0 {
		t.Error("woken after §6")
	}
}

// Who was taken for somebody who looks when his connection was lost is woken for what he may not have got.
func TestTheConnectionIsLost(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.enable("n", "")
	from := func(who, in string) []stanza.Stanza {
		return []stanza.Stanza{servertest.Stanza(t, "<message from='"+who+"' to='user@example.com' "+in+"</message>")}
	}
	const juliet = "juliet@capulet.example/balcony"
	here := server.Resource{JID: jid.MustParse(mobile), Active: true}
	for name, tc := range map[string]struct {
		client server.Resource
		unread []stanza.Stanza
		want   int
	}{
		"something unread":         {here, from(juliet, body), 1},
		"nothing unread":           {here, nil, 0},
		"somebody types":           {here, from(juliet, "type='chat'><composing xmlns='http://jabber.org/protocol/chatstates'/>"), 0},
		"his own words":            {here, from(user+"/desk", body), 0},
		"he was told when it came": {server.Resource{JID: here.JID}, from(juliet, body), 0},
		"a client that names none": {server.Resource{JID: jid.MustParse(user + "/desk"), Active: true}, from(juliet, body), 0},
	} {
		w.Away(t.Context(), tc.client, tc.unread)
		if got := w.pushed(); len(got) != tc.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestServicesThatRefuse(t *testing.T) {
	t.Parallel()
	for says, again := range map[stanza.Condition]int{stanza.ItemNotFound: 0, stanza.Forbidden: 0, stanza.RemoteServerTimeout: 1, stanza.ServiceUnavailable: 1} {
		w := newWorld(t)
		w.enable("n", "")
		w.says = says
		w.comes(body)
		w.pushed()
		if w.comes(body); len(w.pushed()) != again {
			t.Errorf("after %s it is asked again, or not", says)
		}
	}
}

// Messages that come while a service is told are told together.
func TestManyMessages(t *testing.T) {
	t.Parallel()
	store := servertest.Store(t, user)
	synctest.Test(t, func(t *testing.T) {
		core := &servertest.Core{}
		service := push.New(push.Config{Store: store, Core: core})
		f := service.Feature()
		core.Answer = func(q stanza.Stanza) stanza.Stanza {
			time.Sleep(time.Second)
			a, _ := stanza.ErrorReply(q, stanza.ServiceUnavailable, stanza.ErrorOptions{})
			return a
		}
		w := &world{T: t, Feature: f, service: service}
		w.enable("n", "")
		for range 5 {
			w.comes(body)
		}
		service.Settle()
		got := core.Submitted(t)
		if len(got) != 2 || !strings.Contains(got[0], "<value>1</value>") || !strings.Contains(got[1], "<value>4</value>") {
			t.Errorf("told %v", got)
		}
		core.Answer = nil // nobody answers any more
		w.comes(body)
		synctest.Wait()
		service.Close()
		w.comes(body)
		service.Settle()
		if n := len(core.Submitted(t)); n != 1 {
			t.Errorf("%d were told when it was closed", n)
		}
	})
}

func TestBadRequests(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, tc := range map[string][3]string{
		"a get":          {"get", "<enable xmlns='urn:xmpp:push:0' jid='p.example' node='n'/>", "bad-request"},
		"no node":        {"set", "<enable xmlns='urn:xmpp:push:0' jid='p.example'/>", "bad-request"},
		"no service":     {"set", "<enable xmlns='urn:xmpp:push:0' node='n'/>", "bad-request"},
		"another form":   {"set", "<enable xmlns='urn:xmpp:push:0' jid='p.example' node='n'><x xmlns='jabber:x:data' type='submit'/></enable>", "bad-request"},
		"disable nobody": {"set", "<disable xmlns='urn:xmpp:push:0'/>", "bad-request"},
		"disable a get":  {"get", "<disable xmlns='urn:xmpp:push:0' jid='p.example'/>", "bad-request"},
	} {
		if got := servertest.Said(t, servertest.Ask(t, w.Feature, tc[0], mobile, "", tc[1])); got != tc[2] {
			t.Errorf("%s: %s", name, got)
		}
	}
	for i := range push.MaxServices + 1 {
		if got := w.enable(fmt.Sprint(i), ""); (got == "resource-constraint") != (i == push.MaxServices) {
			t.Errorf("service %d: %s", i, got)
		}
	}
}
