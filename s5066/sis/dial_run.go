package sis

import (
	"context"
	"net"
	"time"
)

// closeWait is how long Close lets the last bytes be written.
const closeWait = 5 * time.Second

// run owns the connections, one after the other, until the Conn is closed.
func (c *Conn) run(raw net.Conn, client *Client) {
	defer close(c.done)
	pause := c.opts.Network.RetryMin
	for {
		if raw != nil {
			c.converse(raw, client)
			if client.MTU() > 0 { // it was bound: this is a new trouble
				pause = c.opts.Network.RetryMin
			}
		}
		if !c.rest(pause) {
			return
		}
		pause = min(2*pause, c.opts.Network.RetryMax)
		raw, client = c.again()
	}
}

// rest waits, and reports whether to go on.
func (c *Conn) rest(pause time.Duration) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	over := false
	for {
		c.mu.Lock()
		closed, changed := c.closed, c.changed
		c.mu.Unlock()
		if closed || c.ctx.Err() != nil {
			return false
		}
		if over {
			return true
		}
		select {
		case <-timer.C:
			over = true
		case <-changed:
		case <-c.ctx.Done():
		}
	}
}

// again makes a new connection; nil if the node cannot be reached.
func (c *Conn) again() (net.Conn, *Client) {
	ctx, cancel := context.WithTimeout(c.ctx, c.opts.Wait)
	defer cancel()
	raw, err := c.opts.Network.Dial(ctx, c.addr)
	if err != nil {
		return nil, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	client, err := NewClient(time.Now(), c.opts)
	if err != nil || c.closed {
		_ = raw.Close()
		return nil, nil
	}
	c.client = client
	return raw, client
}

// converse drives one client over one connection until that has ended.
func (c *Conn) converse(raw net.Conn, client *Client) {
	stop := context.AfterFunc(c.ctx, func() { _ = raw.Close() })
	defer stop()
	read := make(chan struct{})
	go func() {
		defer close(read)
		c.read(raw, client)
	}()
	if err := c.write(raw, client, read); err != nil { // the node may have said why
		_ = raw.SetReadDeadline(time.Now().Add(lingerTime))
		<-read
	}
	_ = raw.Close()
	<-read
	c.mu.Lock()
	defer c.mu.Unlock()
	client.Closed(time.Now())
	c.collect(client)
	c.client = nil
	c.tellChanged()
}

// read feeds the client, but not faster than Receive takes what comes of it.
func (c *Conn) read(raw net.Conn, client *Client) {
	buf := make([]byte, 16<<10)
	for {
		n, err := raw.Read(buf)
		if err != nil {
			return
		}
		err = c.wait(c.ctx, func() error {
			if !c.closed && (len(c.inbox) >= inboxEvents || c.size >= inboxBytes) {
				return errWait
			}
			client.Bytes(time.Now(), buf[:n])
			c.collect(client)
			c.tellChanged()
			return nil
		})
		if err != nil {
			return
		}
	}
}

// write writes what the client has to say and tells it the time, until it or the connection ends. The
// error is that of the connection.
func (c *Conn) write(raw net.Conn, client *Client, read <-chan struct{}) error {
	for {
		c.mu.Lock()
		client.Tick(time.Now())
		c.collect(client)
		b, closing := client.Output()
		at, timed := client.Deadline()
		changed := c.changed
		if len(b) > 0 {
			c.tellChanged() // there is room for more
		}
		c.mu.Unlock()
		if len(b) > 0 {
			_ = raw.SetWriteDeadline(time.Now().Add(stallTimeout))
			if _, err := raw.Write(b); err != nil {
				return err
			}
		}
		switch {
		case closing:
			return nil
		case len(b) > 0:
			continue
		}
		if !sleep(at, timed, changed, read) {
			return nil
		}
	}
}

// sleep waits for a change or a time, and reports whether there is still a reader.
func sleep(at time.Time, timed bool, changed, read <-chan struct{}) bool {
	var due <-chan time.Time
	if timed {
		timer := time.NewTimer(time.Until(at))
		defer timer.Stop()
		due = timer.C
	}
	select {
	case <-changed:
	case <-due:
	case <-read:
		return false
	}
	return true
}

// collect moves the client's events to the inbox. The lock is held.
func (c *Conn) collect(client *Client) {
	events := client.Events()
	if len(events) == 0 {
		return
	}
	for _, e := range events {
		c.size += weight(e)
	}
	c.inbox = append(c.inbox, events...)
	c.tellChanged()
}
