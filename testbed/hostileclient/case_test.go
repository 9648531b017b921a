package hostileclient_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// closeLimit is how long a case waits for the end of its connection. The list wants it five seconds after the error;
// package stream holds that in virtual time, here the machine may be busy.
const closeLimit = patience

const mark = "M4RK-of-a-refused-input"

// outcome is a kind of end that the list knows.
type outcome uint8

const (
	unset      outcome = iota
	endsStream         // SE
	answered           // ST
	accepted           // accepted, and this is what comes back
	replied            // something else is said, and the stream is kept
	silent             // nothing becomes of it
)

// want is what must become of a case. web is the condition that a WebSocket gives where it differs: there, what is not one
// whole element is badly framed; "-" keeps the case from it.
type want struct {
	outcome outcome
	said    string
	web     string
}

func streamError(condition string) want { return want{outcome: endsStream, said: condition} }

func stanzaError(condition, typ string) want {
	return want{outcome: answered, said: typ + " " + condition}
}

func accept(said string) want { return want{outcome: accepted, said: said} }

func reply(said string) want { return want{outcome: replied, said: said} }

func (w want) inWeb(condition string) want {
	w.web = condition
	return w
}

func (w want) notInWeb() want { return w.inWeb("-") }

// variant is one case: what stands between two good messages, and its end.
type variant struct {
	name  string
	input string
	want  want
}

// row is one entry of the list.
type row struct {
	name string // begins with its number
	run  func(t *testing.T, b *bed)
	n    int  // variants
	web  bool // some in a WebSocket, too
	// program: the edge alone does not have what it is about.
	program bool
	// aside: it only waits, beside the others.
	aside bool
}

func variants(w want, inputs ...string) []variant {
	out := make([]variant, len(inputs))
	for i, in := range inputs {
		out[i] = variant{fmt.Sprint(i + 1), in, w}
	}
	return out
}

// message is M(…) of the list.
func message(fragment string) string {
	return "<message to='nurse@im.example' type='chat' id='$ID'><thread>" + mark + "</thread>" + fragment + "</message>"
}

// fineMessage is M(…) without a mark.
func fineMessage(fragment string) string {
	return "<message to='nurse@im.example' type='chat' id='$ID'>" + fragment + "</message>"
}

func messages(fragments ...string) []string {
	out := make([]string, len(fragments))
	for i, f := range fragments {
		out[i] = message(f)
	}
	return out
}

func bodies(texts ...string) []string {
	out := make([]string, len(texts))
	for i, s := range texts {
		out[i] = message("<body>" + s + "</body>")
	}
	return out
}

func good(id string) string {
	return "<message to='nurse@im.example' id='" + id + "'><body>fine</body></message>"
}

// single is one element of the content namespace, as far as one can see from outside.
var single = regexp.MustCompile(`^<(message|iq|presence)[ />]`)

func (v variant) fitsWeb() bool {
	return v.want.web != "-" && single.MatchString(v.input) && len(v.input) < 250<<10
}

// inStream is a row whose cases stand on an open session, under every split and in a WebSocket.
func inStream(name string, lists ...[]variant) row {
	r := row{name: name}
	for _, list := range lists {
		for _, v := range list {
			r.n++
			r.web = r.web || v.fitsWeb()
		}
	}
	r.run = func(t *testing.T, b *bed) {
		for _, list := range lists {
			for _, v := range list {
				t.Run(v.name, func(t *testing.T) {
					t.Parallel()
					for _, s := range splits() {
						b.play(t, v, s)
					}
					if v.fitsWeb() {
						b.playWeb(t, v)
					}
				})
			}
		}
	}
	return r
}

// play runs a case on TCP under one split.
func (b *bed) play(t *testing.T, v variant, s split) {
	t.Helper()
	before, bad, after := b.id("before"), b.id("bad"), b.id("after")
	c := b.login(t)
	defer c.conn.Close()
	text := good(before) + strings.NewReplacer("$ID", bad, "$DESK", c.desk).Replace(v.input) + good(after)
	go c.sayIn(s, text) // which the server may not read to its end
	var said string
	if v.want.outcome == endsStream {
		said = c.end(closeLimit)
	} else {
		said = c.until("id='"+after+"'") + c.until("</message>")
		if answer := v.answer(); !strings.Contains(said, answer) {
			said += c.until(answer)
		}
	}
	if wrong := v.judge(said, v.want.said, bad); wrong != "" {
		t.Errorf("split %s: %s\ninput %.300q\nsaid %.1000s", s, wrong, v.input, said)
	}
	if n := b.arrives(before); n != 1 {
		t.Errorf("split %s: the message before came %d times", s, n)
	}
	if v.want.outcome == endsStream {
		b.never(t, after)
	}
}

func (b *bed) never(t *testing.T, id string) {
	t.Helper()
	if b.house.times(id) != 0 {
		t.Error("the message after it was processed")
	}
}

