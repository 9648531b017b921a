package gateway_test

import (
	"context"
	"errors"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"sallyport/gateway"
	"sallyport/gateway/control"
	"sallyport/internal/xmpp/jid"
)

// book is a record that takes what it is told, or does not.
type book struct {
	got []control.Event
	err error
}

func (b *book) Record(_ context.Context, e control.Event) error {
	if b.err == nil {
		b.got = append(b.got, e)
	}
	return b.err
}

// A client's command that was refused is in the record, and where the record takes nothing, in the log: else nobody would ever know of it.
func TestDeniedIsRecordedOrLogged(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name             string
		fails            error
		recorded, logged int
	}{
		{"a record", nil, 1, 0},
		{"no room", errors.New("the disk is full"), 0, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			seen, lines := observer.New(zap.InfoLevel)
			b := &book{err: tc.fails}
			if err := gateway.DeniedAtHome(t.Context(), b, zap.New(seen), jid.MustParse("eve@a.example/x"), "user.remove"); err != nil {
				t.Fatal(err)
			}
			if len(b.got) != tc.recorded || lines.Len() != tc.logged {
				t.Fatalf("%d records and %d lines, want %d and %d", len(b.got), lines.Len(), tc.recorded, tc.logged)
			}
			if tc.recorded > 0 && (b.got[0].Outcome != control.EventDenied || b.got[0].By.Address != "eve@a.example/x" || b.got[0].Verb != "user.remove") {
				t.Errorf("recorded %+v", b.got[0])
			}
			if f := lines.All(); tc.logged > 0 && (f[0].ContextMap()["who"] != "eve@a.example/x" || f[0].ContextMap()["command"] != "user.remove") {
				t.Errorf("logged %v", f[0].ContextMap())
			}
		})
	}
}
