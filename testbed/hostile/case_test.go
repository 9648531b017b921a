package hostile_test

import (
	"fmt"
	"strings"
	"testing"

	"sallyport/gateway/audit"
	"sallyport/internal/xmpp/xmlstream"
)

// outcome is a kind of end that the list knows.
type outcome uint8

const (
	unset      outcome = iota
	endsStream         // SE
	answered           // ST
	denied             // DENY
	crosses            // accepted
	untouched          // no effect at all: nothing delivered, nothing answered, stream kept
)

// want is what must become of a case.
type want struct {
	outcome   outcome
	condition string                            // of a stream or stanza error; of DENY where the sender must be told so
	typ       string                            // of a stanza error
	app       string                            // application condition beside it: its name, of a stream error the element
	reason    string                            // audit word; "" for any
	silent    bool                              // nobody is told
	check     func(e *xmlstream.Element) string // of what arrived: what is wrong with it
	saw       func(id string)                   // is told the id of the case
}

// streamError is SE(x).
func streamError(condition string) want { return want{outcome: endsStream, condition: condition} }

// streamErrorWith is SE(x + application condition).
func streamErrorWith(condition, app string) want {
	return want{outcome: endsStream, condition: condition, app: app}
}

// stanzaError is ST(x) with its type.
func stanzaError(condition, typ string) want {
	return want{outcome: answered, condition: condition, typ: typ}
}

// tooBig is ST(policy-violation + stanza-too-big).
func tooBig() want {
	return want{outcome: answered, condition: "policy-violation", typ: "modify", app: "stanza-too-big", reason: "size"}
}

// deny is DENY(r).
func deny(reason string) want { return want{outcome: denied, reason: reason} }

// accept is accepted, with a look at what arrived.
func accept(check func(e *xmlstream.Element) string) want {
	return want{outcome: crosses, check: check}
}

// body wants a message with that text.
func body(text string) func(*xmlstream.Element) string {
	return func(e *xmlstream.Element) string {
		b := e.Child(xmlstream.NSServer, "body")
		if b == nil || b.Text() != text {
			return fmt.Sprintf("body is %.200q, want %.200q", textOf(b), text)
		}
		return ""
	}
}

func textOf(e *xmlstream.Element) string {
	if e == nil {
		return "<none>"
	}
	return e.Text()
}

// variant is one case: what stands between two good messages, and its end.
type variant struct {
	name  string
	input string
	want  want
}

// variants makes cases with one end of several inputs.
func variants(w want, inputs ...string) []variant {
	out := make([]variant, len(inputs))
	for i, in := range inputs {
		out[i] = variant{fmt.Sprintf("%d", i+1), in, w}
	}
	return out
}

// message is M(…) of the list: a fragment as child of a valid message. The mark stands in front of it.
func message(fragment string) string {
	return "<message to='$TO' from='$FROM' type='chat' id='$ID'>$LABEL<thread>$MARK</thread>" + fragment + "</message>"
}

