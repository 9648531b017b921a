package modem_test

import (
	"context"
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"sallyport/s5066/modem"
)

func TestAStationThatSaysWhatItMustNot(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]modem.Frame{
		"an event": modem.Sent{ID: 1}, "hello again": modem.Hello{Name: "ship"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				station, unit := net.Pipe()
				done := make(chan error, 1)
				go func() {
					done <- modem.Handle(t.Context(), unit, shore, func(_ context.Context, u *modem.Unit) {
						if o, ok := <-u.Orders(); ok {
							t.Errorf("order %#v", o)
						}
					})
				}()
				go func() {
					b := make([]byte, 100)
					for _, err := station.Read(b); err == nil; {
						_, err = station.Read(b)
					}
				}()
				for _, f := range []modem.Frame{modem.Hello{Name: "ship"}, f} {
					b, err := modem.AppendFrame(nil, f)
					if err != nil {
						t.Fatal(err)
					}
					if _, err := station.Write(b); err != nil {
						t.Fatal(err)
					}
				}
				if err := <-done; err != nil {
					t.Error(err)
				}
				_ = station.Close()
			})
		})
	}
}

func TestAModemThatSaysWhatItMustNot(t *testing.T) {
	t.Parallel()
	hello, err := modem.AppendFrame(nil, shore)
	if err != nil {
		t.Fatal(err)
	}
	for name, wire := range map[string]string{
		"an order": string(hello) + "\x03\x00\x00\x04\x00\x00\x00\x01", "hello again": string(hello) + string(hello),
		"junk": string(hello) + "\xff\xff\xff\xff", "news before hello": "\x05\x00\x00\x04\x00\x00\x00\x01", "a modem that stands still": "\x01\x00\x00\x0c\x01" + string(make([]byte, 11)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			now := time.Now()
			s, _, err := modem.NewSession(now, "ship")
			if err != nil {
				t.Fatal(err)
			}
			if step := s.Receive(now, []byte(wire)); !errors.Is(step.Err, modem.ErrFrame) || len(step.Events) > 0 {
				t.Errorf("%+v", step)
			}
		})
	}
}

// A station that reads nothing is let go, and a modem that is told so is not held up.
func TestAStationThatDoesNotRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p, finish := pair(t, func(_ context.Context, u *modem.Unit) {
			for n := 0; u.Emit(modem.Data{Bytes: make([]byte, 100_000)}); n++ {
				if n > 1000 {
					t.Error("100 MB are queued for a station that reads nothing")
					return
				}
			}
		})
		n := 0
		for range p.Events() {
			n++
		}
		if n > 300 {
			t.Errorf("%d events", n)
		}
		finish()
	})
}

// A station that gives an order before it takes what waits for it is not held up by a modem that is gone.
func TestOrderToAModemThatIsGoneWhileEventsWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p, finish := pair(t, func(_ context.Context, u *modem.Unit) {
			for range 500 {
				u.Emit(modem.Carrier{On: true})
				u.Emit(modem.Carrier{})
			}
			time.Sleep(time.Second)
		})
		time.Sleep(time.Minute)
		n := 0
		for range 10 { // it does not know yet
			if err := p.Order(t.Context(), modem.Abort{ID: 1}); err != nil {
				if !errors.Is(err, modem.ErrGone) {
					t.Error(err)
				}
				n++
			}
		}
		for range p.Events() {
			n++
		}
		if n < 64 || p.Err() == nil {
			t.Errorf("%d errors and events, %v", n, p.Err())
		}
		finish()
	})
}
