package main

import (
	"context"
	"fmt"
)

// spoolWindows are how many messages are appended and not yet acknowledged, and the batches of the yardstick.
var spoolWindows = []string{"1", "64", "4096"}

// spooled: messages a second that the spool acknowledges, each after its commit and handed out and ended, beside plain writes of as many
// bytes that are synced in batches.
func spooled(ctx context.Context) (rows []Row, err error) {
	got, err := goBench(ctx, "./gateway/spool", "^Benchmark(Committed|PlainWrites)$")
	if err != nil {
		return nil, err
	}
	for _, w := range spoolWindows {
		ours, ok := got["Committed/window="+w]
		plain, known := got["PlainWrites/batch="+w]
		if !ok || !known || ours.ns == 0 || plain.ns == 0 {
			return rows, fmt.Errorf("no benchmark of the spool for %s", w)
		}
		rows = append(rows, figure("spool, acknowledged after commit, "+w+" at a time", 1e9/ours.ns, "msg/s", "plain writes, synced", 1e9/plain.ns))
	}
	return rows, nil
}
