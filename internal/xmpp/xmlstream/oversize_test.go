package xmlstream_test

import (
	"strconv"
	"strings"
	"testing"

	"sallyport/internal/xmpp/xmlstream"
)

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

// TestHostileOversize is A15 and A31: on a link between organisations one element that is too large is read past, up to
// a bound; for a client it is the end.
func TestHostileOversize(t *testing.T) {
	limit := xmlstream.ServerLimits().ElementBytes
	big := strings.Repeat("0123456789abcdef", limit/16)
	open := "<message to='b@b.example' type='chat'>"
	tests := []struct {
		name, fragment, server, client string
	}{
		{"A15 CDATA", open + "<body><![CDATA[" + big + "]]></body></message>", "oversize", "policy-violation"},
		{"A15 no end", open + "<body><![CDATA[" + big + big + big + big, "policy-violation", "policy-violation"},
		{"A31 value", open + "<x a='" + big + big[:1024] + "'/></message>", "oversize", "policy-violation"},
		{"A31 10 MiB text", open + "<body>" + strings.Repeat(big, 20), "policy-violation", "policy-violation"},
		{"A31 start tag", "<message to='b@b.example' x='" + big + "'><body/></message>", "policy-violation", "policy-violation"},
		{"spaces in a tag", open + "<x" + strings.Repeat(" ", limit) + "/></message>", "oversize", "policy-violation"},
		{"spaces in the end tag", open + "</message" + strings.Repeat(" ", limit) + ">", "oversize", "policy-violation"},
		{"dense", open + "<l>" + strings.Repeat("<a>"+strings.Repeat("<a/>", 4000)+"</a>", 30) + "</l></message>", "oversize", "oversize-weight"},
		{"bad in the rest", open + "<body>" + big + "</body><p:x/></message>", "not-well-formed", "policy-violation"},
		{"bad end in the rest", open + "<body>" + big + "</bod></message>", "not-well-formed", "policy-violation"},
		{"twice in the rest", open + "<body>" + big + "</body><a b='' b=''/></message>", "not-well-formed", "policy-violation"},
		{"comment in the rest", open + "<body>" + big + "<!-- --></body></message>", "restricted-xml", "policy-violation"},
		{"deep in the rest", open + "<body>" + big + strings.Repeat("<a>", 70), "policy-violation", "policy-violation"},
		{
			"all kinds in the rest", open + "<body>" + big + "</body><p:x xmlns:p='urn:u' xmlns='urn:xmpp:ping' p:a=\"1\" a='&lt;\r\n'><y/>" +
				"<![CDATA[<]] >]]]></p:x><z xmlns:q='urn:q'>&#65;<q:q/></z></message>", "oversize", "policy-violation",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for _, on := range []byte("SXC") {
				want := test.server
				if on == 'C' {
					want = strings.TrimPrefix(test.client, "oversize-weight")
				}
				if want == "" {
					want = "policy-violation"
				}
				s := surfaces()[on]
				in := []byte(s.header + before + test.fragment + after)
				whole := play(s.opts, in, pieces(1<<30))
				for _, n := range []int{1, 1000, 65_536} {
					if n == 1 && raceEnabled {
						continue // a minute of single bytes
					}
					if got := play(s.opts, in, pieces(n)); strings.Join(got, "\n") != strings.Join(whole, "\n") {
						t.Errorf("%c: pieces of %d: got %.300q, want %.300q", on, n, got, whole)
					}
				}
				got := whole.end()
				if whole.count("oversize") == 1 && got == "short" {
					got = "oversize"
				}
				if got != want {
					t.Errorf("%c: got %.300q, want %s", on, whole, want)
				}
				if got == "oversize" && !strings.Contains(strings.Join(whole, "\n"), open[:len(open)-1]+"/>") {
					t.Errorf("%c: start tag not kept: %.300q", on, whole)
				}
			}
		})
	}
}

// TestHostileLimitIsExact puts the last byte of an element at the limit and one beyond.
func TestHostileLimitIsExact(t *testing.T) {
	o := xmlstream.Options{ContentNS: xmlstream.NSServer, NoHeader: true, Limits: xmlstream.Limits{ElementBytes: 200, OversizeFactor: 1}}
	for size, want := range map[int]string{200: "element 200 ", 201: "oversize 201 ", 400: "oversize 400 ", 401: "policy-violation 400 "} {
		in := "<a b='1'>" + strings.Repeat("x", size-len("<a b='1'></a>")) + "</a>"
		tr := playAll(t, o, []byte(in))
		if !strings.HasPrefix(tr[0], want) {
			t.Errorf("%d bytes: got %q, want %q", size, tr, want)
		}
	}
}

// TestHostileA36 counts white space between stanzas.
func TestHostileA36(t *testing.T) {
	d := xmlstream.NewDecoder(xmlstream.Options{ContentNS: xmlstream.NSServer, NoHeader: true})
	blank := []byte(strings.Repeat(" \r\n\t", 1024))
	send := func(times int) error {
		for range times {
			d.Write(blank)
			if _, err := d.Next(); err != xmlstream.ErrShort {
				return err
			}
		}
		return nil
	}
	if err := send(256); err != nil {
		t.Fatalf("1 MiB: %v", err)
	}
	if d.Whitespace() != 1<<20 {
		t.Fatalf("counted %d", d.Whitespace())
	}
	d.ForgetWhitespace()
	if err := send(256); err != nil {
		t.Fatalf("another minute: %v", err)
	}
	d.Write([]byte(before))
	if _, err := d.Next(); err != nil || d.Whitespace() != 0 {
		t.Fatalf("a stanza: %v, %d", err, d.Whitespace())
	}
	if err := send(257); err == nil || !strings.HasPrefix(err.Error(), "policy-violation") {
		t.Fatalf("got %v, want policy-violation", err)
	}
}
