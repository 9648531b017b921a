package mam_test

import (
	"fmt"
	"strings"
	"testing"

	"sallyport/server/archive"
	"sallyport/server/servertest"
)

// Somebody who sends large messages does not keep others from their archives: a page has at most about a MiB, and the next ones the rest.
func TestLargeMessages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const n = 20
	var want []string
	for i := range n {
		want = append(want, fmt.Sprintf("%d-%s", i, strings.Repeat("x", 200<<10)))
	}
	w.comes(want...)
	for name, way := range map[string]struct {
		first, next, edge string
	}{
		"forward":  {"", "<after>%s</after>", "<last>"},
		"backward": {"<before/>", "<before>%s</before>", "<first>"},
	} {
		var got []string
		in := way.first
		for pages := 0; ; pages++ {
			said, a := w.asks(set("<max>100</max>" + in))
			if len(said) > archive.MaxPageBytes+300<<10 || pages > n {
				t.Fatalf("%s: page %d has %d bytes", name, pages, len(said))
			}
			if page := strings.Fields(said); way.first != "" {
				got = append(page, got...)
			} else {
				got = append(got, page...)
			}
			fin := servertest.Said(t, a)
			if strings.Contains(fin, "complete='true'") {
				break
			}
			_, rest, found := strings.Cut(strings.Replace(fin, "<first index='0'>", "<first>", 1), way.edge)
			id, _, _ := strings.Cut(rest, "<")
			if !found || id == "" {
				t.Fatalf("%s: %s", name, fin)
			}
			in = fmt.Sprintf(way.next, id)
		}
		if strings.Join(got, " ") != strings.Join(want, " ") {
			t.Errorf("%s: %d messages came, not the %d as they were", name, len(got), n)
		}
	}
	var ids []string
	for after := ""; len(ids) < n; {
		in := ""
		if after != "" {
			in = "<after>" + after + "</after>"
		}
		_, a := w.asks(set("<max>1</max>" + in))
		_, rest, _ := strings.Cut(servertest.Said(t, a), "<last>")
		after, _, _ = strings.Cut(rest, "<")
		ids = append(ids, after)
	}
	if said, a := w.asks(filter("ids", strings.Join(ids, " "))); said != "" || a.Condition.String() != "resource-constraint" {
		t.Errorf("all by their ids: %d bytes and %s", len(said), a.Condition)
	}
	if said, _ := w.asks(filter("ids", ids[7])); said != want[7] {
		t.Errorf("one by its id: %d bytes", len(said))
	}
}
