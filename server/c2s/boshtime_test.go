package c2s_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sallyport/internal/xmpp/stream"
	"sallyport/server/c2s"
)

// overPipes serves requests in simulated time, and returns who makes them.
func (d *den) overPipes(o c2s.WebOptions) *asker {
	d.t.Helper()
	ln, hs := make(memory), &http.Server{Handler: d.server.BOSH(d.ctx, o)} //nolint:gosec // nobody is slow here
	ended := make(chan error, 1)
	go func() { ended <- hs.Serve(ln) }()
	transport := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		ln <- from{theirs, "192.0.2.1"}
		return ours, nil
	}}
	d.t.Cleanup(func() {
		transport.CloseIdleConnections()
		_ = hs.Close()
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
			d.t.Error(err)
		}
	})
	return &asker{t: d.t, http: &http.Client{Transport: transport}, url: "http://im.example/bosh", rid: 1_000_000, wait: 60}
}

// A request that is held waits as long as it was told, whatever time its body could have taken.
func TestBOSHHolds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDen(t, nil)
		a := d.overPipes(c2s.WebOptions{})
		a.login()
		began := time.Now()
		if said := a.ask("", ""); said != "<body xmlns='http://jabber.org/protocol/httpbind'/>" || time.Since(began) != time.Minute {
			t.Errorf("after %v: %s", time.Since(began), said)
		}
		go func() {
			time.Sleep(45 * time.Second)
			d.house.session().Send(note(t, "late"), 1)
		}()
		if said := a.ask("", ""); !strings.Contains(said, "late") {
			t.Errorf("said %s", said)
		}
		a.ask("type='terminate'", "")
		<-d.house.ends
	})
}

// What nobody has asked for any more comes out at the end, so that it is kept or given to somebody else; what was asked for is not given twice.
func TestBOSHReceipts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDen(t, nil)
		a := d.overPipes(c2s.WebOptions{})
		a.login()
		s := d.house.session()
		if !s.Managed() {
			t.Error("it is not known what the client has")
		}
		s.Send(note(t, "asked for"), 7)
		if said := a.ask("", ""); !strings.Contains(said, "asked for") {
			t.Errorf("said %s", said)
		}
		a.ask("", "") // so it has the answer before
		synctest.Wait()
		if n := d.house.times("acked"); n != 1 {
			t.Errorf("acknowledged %d times", n)
		}
		s.Send(note(t, "too late"), 8)
		if end := <-d.house.ends; end.Cause != stream.ConnLost || len(end.Unconfirmed) != 1 || end.Unconfirmed[0].Token != 8 {
			t.Errorf("the end is %+v", end)
		}
	})
}

// What somebody says while we cannot read, as those who take it are slow, is not kept without end.
func TestBOSHHoldsNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDen(t, func(c *c2s.Config) { c.Stream.Manage.MaxUnsettled = 1 })
		a := d.overPipes(c2s.WebOptions{})
		a.login()
		d.house.later()
		words, said := strings.Repeat("x", 200<<10), 0
		for ; said < 40; said++ {
			if answer := a.ask("", `<message`+nsClient+` to='romeo@im.example'><body>`+words+`</body></message>`); strings.Contains(answer, "terminate") {
				break
			}
		}
		if said < 2 || said > 20 {
			t.Errorf("%d of 200 KiB were taken", said)
		}
		d.house.mu.Lock()
		d.house.slow = false
		d.house.mu.Unlock()
		d.house.settle()
		<-d.house.ends
		if n := d.house.messages(); n != said {
			t.Errorf("%d of %d were handed up", n, said)
		}
	})
}
