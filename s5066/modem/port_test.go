package modem_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"sallyport/s5066/modem"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// said is one line per event.
func said(e modem.Event) string {
	switch e := e.(type) {
	case modem.Lost:
		return fmt.Sprintf("lost %d %s", e.ID, e.Reason)
	case modem.Data:
		return fmt.Sprintf("data %s", e.Bytes)
	case modem.Carrier:
		if !e.On {
			return "carrier off"
		}
		return "carrier " + e.Waveform.String()
	case modem.Keyed:
		return fmt.Sprintf("keyed %d", e.ID)
	case modem.Sent:
		return fmt.Sprintf("sent %d", e.ID)
	}
	return fmt.Sprintf("%#v", e)
}

// told collects what a port says, with the time since the begin, until its end.
func told(p *modem.Port) []string {
	begin := time.Now()
	var all []string
	for e := range p.Events() {
		all = append(all, fmt.Sprintf("%v %s", time.Since(begin), said(e)))
	}
	return all
}

var shore = modem.Hello{Name: "shore", Radio: modem.DefaultRadio(), Speed: 1}

// pair connects a port to a modem that attend plays. finish waits until it has ended.
func pair(t *testing.T, attend func(context.Context, *modem.Unit)) (p *modem.Port, finish func()) {
	t.Helper()
	station, unit := net.Pipe()
	handled := make(chan error, 1)
	go func() { handled <- modem.Handle(t.Context(), unit, shore, attend) }()
	p, hello, err := modem.Attach(t.Context(), station, "ship")
	if err != nil || hello != shore {
		t.Fatalf("%+v, %v", hello, err)
	}
	return p, func() {
		t.Helper()
		_ = p.Close()
		if err := <-handled; err != nil {
			t.Error(err)
		}
	}
}

func TestOrdersAndEventsBetweenStationAndModem(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := parse(t, "110a-1200-short")
		p, finish := pair(t, func(_ context.Context, u *modem.Unit) {
			if u.Station() != "ship" {
				t.Errorf("station %q", u.Station())
			}
			k, ok := (<-u.Orders()).(modem.Key)
			if !ok {
				t.Error("the order is no Key")
				return
			}
			u.Emit(modem.Keyed{ID: k.ID})
			time.Sleep(time.Second)
			u.Emit(modem.Sent{ID: k.ID})
			u.Emit(modem.Sent{ID: 99}) // nobody asked
			u.Emit(modem.Carrier{On: true, Waveform: k.Waveform})
			u.Emit(modem.Data{Bytes: k.Data})
			time.Sleep(time.Minute) // longer than either end is silent: they ask
			u.Emit(modem.Carrier{})
		})
		if err := p.Order(t.Context(), modem.Key{ID: 1, Waveform: w, Data: []byte("hello")}); err != nil {
			t.Error(err)
		}
		if err := p.Order(t.Context(), modem.Key{ID: 2, Waveform: w, Data: []byte("hello")}); err != nil {
			t.Error(err)
		}
		if err := p.Order(t.Context(), modem.Key{ID: 3}); err != nil {
			t.Error(err)
		}
		want := []string{
			"0s lost 2 busy", "0s lost 3 busy", "0s keyed 1", "1s sent 1", "1s carrier 110a-1200-short", "1s data hello", "1m1s carrier off",
		}
		// what the modem says comes before, between or behind what the station says itself at the same time
		got := told(p)
		if at := slices.Index(got, "0s keyed 1"); at >= 0 && at < 3 && len(got) == len(want) {
			got = slices.Insert(slices.Delete(got, at, at+1), 2, "0s keyed 1")
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("-want +got:\n%s", d)
		}
		if err := p.Order(t.Context(), modem.Abort{ID: 1}); !errors.Is(err, modem.ErrGone) {
			t.Errorf("order to a modem that is gone: %v", err)
		}
		finish()
	})
}

