package stream_test

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"sallyport/internal/sasl"
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/stream"
	"sallyport/internal/xmpp/xmlstream"
)

// The cast: user@b.example with the password "pencil", other@b.example likewise, and gone@b.example, whose account is disabled.
const (
	clientTags  = `<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'`
	helloClient = clientTags + ` to='b.example'>`
	nsSASL      = ` xmlns='urn:ietf:params:xml:ns:xmpp-sasl'`
	nsSASL2     = ` xmlns='urn:xmpp:sasl:2'`
	bindIQ      = `<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>desk</resource></bind></iq>`
	enableSM    = `<enable xmlns='urn:xmpp:sm:3' resume='true'/>`
)

var (
	user      = jid.MustParse("user@b.example")
	userDesk  = jid.MustParse("user@b.example/desk")
	channelID = []sasl.Binding{{Type: sasl.TLSExporter, Data: []byte("this channel")}, {Type: sasl.TLSServerEndPoint, Data: []byte("certificate")}}
	salt      = []byte("salt of everybody")
	everyWay  = stream.ClientPolicy{
		Mechanisms: []string{sasl.ScramSHA1, sasl.Plain, sasl.External}, SASL2: true, Tokens: true, Manage: true, ClientState: true,
	}
)

// edge is what stands around one machine of a client's stream, with the client at the other end of a wire.
type edge struct {
	t    testing.TB
	m    *stream.Client
	dec  *xmlstream.Decoder
	now  time.Time
	park *stream.Park
	tls  stream.TLSFacts

	sent   string // everything written since the last take
	hold   bool   // questions are not answered by themselves
	keep   bool   // arrivals are not settled by themselves
	tokens []sasl.Token

	asked   []stream.LookUp
	binds   []stream.BindWanted
	wanted  []stream.TokenWanted
	joins   []stream.RegisterWanted
	auth    []stream.Authenticated
	got     []stream.Arrival
	slow    bool // everything by Step
	notes   []stream.Fact
	states  []bool
	acked   []uint64
	unsure  []uint64
	pings   int
	ready   *stream.ClientReady
	closed  *stream.Closed
	resumed int
}

func newEdge(t testing.TB, change func(*stream.ClientConfig)) *edge {
	cfg := stream.ClientConfig{
		Local: domB, Rand: seeded(7), Hosted: hosts(domB, domB2), OfferTLS: true,
		Policy: func(jid.JID) stream.ClientPolicy { return everyWay },
		Inline: []string{"urn:xmpp:carbons:2"},
	}
	if change != nil {
		change(&cfg)
	}
	x := &edge{t: t, m: stream.NewClient(cfg), now: epoch, park: stream.NewPark(10), tls: stream.TLSFacts{Bindings: channelID}}
	x.dec = xmlstream.NewDecoder(xmlstream.Options{Limits: cfg.FirstLimits(), ContentNS: xmlstream.NSClient})
	return x
}

// direct is an edge after a direct-TLS handshake.
func direct(t testing.TB, change func(*stream.ClientConfig)) *edge {
	x := newEdge(t, change)
	x.step(stream.Start{TLS: &x.tls})
	return x
}

func (x *edge) step(in stream.Input) {
	for _, o := range x.m.Step(x.now, in) {
		x.do(o)
	}
}

func (x *edge) do(o stream.Output) {
	switch o := o.(type) {
	case stream.Write:
		x.sent += string(o.Data)
	case stream.Ping:
		x.pings++
	case stream.StartTLS:
		x.step(stream.Secured{TLS: x.tls})
	case stream.RestartDecoder:
		x.dec.Restart(o.Limits)
	case stream.SetLimits:
		x.dec.SetLimits(o.Limits)
	case stream.LookUp:
		x.asked = append(x.asked, o)
		if !x.hold {
			x.step(stream.Found{Reply: x.reply(o)})
		}
	case stream.RegisterWanted:
		x.joins = append(x.joins, o)
	case stream.BindWanted:
		x.binds = append(x.binds, o)
		if !x.hold {
			x.step(stream.Bound{Resource: o.Resource})
		}
	case stream.TokenWanted:
		x.wanted = append(x.wanted, o)
		if !x.hold {
			x.step(stream.TokenGranted{Token: "fresh", Expiry: "2026-03-12T14:36:15Z"})
		}
	case stream.ResumeWanted:
		if !x.hold {
			x.findSession(o.ID)
		}
	case stream.Deliver:
		x.got = append(x.got, o.Arrival)
		if !x.keep && o.Session.Settled(o.Seq) {
			x.step(stream.AckDue{})
		}
	default:
		x.note(o)
	}
}