// answer is what a case has to say. It may come behind the message after it: before the program says that somebody did not take something, it
// writes that down.
func (v variant) answer() string {
	switch v.want.outcome {
	case answered:
		_, condition, _ := strings.Cut(v.want.said, " ")
		return "<" + condition + " xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
	case accepted, replied:
		return v.want.said
	case unset, endsStream, silent:
	}
	return ""
}

// judge says what is wrong with what was said.
func (v variant) judge(said, want, id string) string {
	if v.want.outcome != accepted && v.want.outcome != replied && strings.Contains(said, mark) {
		return "an echo of the input"
	}
	switch v.want.outcome {
	case endsStream:
		one := "<stream:error><" + want + " xmlns='" + nsStreams + "'/>"
		if strings.Count(said, "<stream:error") != 1 || !strings.Contains(said, one) || !strings.HasSuffix(said, "</stream:error></stream:stream>") {
			return "want " + one
		}
	case answered:
		typ, condition, _ := strings.Cut(want, " ")
		if !strings.Contains(said, "<error type='"+typ+"'><"+condition+" xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>") || strings.Count(said, "<error ") != 1 {
			return "want " + want
		}
	case accepted, replied:
		if !strings.Contains(said, want) {
			return "want " + want
		}
	case silent:
		if strings.Contains(said, id) || strings.Contains(said, "error") {
			return "want nothing"
		}
	case unset:
		return "no outcome"
	}
	return ""
}

// decided is a row whose inputs end with the byte that decides. Nothing is said behind it, and the stream ends.
func decided(name string, w want, inputs ...string) row {
	return row{name: name, n: len(inputs), run: func(t *testing.T, b *bed) {
		for _, v := range variants(w, inputs...) {
			t.Run(v.name, func(t *testing.T) {
				t.Parallel()
				for _, s := range splits() {
					before, bad := b.id("before"), b.id("bad")
					c := b.login(t)
					go c.sayIn(s, good(before)+strings.ReplaceAll(v.input, "$ID", bad))
					said := c.end(closeLimit)
					if wrong := v.judge(said, w.said, bad); wrong != "" {
						t.Errorf("split %s: %s\ninput %.300q\nsaid %.1000s", s, wrong, v.input, said)
					}
					if n := b.arrives(before); n != 1 {
						t.Errorf("split %s: the message before came %d times", s, n)
					}
				}
			})
		}
	}}
}

// begun is M(…) without its end.
func begun(fragment string) string { return strings.TrimSuffix(message(fragment), "</message>") }

// atHeader is a row whose bytes stand where a stream header is due, in clear and inside TLS: our header, then the error.
func atHeader(name string, w want, inputs ...string) row {
	return row{name: name, n: len(inputs), run: func(t *testing.T, b *bed) {
		for i, in := range inputs {
			t.Run(fmt.Sprint(i+1), func(t *testing.T) {
				t.Parallel()
				for _, s := range splits() {
					for _, dial := range []func() *client{func() *client { return b.dial(t) }, func() *client { return b.dialTCP(t, b.clear) }} {
						c := dial()
						go c.sayIn(s, in)
						said := c.end(closeLimit)
						if wrong := (variant{want: w}).judge(said, w.said, ""); wrong != "" || !strings.HasPrefix(said, "<?xml version='1.0'?><stream:stream ") {
							t.Errorf("split %s: %s\ninput %.300q\nsaid %.1000s", s, wrong, in, said)
						}
					}
				}
			})
		}
	}}
}

// early is a row of exchanges before authentication, on TLS; late is one after authentication, before a resource is bound.
func early(name string, list ...variant) row { return exchanges(name, list, (*bed).opened) }

func late(name string, list ...variant) row { return exchanges(name, list, (*bed).authenticated) }

// opened is a client that has seen the features.
func (b *bed) opened(t testing.TB) *client {
	t.Helper()
	c := b.dial(t)
	c.say(header)
	c.until("</stream:features>")
	return c
}

func exchanges(name string, list []variant, begin func(*bed, testing.TB) *client) row {
	return row{name: name, n: len(list), run: func(t *testing.T, b *bed) {
		for _, v := range list {
			t.Run(v.name, func(t *testing.T) {
				t.Parallel()
				for _, s := range splits() {
					c, id := begin(b, t), b.id("bad")
					go c.sayIn(s, strings.ReplaceAll(v.input, "$ID", id))
					said := ""
					if v.want.outcome == endsStream {
						said = c.end(closeLimit)
					} else {
						said = c.until(v.want.said)
					}
					if wrong := v.judge(said, v.want.said, id); wrong != "" {
						t.Errorf("split %s: %s\ninput %.300q\nsaid %.1000s", s, wrong, v.input, said)
					}
					if v.want.outcome == replied && strings.HasPrefix(v.want.said, "<failure") { // the stream is kept, and may be used
						c.say(plain("juliet", password))
						c.until("<success" + nsSASL + "/>")
					}
					if b.house.times(id) != 0 {
						t.Errorf("split %s: it came to somebody", s)
					}
					_ = c.conn.Close()
				}
			})
		}
	}}
}