// fineMessage is a valid message around a fragment that may cross.
func fineMessage(fragment string) string {
	return "<message to='$TO' from='$FROM' type='chat' id='$ID'>$LABEL" + fragment + "</message>"
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

// fill puts what only the running case knows into an input.
func fill(in string, l *lane, id string) string {
	return strings.NewReplacer("$FROM", "u@"+l.domain+"/r", "$TO", "v@b.example", "$ID", id, "$MARK", mark, "$LABEL", publicLabel,
		"$DOMAIN", l.domain).Replace(in)
}

// inStream is a row whose cases stand on an open, authenticated stream, under every split.
func inStream(name string, cases ...[]variant) row {
	return row{name, func(t *testing.T, w *world) {
		for _, list := range cases {
			for _, v := range list {
				t.Run(v.name, func(t *testing.T) {
					t.Parallel()
					for _, s := range allSplits {
						w.play(t, v, s)
					}
				})
			}
		}
	}}
}

// once is inStream without splits, for the groups in which bytes are no question.
func once(name string, cases ...[]variant) row {
	return row{name, func(t *testing.T, w *world) {
		for _, list := range cases {
			for _, v := range list {
				t.Run(v.name, func(t *testing.T) {
					t.Parallel()
					w.play(t, v, whole)
				})
			}
		}
	}}
}

// run is one case under one split.
type run struct {
	t                *testing.T
	w                *world
	lane             *lane
	v                variant
	split            split
	conn             *raw
	before, bad, end string // ids
	seq              uint64
	heardB, heardE   int
}

// play runs a case and holds its end against what is wanted.
func (w *world) play(t *testing.T, v variant, s split) {
	t.Helper()
	l := <-w.lanes
	defer func() { w.lanes <- l }()
	r := &run{t: t, w: w, lane: l, v: v, split: s, before: w.id("before"), bad: w.id("bad"), end: w.id("after")}
	if v.want.saw != nil {
		v.want.saw(r.bad)
	}
	r.seq = w.audit.read()
	r.heardB, r.heardE = w.b.counted(), w.evil.counted()
	r.conn = w.login(t, l)
	defer r.conn.close()
	text := good(l.domain, "b.example", r.before) + fill(v.input, l, r.bad)
	if v.want.outcome == endsStream { // what follows must never be processed
		text += strings.Replace(good(l.domain, "b.example", r.end), "fine", mark, 1)
		go r.conn.saySplit(s, []byte(text)) // the product may hang up in the middle
		r.ends()
	} else {
		r.conn.saySplit(s, []byte(text+good(l.domain, "b.example", r.end)))
		w.b.await(t, r.end) // the connection is kept
	}
	if v.want.outcome == crosses { // perhaps to another domain, which no fence is for
		w.b.await(t, r.bad)
	}
	if v.want.outcome == answered {
		w.evil.await(t, r.bad)
	}
	w.pass(t, l)
	r.delivered()
	r.told()
	r.recorded()
	if t.Failed() {
		t.Logf("split %s, input %.600q", s, v.input)
	}
}

// ends wants the stream error, the close tag, the end of the connection, and nothing else.
func (r *run) ends() {
	r.t.Helper()
	said := r.conn.endPolitely(closeLimit)
	if want := streamErrorText(r.v.want); !strings.HasSuffix(said, want+goodbye) || strings.Count(said, "<stream:error") != 1 {
		r.t.Errorf("split %s: said %.500q, want %q", r.split, said, want+goodbye)
	}
	if found := findMark([]byte(said)); found != "" {
		r.t.Errorf("split %s: echo: %s", r.split, found)
	}
}

func streamErrorText(w want) string {
	return fmt.Sprintf("<stream:error><%s xmlns='%s'/>%s</stream:error>", w.condition, nsStreams, w.app)
}

// delivered looks at what arrived at the far side: rule 3.
func (r *run) delivered() {
	r.t.Helper()
	wantBad, wantEnd := 0, 1
	switch r.v.want.outcome {
	case crosses:
		wantBad = 1
	case endsStream:
		wantEnd = 0
	}
	for _, m := range []struct {
		what, id string
		want     int
	}{{"the message before", r.before, 1}, {"the input", r.bad, wantBad}, {"the message after", r.end, wantEnd}} {
		if n := r.w.b.times(m.id); n != m.want {
			r.t.Errorf("split %s: %s arrived %d times, want %d", r.split, m.what, n, m.want)
		}
	}
	if r.v.want.check != nil && r.w.b.times(r.bad) > 0 {
		if wrong := r.v.want.check(r.w.b.await(r.t, r.bad)); wrong != "" {
			r.t.Errorf("split %s: %s", r.split, wrong)
		}
	}
	for _, e := range r.w.b.after(r.heardB) {
		from, _ := e.Attr("from")
		id, _ := e.Attr("id")
		if strings.Contains(from, r.lane.domain) && id != r.before && id != r.bad && id != r.end && !strings.HasPrefix(id, "fence") {
			r.t.Errorf("split %s: something else arrived: %s", r.split, canonical(e))
		}
	}
}

func canonical(e *xmlstream.Element) string {
	b, err := xmlstream.AppendElement(nil, e, xmlstream.NSServer)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// told looks at what the sender was told.
func (r *run) told() {
	r.t.Helper()
	w, n := r.v.want, r.w.evil.times(r.bad)
	switch {
	case w.outcome == answered && n != 1, n > 1, n > 0 && w.silent, (w.outcome == endsStream || w.outcome == crosses || w.outcome == untouched) && n > 0:
		r.t.Errorf("split %s: the sender was told %d times", r.split, n)
		return
	case n == 0:
		return
	}
	e := r.w.evil.await(r.t, r.bad)
	condition, typ, app := errorOf(e)
	if typed, _ := e.Attr("type"); typed != "error" {
		r.t.Errorf("split %s: the sender got %s", r.split, canonical(e))
	}
	if w.condition != "" && condition != w.condition || w.typ != "" && typ != w.typ || app != w.app {
		r.t.Errorf("split %s: the sender was told %s/%s %s, want %s/%s %s", r.split, condition, typ, app, w.condition, w.typ, w.app)
	}
	for c := range e.Children() {
		if c.Local() != "error" {
			r.t.Errorf("split %s: the error carries %s", r.split, c.Local())
		}
	}
}

// recorded reads the audit log: rule 5.
func (r *run) recorded() {
	r.t.Helper()
	mine := func(e *audit.Entry) bool {
		return e.Kind == audit.Decision && strings.Contains(e.From, r.lane.domain) && !strings.HasPrefix(e.StanzaID, "fence")
	}
	if r.v.want.outcome == endsStream {
		r.endRecorded()
	}
	var decisions []audit.Entry
	for _, e := range r.w.audit.since(r.seq) {
		if mine(&e) {
			decisions = append(decisions, e)
		}
		if found := findMark(words(&e)); found != "" {
			r.t.Errorf("split %s: in the audit log: %s", r.split, found)
		}
	}
	n := 3
	switch r.v.want.outcome {
	case endsStream:
		n = 1
	case untouched:
		n = 2
	}
	if len(decisions) != n {
		r.t.Errorf("split %s: %d decisions, want %d: %s", r.split, len(decisions), n, show(decisions))
		return
	}
	if n == 3 {
		r.decided(&decisions[1])
	}
}

// decided holds the record of the input against what is wanted.
func (r *run) decided(e *audit.Entry) {
	r.t.Helper()
	w := r.v.want
	outcome := "refused"
	if w.outcome == crosses {
		outcome = "released"
	}
	switch {
	case e.Outcome != outcome, w.reason != "" && e.Reason != w.reason, outcome == "refused" && e.Reason == "":
		r.t.Errorf("split %s: recorded as %s, want %s %s", r.split, show([]audit.Entry{*e}), outcome, w.reason)
	case e.FromPeer != "evil" || e.Size == 0 || e.Digest == [32]byte{}:
		r.t.Errorf("split %s: record without peer, size or digest (%x): %s", r.split, e.Digest, show([]audit.Entry{*e}))
	}
}

// endRecorded wants one record of why the stream ended.
func (r *run) endRecorded() {
	r.t.Helper()
	down := func(e *audit.Entry) bool { return e.StanzaID == r.conn.address() && e.Rule == "stream-down" }
	e := r.w.audit.await(r.t, r.seq, "end of the stream", down)
	if e == nil {
		return
	}
	n := 0
	for _, e := range r.w.audit.since(r.seq) {
		if down(&e) {
			n++
		}
	}
	if reason, _, _ := strings.Cut(e.Reason, ":"); n != 1 || reason != r.v.want.condition || e.FromPeer != "evil" || e.Size == 0 {
		r.t.Errorf("split %s: %d records of the end, want one with %s, peer and size: %s", r.split, n, r.v.want.condition, show([]audit.Entry{*e}))
	}
}
