package control_test

import (
	"encoding/json"
	"errors"
	"testing"

	"sallyport/gateway/control"
	"sallyport/internal/role"
)

// What a process does with the store is recorded as it says, by who it is, and denied to who may not.
func TestStoreNotes(t *testing.T) {
	t.Parallel()
	book := &ledger{}
	desk, err := control.NewDesk(book, control.StoreVerbs(book))
	if err != nil {
		t.Fatal(err)
	}
	const backup, restore = control.VerbStoreBackup, control.VerbStoreRestore
	for _, tc := range []struct {
		name, verb, note string
		has              role.Role
		code             control.Code
		line             string
	}{
		{"it begins", backup, `{"file":"/b","step":"began"}`, role.Operate, "", "x store.backup /b began"},
		{"it is done", backup, `{"file":"/b","step":"done","rows":7}`, role.Operate, "", "x store.backup /b done 7 rows"},
		{"it has failed", backup, `{"file":"/b","step":"failed","error":"disk full"}`, role.Operate, "", "x store.backup /b failed disk full"},
		{"into the output", backup, `{"file":"-","step":"began"}`, role.Policy, "", "x store.backup - began"},
		{"a restore", restore, `{"file":"/b","step":"done","rows":7}`, role.Policy, "", "x store.restore /b done 7 rows"},
		{"who looks", backup, `{"file":"/b","step":"began"}`, role.View, control.Denied, "x store.backup /b denied"},
		{"who operates restores", restore, `{"file":"/b","step":"began"}`, role.Operate, control.Denied, "x store.restore /b denied"},
		{"no step", backup, `{"file":"/b"}`, role.Operate, control.BadQuestion, ""},
		{"a denial", backup, `{"file":"/b","step":"denied"}`, role.Operate, control.BadQuestion, ""},
		{"no file", backup, `{"step":"began"}`, role.Operate, control.BadQuestion, ""},
		{"fewer rows than none", backup, `{"file":"/b","step":"done","rows":-1}`, role.Operate, control.BadQuestion, ""},
		{"done, and an error", backup, `{"file":"/b","step":"done","error":"no"}`, role.Operate, control.BadQuestion, ""},
		{"another field", backup, `{"file":"/b","step":"done","by":"y"}`, role.Operate, control.BadQuestion, ""},
	} {
		book.lines = nil
		_, err := desk.Ask(t.Context(), control.Caller{Address: "x", Role: tc.has}, tc.verb, json.RawMessage(tc.note))
		if codeOf(err) != tc.code {
			t.Errorf("%s: %v", tc.name, err)
		}
		got := ""
		for _, l := range book.lines {
			got += l
		}
		if got != tc.line {
			t.Errorf("%s: recorded %q, want %q", tc.name, got, tc.line)
		}
	}
	book.err = errors.New("disk full")
	if _, err := desk.Ask(t.Context(), control.Caller{Address: "x", Role: role.Operate}, backup, json.RawMessage(`{"file":"/b","step":"began"}`)); codeOf(err) != control.Unrecorded {
		t.Errorf("without a record: %v", err)
	}
}
