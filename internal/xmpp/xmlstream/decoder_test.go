package xmlstream_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"sallyport/internal/xmpp/xmlstream"
)

// readAll pulls every event through Fill.
func readAll(d *xmlstream.Decoder, r io.Reader) (events []xmlstream.Event, err error) {
	var ended error // what Fill said, kept until all it brought has been read
	for {
		ev, err := d.Next()
		switch {
		case err == nil:
			events = append(events, ev)
		case !errors.Is(err, xmlstream.ErrShort):
			return events, err
		case ended != nil:
			return events, ended
		default:
			_, ended = d.Fill(r)
		}
	}
}

func TestDecoderFill(t *testing.T) {
	in := benchHeader + strings.Repeat(benchMessage, 500) + "</stream:stream>"
	for name, r := range map[string]io.Reader{
		"whole":    strings.NewReader(in),
		"one byte": iotest.OneByteReader(strings.NewReader(in)),
		"half":     iotest.HalfReader(strings.NewReader(in)),
		"data err": iotest.DataErrReader(strings.NewReader(in)),
	} {
		d := xmlstream.NewDecoder(xmlstream.Options{ContentNS: xmlstream.NSServer})
		events, err := readAll(d, r)
		if !errors.Is(err, io.EOF) || len(events) != 502 {
			t.Errorf("%s: %d events, %v", name, len(events), err)
			continue
		}
		total := len("<?xml version='1.0'?>")
		for _, ev := range events {
			total += ev.Bytes
		}
		if total != len(in) {
			t.Errorf("%s: events account for %d bytes of %d", name, total, len(in))
		}
		if events[501].Kind != xmlstream.EndEvent {
			t.Errorf("%s: last event %v", name, events[501].Kind)
		}
	}
}

// TestDecoderFillIsBounded never calls Next.
func TestDecoderFillIsBounded(t *testing.T) {
	d := xmlstream.NewDecoder(xmlstream.Options{ContentNS: xmlstream.NSServer})
	r := &endless{head: benchHeader, body: benchMessage}
	var err error
	for range 1000 {
		if _, err = d.Fill(r); err != nil {
			break
		}
	}
	if !errors.Is(err, xmlstream.ErrFull) || d.Buffered() > 16<<10 {
		t.Errorf("%v, %d bytes buffered", err, d.Buffered())
	}
	if ev, err := d.Next(); err != nil || ev.Kind != xmlstream.HeaderEvent {
		t.Errorf("%v %v", ev.Kind, err)
	}
}

// TestDecoderA38 ends the connection in the middle of a stanza.
func TestDecoderA38(t *testing.T) {
	d := xmlstream.NewDecoder(xmlstream.Options{ContentNS: xmlstream.NSServer})
	events, err := readAll(d, strings.NewReader(benchHeader+before+after[:len(after)-1]))
	if !errors.Is(err, io.EOF) || len(events) != 2 {
		t.Errorf("%d events, %v", len(events), err)
	}
}

// TestDecoderE01 finds what was sent in the same segment as starttls.
func TestDecoderE01(t *testing.T) {
	d := open(t, xmlstream.PreAuthLimits())
	injected := "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AGEAYg==</auth>"
	d.Write([]byte("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>" + injected))
	ev, err := d.Next()
	if err != nil || !ev.Element.Is(xmlstream.NSTLS, "starttls") {
		t.Fatalf("%v %v", ev, err)
	}
	if d.Buffered() != len(injected) {
		t.Errorf("%d bytes buffered, want %d", d.Buffered(), len(injected))
	}
}

// TestDecoderWhiteBehind tells white space behind an element from what says something.
func TestDecoderWhiteBehind(t *testing.T) {
	for behind, want := range map[string]int{"": 0, " ": 0, "\r\n\t ": 0, "\n<a": 2, "x\n": 2, "\x00": 1, "\n\v": 1} {
		d := open(t, xmlstream.PreAuthLimits())
		d.Write([]byte("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>" + behind))
		if _, err := d.Next(); err != nil {
			t.Fatal(err)
		}
		if d.Behind() != want || d.Buffered() != len(behind) {
			t.Errorf("%q: %d bytes behind of %d, want %d", behind, d.Behind(), d.Buffered(), want)
		}
	}
}

