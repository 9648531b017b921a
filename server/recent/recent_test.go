package recent_test

import (
	"errors"
	"testing"

	"sallyport/internal/xmpp/jid"
	"sallyport/server/recent"
)

func TestMemory(t *testing.T) {
	t.Parallel()
	m := recent.New[int](2)
	reads := 0
	get := func(name string) int {
		t.Helper()
		v, err := m.Get(jid.MustParse(name+"@a.example"), func() (int, error) { reads++; return reads, nil })
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	get("a")
	get("b")
	if get("a") != 1 || get("b") != 2 {
		t.Error("what was read is not remembered")
	}
	get("c") // a and b are the old generation now
	if get("a") != 1 {
		t.Error("what was asked for is forgotten")
	}
	get("d") // a and c are old; b is forgotten
	if get("b") == 2 {
		t.Error("more is remembered than there may be")
	}
	m.Forget(jid.MustParse("a@a.example"))
	if get("a") == 1 {
		t.Error("what was changed is remembered")
	}
}

// What somebody reads while it is changed is not remembered.
func TestChangeDuringReading(t *testing.T) {
	t.Parallel()
	m, a := recent.New[string](2), jid.MustParse("a@a.example")
	read := func(s string, during func()) string {
		t.Helper()
		v, err := m.Get(a, func() (string, error) { during(); return s, nil })
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	read("before", func() { m.Forget(a) })
	if got := read("after", func() {}); got != "after" {
		t.Errorf("remembered is what was there %s the change", got)
	}
	broken := errors.New("broken")
	if _, err := m.Get(jid.MustParse("b@a.example"), func() (string, error) { return "", broken }); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	if v, err := m.Get(jid.MustParse("b@a.example"), func() (string, error) { return "whole", nil }); v != "whole" || err != nil {
		t.Errorf("after an error: %q, %v", v, err)
	}
}