func TestAModemThatDies(t *testing.T) {
	t.Parallel()
	w := parse(t, "110a-1200-short")
	for name, c := range map[string]struct {
		attend func(context.Context, *modem.Unit)
		want   []string
	}{
		"in the middle of a transmission": {
			func(_ context.Context, u *modem.Unit) {
				u.Emit(modem.Keyed{ID: (<-u.Orders()).(modem.Key).ID}) //nolint:errcheck,forcetypeassert // the test's own
				time.Sleep(time.Second)
			},
			[]string{"0s keyed 1", "1s lost 1 gone"},
		},
		"in the middle of a reception": {
			func(_ context.Context, u *modem.Unit) {
				<-u.Orders()
				u.Emit(modem.Lost{ID: 1, Reason: modem.Busy})
				u.Emit(modem.Carrier{On: true})
				time.Sleep(time.Second)
			},
			[]string{"0s lost 1 busy", "0s carrier none", "1s carrier off"},
		},
		"without a word": { // 1.45 s on the air, half of that more, and ten seconds
			func(ctx context.Context, u *modem.Unit) {
				<-u.Orders()
				select {
				case <-u.Orders():
				case <-ctx.Done():
				}
			},
			[]string{"12.175s lost 1 silent"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p, finish := pair(t, c.attend)
				if err := p.Order(t.Context(), modem.Key{ID: 1, Waveform: w, Data: []byte("hello")}); err != nil {
					t.Error(err)
				}
				if d := cmp.Diff(c.want, told(p)); d != "" {
					t.Errorf("-want +got:\n%s", d)
				}
				finish()
			})
		})
	}
}

func TestNobodyGreets(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		station, unit := net.Pipe()
		go func() {
			b := make([]byte, 100)
			for _, err := unit.Read(b); err == nil; {
				_, err = unit.Read(b)
			}
		}()
		begin := time.Now()
		_, _, err := modem.Attach(t.Context(), station, "ship")
		if !errors.Is(err, modem.ErrSilent) || time.Since(begin) != 10*time.Second {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
		_ = unit.Close()
	})
	synctest.Test(t, func(t *testing.T) {
		station, unit := net.Pipe()
		b := make([]byte, 100)
		go func() { _, _ = station.Read(b) }()
		err := modem.Handle(t.Context(), unit, shore, func(context.Context, *modem.Unit) { t.Error("attended a station that said nothing") })
		if err == nil {
			t.Error("no error for a station that said nothing")
		}
		_ = station.Close()
	})
}

func TestAPlainStreamIsAModemToo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := parse(t, "110a-1200-short")
		line, far := net.Pipe()
		p, err := modem.Raw(line, modem.Plain{Waveform: w, Radio: modem.DefaultRadio()})
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			b := make([]byte, 5)
			if _, err := far.Read(b); err != nil || string(b) != "hello" {
				t.Errorf("%q, %v", b, err)
			}
			time.Sleep(10 * time.Second)
			_, _ = far.Write([]byte("and"))
			time.Sleep(time.Second)
			_, _ = far.Write([]byte("back"))
			time.Sleep(3 * time.Second)
			_, _ = far.Write([]byte("again"))
			_, _ = far.Read(b)
			_ = far.Close()
		}()
		go func() {
			time.Sleep(15 * time.Second)
			_ = p.Order(t.Context(), modem.Key{ID: 3, Waveform: w, Data: []byte("twice")})
		}()
		for id, wf := range map[uint32]modem.Waveform{2: parse(t, "110a-75-short")} {
			if err := p.Order(t.Context(), modem.Key{ID: id, Waveform: wf, Data: []byte("hello")}); err != nil {
				t.Error(err)
			}
		}
		if err := p.Order(t.Context(), modem.Key{ID: 1, Waveform: w, Data: []byte("hello")}); err != nil {
			t.Error(err)
		}
		want := []string{
			"0s lost 2 refused", "0s keyed 1", "1.45s sent 1", "10s carrier 110a-1200-short", "10s data and", "11s data back", "12.2s carrier off",
			"14s carrier 110a-1200-short", "14s data again", "15s keyed 3", "15s lost 3 gone", "15s carrier off",
		}
		if d := cmp.Diff(want, told(p)); d != "" {
			t.Errorf("-want +got:\n%s", d)
		}
		_ = p.Close()
	})
	if _, err := modem.Raw(nil, modem.Plain{}); !errors.Is(err, modem.ErrWaveform) {
		t.Errorf("a plain modem without a waveform: %v", err)
	}
}

func TestServeOverLoopback(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() {
		served <- modem.Serve(ctx, ln, shore, func(ctx context.Context, u *modem.Unit) {
			u.Emit(modem.Data{Bytes: []byte("to " + u.Station())})
			<-ctx.Done()
		})
	}()
	var ports []*modem.Port
	for _, name := range []string{"ship", "buoy"} {
		p, _, err := modem.Dial(t.Context(), ln.Addr().String(), name)
		if err != nil {
			t.Fatal(err)
		}
		if got := said(<-p.Events()); got != "data to "+name {
			t.Errorf("%s got %q", name, got)
		}
		ports = append(ports, p)
	}
	stop()
	if err := <-served; err != nil {
		t.Error(err)
	}
	for _, p := range ports {
		for e := range p.Events() {
			t.Errorf("%s after the end", said(e))
		}
		_ = p.Close()
	}
}