// TestDecoderRestartBehindWhite: white space behind the last element of a stream belongs to that, however it comes in. At the first
// header, or without bound, it is refused as before.
func TestDecoderRestartBehindWhite(t *testing.T) {
	for _, tc := range []struct {
		name, old, next string
		good            bool
	}{
		{"at once", before + "\n", benchHeader, true},
		{"later", before, " \r\n" + benchHeader, true},
		{"both", before + "\n", "\n" + benchHeader, true},
		{"none", before, benchHeader, true},
		{"something else", before + "\n", "x" + benchHeader, false},
		{"declared twice", before + "\n", "<?xml version='1.0'?>" + benchHeader, false},
		{"too much", before, strings.Repeat(" ", 1<<16) + benchHeader, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := xmlstream.NewDecoder(xmlstream.Options{ContentNS: xmlstream.NSServer, Limits: xmlstream.PreAuthLimits()})
			d.Write([]byte(benchHeader + tc.old))
			for range 2 {
				if _, err := d.Next(); err != nil {
					t.Fatal(err)
				}
			}
			d.Restart(xmlstream.PreAuthLimits())
			var ev xmlstream.Event
			var err error
			for i := range len(tc.next) {
				d.Write([]byte{tc.next[i]})
				if ev, err = d.Next(); !errors.Is(err, xmlstream.ErrShort) {
					break
				}
			}
			if good := err == nil && ev.Kind == xmlstream.HeaderEvent; good != tc.good {
				t.Errorf("%v, %v", ev, err)
			}
		})
	}
}

// TestDecoderRestart must not remember anything of the stream before.
func TestDecoderRestart(t *testing.T) {
	d := xmlstream.NewDecoder(xmlstream.Options{ContentNS: xmlstream.NSServer, Limits: xmlstream.PreAuthLimits()})
	header := strings.Replace(benchHeader, " from=", " xmlns:old='urn:old' from=", 1)
	d.Write([]byte(header + before))
	for range 2 {
		if _, err := d.Next(); err != nil {
			t.Fatal(err)
		}
	}
	d.Restart(xmlstream.ServerLimits())
	d.Write([]byte(benchHeader + message(strings.Repeat("x", 20_000)) + "<old:x/>"))
	ev, err := d.Next()
	if err != nil || ev.Header.ID != "77" {
		t.Fatalf("%+v %v", ev, err)
	}
	if ev, err = d.Next(); err != nil || len(ev.Element.Text()) != 20_000 {
		t.Fatalf("limits not changed: %v", err)
	}
	if _, err = d.Next(); err == nil || !strings.HasPrefix(err.Error(), xmlstream.NotWellFormed) {
		t.Fatalf("prefix of the old stream still known: %v", err)
	}
	if _, again := d.Next(); again != err {
		t.Errorf("an error is not final: %v", again)
	}
}

func TestDecoderSetLimits(t *testing.T) {
	d := open(t, xmlstream.PreAuthLimits())
	big := message("<body>" + strings.Repeat("x", 12_000) + "</body>")
	d.Write([]byte(big[:5000]))
	if _, err := d.Next(); err != xmlstream.ErrShort {
		t.Fatal(err)
	}
	d.SetLimits(xmlstream.ServerLimits())
	d.Write([]byte(big[5000:]))
	if ev, err := d.Next(); err != nil || ev.Bytes != len(big) {
		t.Fatalf("%v %v", ev.Bytes, err)
	}
	d.SetLimits(xmlstream.PreAuthLimits())
	d.Write([]byte(big))
	if _, err := d.Next(); err == nil || !strings.HasPrefix(err.Error(), xmlstream.PolicyViolation) {
		t.Fatal(err)
	}
}

// TestDecoderLimitsBelow lowers the limits below what has been read of an element.
func TestDecoderLimitsBelow(t *testing.T) {
	for want, l := range map[string]xmlstream.Limits{"policy": {ElementBytes: 100}, "oversize": {ElementBytes: 10_000, OversizeFactor: 2}} {
		d := open(t, xmlstream.ServerLimits())
		big := message("<body>" + strings.Repeat("x", 12_000) + "</body>")
		d.Write([]byte(big[:11_000]))
		if _, err := d.Next(); err != xmlstream.ErrShort {
			t.Fatal(err)
		}
		d.SetLimits(l)
		d.Write([]byte(big[11_000:]))
		ev, err := d.Next()
		if got := ev.Kind.String(); got != want && (err == nil || !strings.HasPrefix(err.Error(), want)) {
			t.Errorf("%+v: got %v, %v", l, got, err)
		}
	}
}

