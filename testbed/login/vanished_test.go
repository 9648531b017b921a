package login_test

import (
	"encoding/base64"
	"net"
	"strings"
	"testing"

	"sallyport/testbed/imserver"
)

// enter logs in and says that somebody is there. Its last request is answered.
func (a *asker) enter(user, resource string) {
	a.t.Helper()
	a.begin("wait='60' hold='1'")
	a.until("<success", "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>"+
		base64.StdEncoding.EncodeToString([]byte("\x00"+user+"\x00"+imserver.Password))+"</auth>")
	a.ask(1, "xmpp:restart='true'", "")
	a.until("<jid>", "<iq xmlns='jabber:client' type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>"+resource+"</resource></bind></iq>")
	a.until("<presence ", "<presence xmlns='jabber:client'/>") // the own presence comes back
}

// until says something and asks until it has been told what it waits for.
func (a *asker) until(want, say string) {
	a.t.Helper()
	for range 20 {
		if strings.Contains(a.told, want) {
			return
		}
		a.told += a.ask(1, "", say)
		say = ""
	}
	a.t.Fatalf("never told %s, but %s", want, a.told)
}

// A client that asks no more has not got what was said to it: another one of the account is given it, once.
func TestVanished(t *testing.T) {
	t.Parallel()
	h := running(t, "", "juliet", "romeo")
	web := net.JoinHostPort(h.Clients.Addr().String(), "5443")
	if err := h.Restart("\n[server.web]\nlisten = [\"" + web + "\"]\nbosh = true\n\n[server.login]\nmechanisms = [\"PLAIN\"]\nchannel-binding = \"never\"\n"); err != nil {
		t.Fatal(err)
	}
	people := make(map[string]*asker)
	for _, name := range []string{"gone", "orchard"} {
		people[name] = &asker{t: t, http: authority{t: t, h: h}.browser(web, nil)}
	}
	people["gone"].enter("juliet", "gone")
	people["orchard"].enter("romeo", "orchard")
	people["orchard"].ask(1, "", "<message xmlns='jabber:client' to='juliet@"+imserver.Domain+"' type='chat' id='m'><body>parting</body></message>"+
		"<iq xmlns='jabber:client' type='get' id='p' to='"+imserver.Domain+"'><ping xmlns='urn:xmpp:ping'/></iq>")
	back := &asker{t: t, http: authority{t: t, h: h}.browser(web, nil)}
	back.enter("juliet", "back")
	back.until("parting", "")
	back.until("id='last'", "<iq xmlns='jabber:client' type='get' id='last' to='"+imserver.Domain+"'><ping xmlns='urn:xmpp:ping'/></iq>")
	if n := strings.Count(back.told, "parting"); n != 1 {
		t.Errorf("given %d times: %s", n, back.told)
	}
}
