package hostileclient_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sallyport/server/c2s"
)

// stall is how long somebody who does nothing wrong may wait for an answer, beyond what the machine keeps everybody waiting. Delays of milliseconds
// are the machine's and those of hundreds of attackers in the same process; a server that lets one of them hold up others does it for seconds.
const stall = 5 * time.Second

// yardstick does what waits for nothing but the machine: it says a byte on a connection inside this process and hears it again, and has a byte
// written to the disk, which the program does before it lets go of anything.
type yardstick struct {
	mu    sync.Mutex
	worst time.Duration
	since map[string]time.Time // what has begun and not ended
}

// take measures one thing that is done.
func (y *yardstick) take(what string, do func() error) error {
	began := time.Now()
	y.mu.Lock()
	if y.since == nil {
		y.since = make(map[string]time.Time)
	}
	y.since[what] = began
	y.mu.Unlock()
	err := do()
	y.mu.Lock()
	defer y.mu.Unlock()
	y.worst = max(y.worst, time.Since(began))
	delete(y.since, what)
	return err
}

// measure goes on until the test is over.
func (y *yardstick) measure(t *testing.T) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.Create(filepath.Join(t.TempDir(), "yardstick"))
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		if conn, err := ln.Accept(); err == nil {
			_, _ = io.Copy(conn, conn)
			_ = conn.Close()
		}
	})
	conn, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	over, b := make(chan struct{}), make([]byte, 1)
	all.Go(func() {
		y.often(over, pace, "echo", func() error {
			if _, err := conn.Write(b); err != nil {
				return err
			}
			_, err := io.ReadFull(conn, b)
			return err
		})
	})
	all.Go(func() {
		y.often(over, 10*pace, "disk", func() error {
			_, err := file.WriteAt([]byte{'x'}, 0)
			return errors.Join(err, file.Sync())
		})
	})
	t.Cleanup(func() {
		close(over)
		_ = conn.Close()
		_ = ln.Close()
		all.Wait()
		_ = file.Close()
	})
}

func (y *yardstick) often(over <-chan struct{}, every time.Duration, what string, do func() error) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for y.take(what, do) == nil {
		select {
		case <-tick.C:
		case <-over:
			return
		}
	}
}

// limit is what nobody may wait longer.
func (y *yardstick) limit() time.Duration {
	y.mu.Lock()
	defer y.mu.Unlock()
	worst := y.worst
	for _, began := range y.since {
		worst = max(worst, time.Since(began))
	}
	return stall + 10*worst
}

// pace is that of bystanders.
const pace = 10 * time.Millisecond

// calm is how long bystanders waited: the longest, and while which row.
type calm struct {
	yardstick yardstick
	row       atomic.Value // string

	mu    sync.Mutex
	worst map[string]time.Duration // by bystander
	where map[string]string
}

func (c *calm) waited(who string, d time.Duration) {
	row, _ := c.row.Load().(string)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.worst == nil {
		c.worst, c.where = make(map[string]time.Duration), make(map[string]string)
	}
	if d > c.worst[who] {
		c.worst[who], c.where[who] = d, row
	}
}

// judge holds the longest waits against the limit.
func (c *calm) judge(t *testing.T) {
	t.Helper()
	limit := c.yardstick.limit()
	c.mu.Lock()
	defer c.mu.Unlock()
	for who, d := range c.worst {
		t.Logf("the bystander on %s waited at most %v, during %s; nobody may longer than %v", who, d, c.where[who], limit)
		if d > limit {
			t.Errorf("the bystander on %s waited %v, during %s", who, d, c.where[who])
		}
	}
}

// bystander sends one message after the other by say; each comes back once, before the next is sent.
func (b *bed) bystander(t *testing.T, who string, exchange func(id string) string, over <-chan struct{}) (n int) {
	tick := time.NewTicker(pace)
	defer tick.Stop()
	for ; ; n++ {
		select {
		case <-over:
			return n
		case <-tick.C:
		}
		id, began := b.id("bystander"), time.Now()
		said := exchange(id)
		b.calm.waited(who, time.Since(began))
		if strings.Count(said, "<message") != 1 || !strings.Contains(said, "id='"+id+"'") {
			t.Errorf("the bystander on %s sent %s and got %s", who, id, said)
			return n
		}
	}
}

// recorded are the observations that the program has put down: of one source at most one a minute of a kind.
func (b *bed) recorded(t *testing.T) (list []c2s.Observation) {
	t.Helper()
	trail, err := b.home.Command("audit", "show", "--kind", "security-event", "--json")
	if err != nil {
		t.Error(err)
		return nil
	}
	for line := range strings.Lines(string(trail)) {
		var e struct {
			Rule     string `json:"rule"`
			Reason   string `json:"reason"`
			StanzaID string `json:"id"`
			Size     int    `json:"size"`
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Errorf("%s: %v", line, err)
			return nil
		}
		o := c2s.Observation{Detail: e.Reason, Bytes: e.Size}
		for w := c2s.NothingSeen; w.String() != "unknown"; w++ {
			if e.Rule == "client-"+w.String() {
				o.What = w
			}
		}
		if from, err := netip.ParseAddrPort(e.StanzaID); err == nil {
			o.From = from.Addr()
		}
		list = append(list, o)
	}
	return list
}

// kept wants that nothing of what was refused, and no password, stands in what the program writes for its operator.
func (b *bed) kept(t *testing.T) {
	t.Helper()
	files := []string{b.home.Log()}
	segments, err := filepath.Glob(filepath.Join(b.home.Dir, "state", "audit", "*"))
	if err != nil || len(segments) == 0 {
		t.Errorf("no audit log: %v", err)
	}
	for _, name := range append(files, segments...) {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Error(err)
		}
		for _, word := range []string{mark, password, base("\x00juliet\x00" + password), fmt.Sprintf("%x", mark), base(mark)} {
			if at := strings.Index(string(text), word); at >= 0 {
				t.Errorf("%s has %q", name, text[max(0, at-200):min(len(text), at+100)])
			}
		}
	}
}
