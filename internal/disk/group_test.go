package disk_test

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sallyport/internal/disk"
	"sallyport/internal/disk/faulty"
)

// words is a batch; owner collects what was committed.
type words struct{ list []string }

func (w *words) Len() int { return len(w.list) }
func (w *words) Reset()   { w.list = w.list[:0] }

type owner struct {
	mu      sync.Mutex
	taken   int
	batches [][]string
	err     error
	during  func() // what happens while a batch is being committed
}

func (o *owner) Taken() { o.taken++ }

func (o *owner) Commit(w *words) error {
	if o.during != nil {
		o.during()
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.batches = append(o.batches, slices.Clone(w.list))
	return o.err
}

func (o *owner) all() [][]string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.batches)
}

func TestGroupStep(t *testing.T) {
	var mu sync.Mutex
	g := disk.NewGroup(&mu, 0, &words{}, &words{})
	add := func(word string) { g.Active().list = append(g.Active().list, word) }
	o := &owner{}
	if did, err := g.Step(o); did || err != nil {
		t.Fatalf("nothing to do: %v %v", did, err)
	}
	add("a")
	add("b")
	o.during = func() { add("while b is written") }
	if did, err := g.Step(o); !did || err != nil {
		t.Fatalf("%v %v", did, err)
	}
	o.during, o.err = nil, errors.New("disk")
	if _, err := g.Step(o); !errors.Is(err, o.err) {
		t.Fatalf("%v", err)
	}
	if len(o.batches) != 2 || !slices.Equal(o.batches[0], []string{"a", "b"}) || !slices.Equal(o.batches[1], []string{"while b is written"}) || o.taken != 2 {
		t.Errorf("%v, taken %d times", o.batches, o.taken)
	}
}

// Run commits at once what comes alone, lingers after a large batch, and ends with everything committed.
func TestGroupRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		g := disk.NewGroup(&mu, time.Second, &words{}, &words{})
		add := func(n int) {
			mu.Lock()
			defer mu.Unlock()
			for range n {
				g.Active().list = append(g.Active().list, "x")
			}
			g.Wake()
		}
		o := &owner{}
		done := make(chan struct{})
		go func() {
			g.Run(o)
			close(done)
		}()
		for _, n := range []int{1, 20, 1, 1} {
			add(n)
			synctest.Wait()
		}
		if got := o.all(); len(got) != 2 {
			t.Errorf("%d batches before the linger is over", len(got))
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if got := o.all(); len(got) != 3 || len(got[2]) != 2 {
			t.Errorf("after it: %v", got)
		}
		add(3)
		mu.Lock()
		g.Close()
		closed := g.Closed()
		mu.Unlock()
		<-done
		if got := o.all(); len(got) != 4 || !closed {
			t.Errorf("at the end: %v", got)
		}
	})
}

func TestSeries(t *testing.T) {
	fs := faulty.New()
	s := disk.Series{Prefix: "log-", Suffix: ".x"}
	for _, name := range []string{"log-00000010.x", "log-00000002.x", "log-123456789.x", "log-2.x", "log-00000003.y", "other", "log-0000000a.x"} {
		fs.SetContents(name, []byte(name))
	}
	list, err := s.List(fs)
	if err != nil {
		t.Fatal(err)
	}
	var got []uint64
	for _, f := range list {
		got = append(got, f.Number)
		if f.Name != s.Name(f.Number) || f.Size != int64(len(f.Name)) {
			t.Errorf("%+v", f)
		}
	}
	if !slices.Equal(got, []uint64{2, 10, 123456789}) {
		t.Errorf("got %v", got)
	}
}
