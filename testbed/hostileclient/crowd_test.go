package hostileclient_test

import (
	"errors"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sallyport/server/c2s"
)

// oneRecord: D01. However often an address sends what is no XMPP, there is one record of it a minute, with the condition and the size.
func oneRecord(t *testing.T, b *bed) {
	from, began := freshSource(), time.Now()
	for range 5 {
		c := b.dialFrom(t, from, b.clear)
		c.say("GET /" + mark + " HTTP/1.1\r\n\r\n")
		c.end(closeLimit)
	}
	list := b.observed(t, from, c2s.Hostile, "not-well-formed")
	if b.home != nil && time.Since(began) < time.Minute && len(list) != 1 {
		t.Errorf("%d records within %v: %+v", len(list), time.Since(began), list)
	}
	if len(list) == 0 || list[0].Bytes <= 0 || list[0].Bytes > 20 {
		t.Errorf("%+v", list)
	}
}

// manyOfOne: D13. Of 200 connections of an address 50 are let in, and somebody else logs in meanwhile.
func manyOfOne(t *testing.T, b *bed) {
	from := freshSource()
	if in := b.crowd(t, []net.IP{from}, 200).letIn(); in != c2s.MaxPending {
		t.Errorf("%d of 200 are let in", in)
	}
	b.observed(t, from, c2s.TooManyPending, "")
}

// manyOfMany: D13. Those of 40 addresses are let in, cost little, and leave nothing.
func manyOfMany(t *testing.T, b *bed) {
	var from []net.IP
	for range 40 {
		from = append(from, freshSource())
	}
	files := b.files(t)
	t.Run("held", func(t *testing.T) {
		before := b.resident(t)
		all := b.crowd(t, from, 2_000)
		b.grew(t, before, 2_000*perStranger)
		if in := all.letIn(); in != 2_000 {
			t.Errorf("%d of 2,000 are let in", in)
		}
	})
	for end := time.Now().Add(patience); b.files(t) > files+40; <-time.After(pace) { // others come and go, too
		if time.Now().After(end) {
			t.Fatalf("%d files are open, %d were before", b.files(t), files)
		}
	}
}

// crowd is connections that have said the beginning of a tag.
type crowd [][]*client

// half is how much of the header they say.
const half = len("<stream:stream xmlns='jabb")

// crowd connects n times from these addresses, without TLS, and has somebody else log in. Connections are let in or not in their order, so that
// by then it is decided of all.
func (b *bed) crowd(t *testing.T, from []net.IP, n int) (all crowd) {
	t.Helper()
	for _, ip := range from {
		list := make([]*client, n/len(from))
		for i := range list {
			list[i] = b.dialFrom(t, ip, b.clear)
			_, _ = list[i].conn.Write([]byte(bareHeader[:half])) // who is not let in finds out when he listens
		}
		all = append(all, list)
	}
	last := b.dialTCP(t, b.clear)
	last.say(header)
	last.until("</stream:features>")
	b.logsIn(t)
	return all
}

// letIn is how many of them are answered when they go on.
func (c crowd) letIn() int {
	var in atomic.Int32
	var asked sync.WaitGroup
	for _, list := range c {
		asked.Go(func() {
			for _, one := range list {
				if one.answered() {
					in.Add(1)
				}
			}
		})
	}
	asked.Wait()
	return int(in.Load())
}

// answered goes on with a header: what is heard is features, or the end.
func (c *client) answered() bool {
	_, _ = c.conn.Write([]byte(bareHeader[half:]))
	_ = c.conn.SetReadDeadline(time.Now().Add(patience))
	buf := make([]byte, 4<<10)
	for !strings.Contains(c.text, "</stream:features>") {
		n, err := c.conn.Read(buf)
		c.text += string(buf[:n])
		if err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				c.t.Error("neither let in nor hung up on")
			}
			return false
		}
	}
	return true
}

// logsIn wants that somebody who does nothing wrong logs in quickly.
func (b *bed) logsIn(t *testing.T) {
	t.Helper()
	began := time.Now()
	c := b.loginAs(t, "romeo")
	defer c.conn.Close()
	if took, limit := time.Since(began), b.calm.yardstick.limit(); took > limit {
		t.Errorf("somebody else logged in after %v, limit %v", took, limit)
	}
}
