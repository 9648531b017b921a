package xmlstream_test

import (
	"crypto/sha256"
	"strings"
	"testing"

	"sallyport/internal/xmpp/xmlstream"
)

// TestWrittenIsOfOneElement: what is held leaves for the element that it was made of, and for nothing that only looks
// like it or stands elsewhere.
func TestWrittenIsOfOneElement(t *testing.T) {
	message := func(body string) *xmlstream.Element {
		return parse(t, "<message xmlns='jabber:server' to='b'  from=\"a\"><body>"+body+"</body></message>")
	}
	held, same, large := message("hi"), message("hi"), message(strings.Repeat("x", 5000))
	rows := []struct {
		name      string
		digest    *xmlstream.Element
		ask       *xmlstream.Element
		defaultNS string
	}{
		{"the same element", held, held, xmlstream.NSServer},
		{"for another namespace", held, held, xmlstream.NSClient},
		{"for a document", held, held, ""},
		{"an equal element", held, same, xmlstream.NSServer},
		{"another element", held, large, xmlstream.NSServer},
		{"a large one", large, large, xmlstream.NSServer},
		{"what cannot be written", &xmlstream.Element{}, held, xmlstream.NSServer},
		{"neither can be written", &xmlstream.Element{}, &xmlstream.Element{}, xmlstream.NSServer},
	}
	var w xmlstream.Written // the same for all rows: what was held before must not show
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			form, formErr := xmlstream.AppendElement(nil, row.digest, xmlstream.NSServer)
			want, wantErr := xmlstream.AppendElement([]byte("before"), row.ask, row.defaultNS)
			sum, err := w.Digest(row.digest, xmlstream.NSServer)
			if (err == nil) != (formErr == nil) || err == nil && sum != sha256.Sum256(form) {
				t.Errorf("digest %x, %v, want that of %q, %v", sum, err, form, formErr)
			}
			got, err := w.AppendElement([]byte("before"), row.ask, row.defaultNS)
			if string(got) != string(want) || (err == nil) != (wantErr == nil) {
				t.Errorf("got %q, %v, want %q, %v", got, err, want, wantErr)
			}
			w.Forget()
			if got, err = w.AppendElement([]byte("before"), row.ask, row.defaultNS); string(got) != string(want) || (err == nil) != (wantErr == nil) {
				t.Errorf("forgotten: got %q, %v, want %q, %v", got, err, want, wantErr)
			}
		})
	}
	var none *xmlstream.Written
	if got, err := none.AppendElement(nil, held, xmlstream.NSServer); err != nil || !strings.Contains(string(got), "<body>hi</body>") {
		t.Errorf("from nil: %q, %v", got, err)
	}
}

// TestWrittenAllocatesNothing: neither the digest of a stanza, nor its bytes once more.
func TestWrittenAllocatesNothing(t *testing.T) {
	e := parse(t, "<message xmlns='jabber:server' to='b' from='a'><body>hi</body></message>")
	var w xmlstream.Written
	dst := make([]byte, 0, 1024)
	if n := testing.AllocsPerRun(100, func() {
		if _, err := w.Digest(e, xmlstream.NSServer); err != nil {
			t.Fatal(err)
		}
		dst, _ = w.AppendElement(dst[:0], e, xmlstream.NSServer)
	}); n > 0 {
		t.Errorf("%v allocations, budget 0", n)
	}
}
