package rsm_test

import (
	"errors"
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
		name, first, last string
		count             int
		want              string
	}{
		{"empty", "", "", -1, "<set" + space + "/>"},
		{"page", "a", "b", -1, "<set" + space + "><first>a</first><last>b</last></set>"},
		{"counted", "a", "a", 8, "<set" + space + "><first>a</first><last>a</last><count>8</count></set>"},
	}
	for _, tc := range tests {
		if got := rsm.Result(tc.first, tc.last, tc.count); !got.Equal(element(t, tc.want)) {
			t.Errorf("%s: %v", tc.name, got)
		}
	}
}
