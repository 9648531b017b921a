package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Injection is a failure of real I/O: strace (-e inject) lets system calls of a gateway on the segments of one of its logs fail. What a
// failing disk does to what it held is the business of gateway/spool and its simulation; here the calls of the real program fail, on the
// real file system.
type Injection struct {
	Log   string   // "spool" or "audit": the folder with its segments
	Calls []string // as strace has them, "CALL:error=ERROR:when=WHICH"; which is counted for each thread
	Stops bool     // the gateway has to stop for good; otherwise it goes on by itself
}

// ordinaryCalls has the audit log written with calls that strace sees.
const ordinaryCalls = `
[audit]
io-uring = false
`

// Limits of a fault.
const (
	injectTime = 3 * time.Minute // for the failure to come
	hushTime   = time.Second     // nothing is acknowledged for so long, once what was before the failure has come
	segments   = 8               // of a log, that are watched
)

// stopWords are what a gateway says that stops for good.
const stopWords = "nothing is released any more"

// RunFault starts the gateways, the first of them with the failure, and the load, and holds the account.
func RunFault(ctx context.Context, o Options, i Injection) (Report, error) {
	return perform(ctx, o, func(c *chain) error {
		g := c.all[0]
		g.under = i.strace(g.dir)
		return g.configure(ordinaryCalls)
	}, i.act)
}

// strace is the command before the program's. It traces from the side (-D), so that the program is our child and is told to end, or
// killed, like any other.
func (i Injection) strace(dir string) []string {
	argv := []string{"strace", "-D", "-f", "-qq", "-o", filepath.Join(dir, "strace"), "-e", "signal=none"}
	var names []string
	for _, call := range i.Calls {
		name, _, _ := strings.Cut(call, ":")
		names = append(names, name)
		argv = append(argv, "-e", "inject="+call)
	}
	argv = append(argv, "-e", "trace="+strings.Join(names, ","))
	for n := 1; n <= segments; n++ {
		argv = append(argv, "-P", filepath.Join(dir, "state", i.Log, fmt.Sprintf("segment-%08d.%s", n, i.Log)))
	}
	return append(argv, "--")
}

// act waits for the failure and for what has to come of it.
func (i Injection) act(ctx context.Context, p *play) error {
	g := p.c.all[0]
	if !await(ctx, injectTime, func() bool { return injected(g.dir) > 0 }) {
		return g.proc.Trouble(fmt.Errorf("none of %v on the %s failed", i.Calls, i.Log))
	}
	if i.Stops {
		if err := i.stopped(ctx, p); err != nil {
			return err
		}
		g.proc.Kill()
		g.under = nil
		if err := errors.Join(g.start(), g.await()); err != nil {
			return err
		}
	}
	k := killer{o: p.o, c: p.c, b: p.b, dice: p.dice, r: p.r}
	return k.flow(ctx)
}

// stopped wants the gateway to say that it has stopped, and its acknowledgements to cease.
func (i Injection) stopped(ctx context.Context, p *play) error {
	g, left := p.c.all[0], p.ends[0]
	if err := g.proc.AwaitLine(stopWords, injectTime); err != nil {
		return err
	}
	last, since := left.confirmations(), time.Now()
	hushed := await(ctx, injectTime, func() bool {
		if n := left.confirmations(); n != last {
			last, since = n, time.Now()
		}
		return time.Since(since) >= hushTime
	})
	if !hushed {
		return g.proc.Trouble(errors.New("goes on acknowledging after it had stopped"))
	}
	return nil
}

// injected counts the calls that strace let fail.
func injected(dir string) int {
	said, err := os.ReadFile(filepath.Join(dir, "strace"))
	if err != nil {
		return 0
	}
	return strings.Count(string(said), "(INJECTED)")
}

// confirmations is how far the neighbour says it has taken what the end said, over all lanes.
func (e *end) confirmations() (sum uint64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, n := range e.acked {
		sum += n
	}
	return sum
}
