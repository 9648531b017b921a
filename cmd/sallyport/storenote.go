package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"sallyport/gateway"
	"sallyport/gateway/control"
)

// stream is the name of the output, in place of a file.
const stream = "-"

// errInterrupted says that somebody ended it.
var errInterrupted = errors.New("interrupted before its end")

// noted does something with the whole store, between two records in the audit log: that it begins, without which it does not, and what came of
// it. file is where the rows go, or come from. A signal ends it in order, so that nobody takes half a file for a backup; a second one ends the
// process.
func (a *app) noted(ctx context.Context, verb, file string, do func(ctx context.Context) (rows int64, err error)) (int64, error) {
	signals := []os.Signal{os.Interrupt, unix.SIGTERM}
	if !signal.Ignored(unix.SIGHUP) { // as under nohup
		signals = append(signals, unix.SIGHUP)
	}
	ctx, stop := signal.NotifyContext(ctx, signals...)
	defer stop()
	context.AfterFunc(ctx, stop)
	if file != stream {
		whole, err := filepath.Abs(file)
		if err != nil {
			return 0, err
		}
		file = whole
	}
	if err := a.note(ctx, verb, control.StoreNote{File: file, Step: control.EventBegan.String()}); err != nil {
		return 0, fmt.Errorf("nothing was done: %w", err)
	}
	rows, err := do(ctx)
	if err != nil && ctx.Err() != nil {
		err = errInterrupted
	}
	n := control.StoreNote{File: file, Step: control.EventDone.String(), Rows: rows}
	if err != nil {
		n = control.StoreNote{File: file, Step: control.EventFailed.String(), Error: err.Error()}
	}
	if rerr := a.note(context.WithoutCancel(ctx), verb, n); rerr != nil { // who is interrupted has not done it
		err = errors.Join(err, fmt.Errorf("the end of it is not in the audit log: %w", rerr))
	}
	return rows, err
}

// note has the running node record, or this process where none runs.
func (a *app) note(ctx context.Context, verb string, n control.StoreNote) error {
	return a.liveOrStopped(ctx, verb, n, &struct{}{}, func(ctx context.Context) error {
		if err := gateway.NoteStopped(ctx, a.config, verb, n, time.Now); err != nil {
			return err
		}
		if n.Step == control.EventBegan.String() {
			a.saysStopped()
		}
		return nil
	})
}