func (x *edge) note(o stream.Output) {
	switch o := o.(type) {
	case stream.Authenticated:
		x.auth = append(x.auth, o)
	case stream.ClientReady:
		if x.ready != nil {
			x.t.Error("ready twice")
		}
		x.ready = &o
	case stream.ClientState:
		x.states = append(x.states, o.Active)
	case stream.Fact:
		x.notes = append(x.notes, o)
	case stream.Acked:
		x.acked = append(x.acked, tokens(o.Items)...)
	case stream.Unconfirmed:
		x.unsure = append(x.unsure, tokens(o.Items)...)
	case stream.Resumed:
		x.resumed++
	case stream.SessionReturned:
		x.park.Put(x.now, o.Session)
	case stream.Closed:
		if x.closed != nil {
			x.t.Error("closed twice")
		}
		x.closed = &o
		x.unsure = append(x.unsure, tokens(o.Unconfirmed)...)
		if o.Resume != nil {
			x.park.Put(x.now, o.Resume)
		}
	default:
		x.t.Errorf("unknown output %T", o)
	}
}

func (x *edge) findSession(id string) {
	found := x.park.Find(x.now, id)
	if x.m.MayResume(found) {
		x.park.Take(x.now, id)
	} else {
		found = nil
	}
	x.step(stream.SessionFound{ID: id, Session: found})
}

// reply is the account directory: decoys for who does not exist.
func (x *edge) reply(o stream.LookUp) sasl.Reply {
	r := sasl.Reply{Standing: sasl.Good, Secret: secret("pencil"), Right: o.Password == "pencil", Tokens: x.tokens}
	switch o.Account.Local() {
	case "user", "other":
	case "gone":
		r.Standing = sasl.Disabled
	default:
		r = sasl.Reply{Secret: secret("decoy")}
	}
	return r
}

