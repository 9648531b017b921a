package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"sallyport/server/account"
)

// Columns stand where a terminal puts them, and one long name does not tear the lines of the others.
func TestTable(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 1000)
	for name, tc := range map[string]struct{ names, want []string }{
		"wide and combining": {
			[]string{"日本語", "e\u0301te\u0301", "😀!", "ab"},
			[]string{"USER    CREATED", "日本語  2026 at noon", "e\u0301te\u0301     2026 at noon", "😀!     2026 at noon", "ab      2026 at noon"},
		},
		"one too long": {
			[]string{"ab", long, "abcdef"},
			[]string{"USER    CREATED", "ab      2026 at noon", long + "  2026 at noon", "abcdef  2026 at noon"},
		},
		"all too long": {[]string{long}, []string{"USER  CREATED", long + "  2026 at noon"}},
	} {
		rows := [][]string{{"USER", "CREATED"}}
		for _, n := range tc.names {
			rows = append(rows, []string{n, "2026 at noon"})
		}
		var out bytes.Buffer
		(&app{out: &out}).printTable(rows)
		if want := strings.Join(tc.want, "\n") + "\n"; out.String() != want {
			t.Errorf("%s: got\n%swant\n%s", name, out.String(), want)
		}
	}
}

// A list that may be cut says so.
func TestListsThatAreCut(t *testing.T) {
	t.Parallel()
	for n, more := range map[int]bool{account.MaxPage: true, account.MaxPage - 1: false} {
		var groups []account.Group
		for i := range n {
			groups = append(groups, account.Group{Domain: "chat.example", Name: fmt.Sprintf("crew %04d", i+1)})
		}
		var out bytes.Buffer
		if err := (&app{out: &out}).printGroups("chat.example", groups); err != nil {
			t.Fatal(err)
		}
		if got := strings.HasSuffix(out.String(), "There may be more: --after \"crew 1000\"\n"); got != more {
			t.Errorf("%d groups: %q", n, out.String()[out.Len()-60:])
		}
	}
}
