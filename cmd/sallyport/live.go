package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sallyport/gateway/config"
	"sallyport/gateway/control"
)

// askTime bounds a live command.
const askTime = 90 * time.Second

// ask asks the running node one verb.
func (a *app) ask(ctx context.Context, verb string, args, result any) error {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	path := a.socket
	if path == "" {
		var err error
		if path, err = config.ControlSocket(a.config); err != nil {
			return noNode{fmt.Errorf("which node is meant? %w; name its configuration with -c, or its socket with --socket", err)}
		}
	}
	c, err := control.Dial(ctx, path)
	if err != nil {
		return noNode{err}
	}
	defer c.Close()
	err = c.Call(ctx, verb, args, result)
	if err != nil && !errors.As(err, new(*control.CallError)) {
		return noNode{err}
	}
	return err
}