func hmacSHA1(key []byte, text string) []byte {
	h := hmac.New(sha1.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

func clientKey(password string) (key, stored, server []byte) {
	salted, err := pbkdf2.Key(sha1.New, password, salt, 16, sha1.Size)
	if err != nil {
		panic(err)
	}
	key = hmacSHA1(salted, "Client Key")
	sum := sha1.Sum(key)
	return key, sum[:], hmacSHA1(salted, "Server Key")
}

func secret(password string) sasl.Secret {
	_, stored, server := clientKey(password)
	return sasl.Secret{Salt: salt, Iterations: 16, StoredKey: stored, ServerKey: server}
}

// say is the client speaking; what the machine wrote comes back.
func (x *edge) say(raw string) string {
	x.t.Helper()
	_, _ = x.dec.Write([]byte(raw))
	for !x.m.ReadPaused() && x.closed == nil {
		ev, err := x.dec.Next()
		var bad *xmlstream.Error
		if errors.As(err, &bad) {
			x.step(stream.Malformed{Err: bad})
			break
		}
		if errors.Is(err, xmlstream.ErrShort) || errors.Is(err, io.EOF) {
			break
		}
		if ev.Kind == xmlstream.ElementEvent && !x.slow {
			if a, ok := x.m.Receive(x.now, ev.Element, ev.Bytes); ok {
				x.do(stream.Deliver{Arrival: a})
				continue
			}
		}
		x.step(stream.Received{Event: ev, Buffered: x.dec.Behind()})
	}
	return x.take()
}

func (x *edge) take() string {
	sent := x.sent
	x.sent = ""
	return sent
}

func base(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

// plainAuth is <auth/> with PLAIN.
func plainAuth(name, password string) string {
	return `<auth` + nsSASL + ` mechanism='PLAIN'>` + base("\x00"+name+"\x00"+password) + `</auth>`
}

var textOf = regexp.MustCompile(`<(?:challenge|success)[^>]*>([^<]*)<`)

// scram is the client's half of SCRAM-SHA-1: the final message for a challenge.
func scram(t testing.TB, gs2, bind, name, password, said string) (final, verifier string) {
	t.Helper()
	found := textOf.FindStringSubmatch(said)
	if found == nil {
		t.Fatalf("no challenge in %s", said)
	}
	first, _ := base64.StdEncoding.DecodeString(found[1])
	nonce, _, _ := strings.Cut(strings.TrimPrefix(string(first), "r="), ",")
	key, stored, server := clientKey(password)
	without := "c=" + base(gs2+bind) + ",r=" + nonce
	auth := "n=" + name + ",r=client-nonce," + string(first) + "," + without
	proof := hmacSHA1(stored, auth)
	for i := range proof {
		proof[i] ^= key[i]
	}
	return without + ",p=" + base(string(proof)), "v=" + base(string(hmacSHA1(server, auth)))
}

// login takes the stream to a bound resource by PLAIN.
func (x *edge) login() *edge {
	x.t.Helper()
	x.say(helloClient)
	x.say(plainAuth("user", "pencil"))
	x.say(helloClient)
	if said := x.say(bindIQ); x.ready == nil {
		x.t.Fatalf("no session: %s, %+v", said, x.notes)
	}
	return x
}

func (x *edge) send(n uint64) stream.Verdict {
	raw := fmt.Sprintf(`<message from='x@a.example/r' to='%s' id='%d'><body>b</body></message>`, userDesk, n)
	e, err := xmlstream.ParseDocument([]byte(raw), xmlstream.Options{ContentNS: xmlstream.NSServer})
	if err != nil {
		x.t.Fatal(err)
	}
	r := x.m.Send(x.now, stream.Item{Element: e, Bytes: len(raw), Token: n})
	if r.Verdict == stream.SendNow {
		data, err := x.m.AppendStanza(nil, e)
		if err != nil {
			x.t.Fatal(err)
		}
		x.sent += string(data)
		if r.AskAck {
			x.sent += string(x.m.AppendAckRequest(nil))
		}
	}
	return r.Verdict
}

// ends checks that the stream ended by this stream error of ours.
func (x *edge) ends(said string, c stanza.StreamCondition) {
	x.t.Helper()
	if !strings.Contains(said, "<"+c.String()+" xmlns='urn:ietf:params:xml:ns:xmpp-streams'") || !strings.Contains(said, "</stream:stream>") {
		x.t.Errorf("want %s and the end, got %s", c, said)
	}
	x.now = x.now.Add(5 * time.Second)
	x.step(stream.Tick{})
	if x.closed == nil || x.closed.Condition != c {
		x.t.Errorf("closed %+v, want %s", x.closed, c)
	}
}

// fails checks a failure that leaves the stream open.
func (x *edge) fails(said string, c sasl.Condition) {
	x.t.Helper()
	if !strings.Contains(said, "<failure") || !strings.Contains(said, "<"+c.String()) || len(x.auth) > 0 || x.closed != nil {
		x.t.Errorf("want failure %s, got %s; authenticated %+v, closed %+v", c, said, x.auth, x.closed)
	}
}

func (x *edge) has(kind stream.FactKind) bool {
	return slices.ContainsFunc(x.notes, func(f stream.Fact) bool { return f.Kind == kind })
}

func macSHA256(token, text string) []byte {
	h := hmac.New(sha256.New, []byte(token))
	h.Write([]byte(text))
	return h.Sum(nil)
}
