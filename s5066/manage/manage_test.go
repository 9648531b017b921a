package manage_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sallyport/s5066"
	"sallyport/s5066/dpdu"
	"sallyport/s5066/manage"
)

var far = s5066.Unicast(0x1020304)

func TestBodies(t *testing.T) {
	t.Parallel()
	r := manage.Request{ID: 11, Verb: manage.VerbMessage, Remote: far, Type: 8, Data: 3, Extended: "0a0b"}
	b, err := manage.AppendRequest(nil, r)
	if want := `{"id":11,"verb":"message","remote":"1.2.3.4","type":8,"data":3,"extended":"0a0b"}`; err != nil || string(b) != want {
		t.Errorf("%s, %v\nwant %s", b, err, want)
	}
	if again, err := manage.ParseRequest(b); err != nil || again != r {
		t.Errorf("%+v, %v", again, err)
	}
	if eow, extended, err := r.EOW(); err != nil || eow != dpdu.EOW(0x803) || extended != "\x0a\x0b" {
		t.Errorf("%03x %q %v", eow, extended, err)
	}
	a := manage.Answer{ID: 7, OK: true, Status: &manage.Status{Time: time.Unix(0, 0).UTC(), Address: far, Rate: 600, Links: []manage.Link{{Remote: far, State: "up", Loss: 0.25}}}}
	if b, err = manage.AppendAnswer(nil, a); err != nil {
		t.Fatal(err)
	}
	got, err := manage.ParseAnswer(b)
	if diff := cmp.Diff(a, got, cmp.Comparer(func(x, y s5066.Address) bool { return x == y })); diff != "" || err != nil {
		t.Errorf("%v -want +got:\n%s", err, diff)
	}
	e := manage.Event{Time: time.Unix(5, 0).UTC(), Kind: "link up", Remote: far, Text: "called"}
	if b, err = manage.AppendEvent(nil, e); err != nil {
		t.Fatal(err)
	}
	if again, err := manage.ParseEvent(b); err != nil || again != e {
		t.Errorf("%+v, %v", again, err)
	}
}

func TestWhatIsNoRequest(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"nothing":            "",
		"no JSON":            "status",
		"a list":             `[1]`,
		"a number too large": `{"id":1,"verb":"message","type":256}`,
		"no address":         `{"id":1,"remote":"1.2.3"}`,
		"something behind":   `{"id":1}{"id":2}`,
		"too large":          `{"id":1,"extended":"` + strings.Repeat("0", manage.MaxBody) + `"}`,
	} {
		if r, err := manage.ParseRequest([]byte(body)); !errors.Is(err, manage.ErrMessage) {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
	for name, r := range map[string]manage.Request{
		"type":     {Type: 16},
		"extended": {Extended: strings.Repeat("00", dpdu.MaxExtended+1)},
		"digits":   {Extended: "0"},
	} {
		if _, _, err := r.EOW(); !errors.Is(err, manage.ErrMessage) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := manage.AppendAnswer(nil, manage.Answer{Why: strings.Repeat("x", manage.MaxBody)}); !errors.Is(err, manage.ErrMessage) {
		t.Errorf("an answer that is too large: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"id":7,"verb":"status"}`))
	f.Add([]byte(`{"id":11,"verb":"message","remote":"1.2.3.4","type":8,"data":3,"extended":"0a0b"}`))
	f.Add([]byte(`{"id":10,"ok":false,"why":"refused","status":{"links":[{"remote":"1.2.3.4"}]}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if r, err := manage.ParseRequest(b); err == nil {
			out, err := manage.AppendRequest(nil, r)
			if err != nil {
				return // escapes made it larger than a body may be
			}
			if again, err := manage.ParseRequest(out); err != nil || again != r {
				t.Errorf("%s: %+v, then %+v (%v)", b, r, again, err)
			}
		}
		_, _ = manage.ParseAnswer(b)
		_, _ = manage.ParseEvent(b)
	})
}
