package control

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// ErrNoNode says that nobody answers on the socket, or that there is none.
var ErrNoNode = errors.New("no node is running")

// Client asks a running node. One goroutine uses it.
type Client struct {
	conn net.Conn
	r    *bufio.Reader
}

// Dial connects to the socket of a node. ErrNoNode.
func Dial(ctx context.Context, path string) (*Client, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", path)
	switch {
	case err == nil:
		return &Client{conn: conn, r: bufio.NewReader(conn)}, nil
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%w: there is no %s", ErrNoNode, path)
	case errors.Is(err, unix.ECONNREFUSED):
		return nil, fmt.Errorf("%w: nobody answers on %s", ErrNoNode, path)
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("you may not open %s (%w): be in the group of control.group, or use the gateway's own user", path, fs.ErrPermission)
	}
	return nil, fmt.Errorf("control socket: %w", err)
}

// Close ends the connection.
func (c *Client) Close() error { return c.conn.Close() }

// Call asks one verb. Result may be nil. What the node says is a *CallError.
func (c *Client) Call(ctx context.Context, verb string, args, result any) error {
	q := question{Verb: verb}
	if args != nil {
		b, err := json.Marshal(args)
		if err != nil {
			return fmt.Errorf("ask %s: %w", verb, err)
		}
		q.Args = b
	}
	b, err := json.Marshal(q)
	if err != nil {
		return fmt.Errorf("ask %s: %w", verb, err)
	}
	if len(b) >= maxQuestion {
		return fmt.Errorf("ask %s: the question has %d bytes, %d is the most", verb, len(b), maxQuestion)
	}
	stop := context.AfterFunc(ctx, func() { _ = c.conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if _, err := c.conn.Write(append(b, '\n')); err != nil {
		// A node that refuses the connection says why and closes it: its word counts more.
		if refusal := c.read(nil); errors.As(refusal, new(*CallError)) {
			return refusal
		}
		return fmt.Errorf("ask %s: %w", verb, err)
	}
	err = c.read(result)
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("ask %s: %w", verb, ctx.Err())
	}
	return err
}

func (c *Client) read(result any) error {
	line, err := readLine(c.r, maxAnswer+1)
	if err != nil {
		return fmt.Errorf("the node closed the connection: %w", err)
	}
	var a answer
	if err := json.Unmarshal(line, &a); err != nil {
		return fmt.Errorf("answer of the node: %w", err)
	}
	switch {
	case a.Error != nil:
		return a.Error
	case !a.OK:
		return &CallError{Failed, "the node gave no reason"}
	case result == nil:
		return nil
	}
	if err := json.Unmarshal(a.Result, result); err != nil {
		return fmt.Errorf("answer of the node: %w", err)
	}
	return nil
}
