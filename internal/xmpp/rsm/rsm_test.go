package rsm_test

import (
	"errors"
	"strings"
	"testing"

	"sallyport/internal/xmpp/rsm"
	"sallyport/internal/xmpp/xmlstream"
)

func element(t *testing.T, text string) *xmlstream.Element {
	t.Helper()
	e, err := xmlstream.ParseDocument([]byte(text), xmlstream.Options{})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return e
}

func TestParse(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, in string
		want     rsm.Request
		err      error
	}{
		{"none", "", rsm.Request{Max: 50}, nil},
		{"§2.1 limit", "<max>10</max>", rsm.Request{Max: 10}, nil},
		{"more than there may be", "<max>1000</max>", rsm.Request{Max: 50}, nil},
		{"§2.2 after", "<max>10</max><after>peterpan@neverland.lit</after>", rsm.Request{Max: 10, After: "peterpan@neverland.lit"}, nil},
		{"§2.3 before", "<before>id</before>", rsm.Request{Max: 50, Before: "id"}, nil},
		{"§2.5 last page", "<max>10</max><before/>", rsm.Request{Max: 10, Last: true}, nil},
		{"§2.7 count", "<max>0</max>", rsm.Request{}, nil},
		{"§2.6 index", "<index>371</index>", rsm.Request{}, rsm.ErrIndex},
		{"both", "<after>a</after><before/>", rsm.Request{}, rsm.ErrRequest},
		{"negative", "<max>-1</max>", rsm.Request{}, rsm.ErrRequest},
		{"no number", "<max>ten</max>", rsm.Request{}, rsm.ErrRequest},
		{"beyond numbers", "<max>99999999999999999999</max>", rsm.Request{}, rsm.ErrRequest},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			in := "<query><set xmlns='" + rsm.Space + "'>" + tc.in + "</set></query>"
			if tc.in == "" {
				in = "<query/>"
			}
			got, err := rsm.Parse(element(t, in), 50)
			if !errors.Is(err, tc.err) || err == nil && got != tc.want {
				t.Errorf("got %+v, %v; want %+v, %v", got, err, tc.want, tc.err)
			}
		})
	}
}

func TestResult(t *testing.T) {
	t.Parallel()
	space := " xmlns='" + rsm.Space + "'"
	tests := []struct {
		name string
		page rsm.Page
		want string
	}{
		{"empty", rsm.Page{Index: rsm.Unknown, Count: rsm.Unknown}, "<set" + space + "/>"},
		{"page", rsm.Page{"a", "b", rsm.Unknown, rsm.Unknown}, "<set" + space + "><first>a</first><last>b</last></set>"},
		{"counted", rsm.Page{"a", "a", rsm.Unknown, 8}, "<set" + space + "><first>a</first><last>a</last><count>8</count></set>"},
		{"from the first", rsm.Page{"a", "b", 0, 8}, "<set" + space + "><first index='0'>a</first><last>b</last><count>8</count></set>"},
		{"none at all", rsm.Page{}, "<set" + space + "><count>0</count></set>"},
	}
	for _, tc := range tests {
		if got := rsm.Result(tc.page); !got.Equal(element(t, tc.want)) {
			t.Errorf("%s: %v", tc.name, got)
		}
	}
}

// TestOf: pages of a list of five.
func TestOf(t *testing.T) {
	t.Parallel()
	all := []string{"a", "b", "c", "d", "e"}
	for _, tc := range []struct {
		name  string
		in    rsm.Request
		want  string
		index int
	}{
		{"the first", rsm.Request{Max: 2}, "ab", 0},
		{"the next", rsm.Request{Max: 2, After: "b"}, "cd", 2},
		{"behind the last", rsm.Request{Max: 2, After: "e"}, "", 5},
		{"the last", rsm.Request{Max: 2, Last: true}, "de", 3},
		{"before", rsm.Request{Max: 2, Before: "d"}, "bc", 1},
		{"before the first", rsm.Request{Max: 2, Before: "a"}, "", 0},
		{"all", rsm.Request{Max: 9}, "abcde", 0},
		{"how many", rsm.Request{}, "", 0},
	} {
		got, p, ok := rsm.Of(tc.in, all, func(s string) string { return s })
		if strings.Join(got, "") != tc.want || !ok || p.Index != tc.index || p.Count != 5 || tc.want != "" && p.First+p.Last != tc.want[:1]+tc.want[len(tc.want)-1:] {
			t.Errorf("%s: %q, %+v, %v", tc.name, got, p, ok)
		}
	}
	for _, in := range []rsm.Request{{Max: 2, After: "x"}, {Max: 2, Before: "x"}} {
		if _, _, ok := rsm.Of(in, all, func(s string) string { return s }); ok {
			t.Errorf("%+v is found", in)
		}
	}
}