// TestDecoderMixedInput goes from Write to Fill, as after bytes that were read elsewhere.
func TestDecoderMixedInput(t *testing.T) {
	d := xmlstream.NewDecoder(xmlstream.Options{ContentNS: xmlstream.NSServer})
	d.Write([]byte(benchHeader + message(strings.Repeat("x", 100_000))))
	for range 2 {
		if _, err := d.Next(); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := d.Fill(strings.NewReader(before)); n != len(before) || err != nil {
		t.Fatal(n, err)
	}
	if ev, err := d.Next(); err != nil || ev.Bytes != len(before) {
		t.Fatal(ev, err)
	}
}

// TestDecoderZeroOptions must refuse: no limits means the usual ones, no content namespace means no stream.
func TestDecoderZeroOptions(t *testing.T) {
	d := xmlstream.NewDecoder(xmlstream.Options{})
	d.Write([]byte(benchHeader))
	if _, err := d.Next(); err == nil || !strings.HasPrefix(err.Error(), xmlstream.InvalidNamespace) {
		t.Error(err)
	}
	_, err := xmlstream.ParseDocument([]byte(strings.Repeat("<a>", 65)), xmlstream.Options{})
	if err == nil || !strings.HasPrefix(err.Error(), xmlstream.PolicyViolation) {
		t.Error(err)
	}
}

// TestErrorsDoNotEcho: no byte of a refused input comes back in an error.
func TestErrorsDoNotEcho(t *testing.T) {
	canary := "CANARY7f3a"
	for _, in := range []string{
		"<!DOCTYPE " + canary, canary, "<" + canary + " " + canary + "=" + canary, "<" + canary + ":x/>", "<a>&" + canary + ";", "<a></" + canary,
		"<?xml version='" + canary + "'?>", "<?xml version='1.0' encoding='" + canary + "'?>", "<a xmlns='\n" + canary + "'/>",
	} {
		if _, err := xmlstream.ParseDocument([]byte(in), xmlstream.Options{}); err == nil || strings.Contains(err.Error(), canary[:6]) {
			t.Errorf("%q: %v", in, err)
		}
	}
}

func TestHeaderRoundTrip(t *testing.T) {
	want := xmlstream.Header{
		Name: xmlstream.Name{Space: xmlstream.NSStream, Local: "stream"}, ContentNS: xmlstream.NSServer, Dialback: true,
		To: "b.example", From: "a'<>&.example", ID: "x\n7", Version: "1.0", Lang: "en",
	}
	d := xmlstream.NewDecoder(xmlstream.Options{ContentNS: xmlstream.NSServer})
	d.Write(xmlstream.AppendEnd(xmlstream.AppendHeader(nil, want)))
	ev, err := d.Next()
	if err != nil {
		t.Fatal(err)
	}
	got := ev.Header
	if len(got.Attrs) != 5 {
		t.Errorf("attributes %v", got.Attrs)
	}
	got.Attrs = nil
	if got.To != want.To || got.From != want.From || got.ID != want.ID || got.Lang != want.Lang || got.Version != want.Version || !got.Dialback || got.Name != want.Name {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if ev, err = d.Next(); err != nil || ev.Kind != xmlstream.EndEvent {
		t.Errorf("%v %v", ev.Kind, err)
	}
	const client = "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' id='7'>"
	if got := string(xmlstream.AppendHeader(nil, xmlstream.Header{ContentNS: xmlstream.NSClient, ID: "7", To: "a\x00b"})); got != client {
		t.Errorf("got %s, want %s", got, client)
	}
}

// TestHeaderEmptyTag is a stream that ends where it begins.
func TestHeaderEmptyTag(t *testing.T) {
	tr := playAll(t, surfaces()['S'].opts, []byte(strings.TrimSuffix(benchHeader, ">")+"/>"+before))
	if tr.end() != "EOF" || tr.count("header") != 1 || tr.count("end") != 1 || len(tr) != 3 {
		t.Errorf("%q", tr)
	}
}
