package control_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"sallyport/gateway/control"
	"sallyport/internal/role"
)

// ledger keeps what is recorded, or refuses to.
type ledger struct {
	lines []string
	err   error
}

func (l *ledger) Record(_ context.Context, e control.Event) error {
	if l.err == nil {
		line := fmt.Sprintf("%s %s %s %s %s%s", e.By, e.Verb, e.Subject, e.Outcome, e.Error, e.Note)
		l.lines = append(l.lines, strings.TrimSpace(line))
	}
	return l.err
}

// Who comes to the desk by another way than the socket is checked and recorded as if he had come by it.
func TestDesk(t *testing.T) {
	t.Parallel()
	ran := 0
	book := &ledger{}
	verbs := []control.Verb{
		{Name: "look", Role: role.View, Handle: func(context.Context, json.RawMessage, control.Caller) (any, error) { return 1, nil }},
		{
			Name: "change", Role: role.Operate, Changes: true,
			Handle: func(context.Context, json.RawMessage, control.Caller) (any, error) {
				ran++
				return 2, nil
			},
			Subject: func(args json.RawMessage) string { return strings.Trim(string(args), `"`) },
		},
		{Name: "closed"},
	}
	desk, err := control.NewDesk(book, verbs)
	if err != nil {
		t.Fatal(err)
	}
	by := func(r role.Role) control.Caller { return control.Caller{Address: "juliet@a.example/x", Role: r} }
	for _, tc := range []struct {
		verb string
		has  role.Role
		code control.Code
		line string
	}{
		{"look", role.View, "", ""},
		{"look", role.None, control.Denied, "juliet@a.example/x look  denied"},
		{"change", role.View, control.Denied, "juliet@a.example/x change romeo denied"},
		{"change", role.Operate, "", "juliet@a.example/x change romeo began; juliet@a.example/x change romeo done"},
		{"closed", role.Policy, control.Denied, "juliet@a.example/x closed  denied"},
		{"unknown", role.Policy, control.UnknownVerb, ""},
	} {
		book.lines = nil
		_, err := desk.Ask(t.Context(), by(tc.has), tc.verb, json.RawMessage(`"romeo"`))
		var ce *control.CallError
		if errors.As(err, &ce) != (tc.code != "") || ce != nil && ce.Code != tc.code {
			t.Errorf("%s as %s: %v", tc.verb, tc.has, err)
		}
		if got := strings.Join(book.lines, "; "); got != tc.line {
			t.Errorf("%s as %s: recorded %q", tc.verb, tc.has, got)
		}
		if desk.May(tc.has, tc.verb) != (tc.code == "") {
			t.Errorf("%s as %s: may is %v", tc.verb, tc.has, desk.May(tc.has, tc.verb))
		}
	}
	book.err = errors.New("disk full")
	if _, err := desk.Ask(t.Context(), by(role.Operate), "change", nil); err == nil || ran != 1 {
		t.Errorf("without a record: %v, ran %d times", err, ran)
	}
	if _, err := control.NewDesk(nil, nil); err == nil {
		t.Error("a desk without a recorder")
	}
	if _, err := control.NewDesk(book, append(verbs, verbs[0])); err == nil {
		t.Error("a desk with a verb twice")
	}
}
