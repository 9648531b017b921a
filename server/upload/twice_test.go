package upload_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"sallyport/server/upload"
)

// marking is a store in which something happens before a slot is marked.
type marking struct {
	upload.Store
	before func()
}

func (m *marking) MarkStored(ctx context.Context, domain, id string, expires time.Time) error {
	if before := m.before; before != nil {
		m.before = nil
		before()
	}
	return m.Store.MarkStored(ctx, domain, id, expires)
}

// told is a body that tells when it is read, and then waits.
type told struct {
	reading chan struct{}
	goOn    chan struct{}
	once    sync.Once
	io.Reader
}

func (b *told) Read(p []byte) (int, error) {
	b.once.Do(func() { close(b.reading) })
	<-b.goOn
	return b.Reader.Read(p)
}

// Who puts a second file at the moment when the first one is about to be marked as stored cannot change later what others were given.
func TestPutTwiceAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	path := w.slot("a.png", 5, "image/png")
	second := &told{reading: make(chan struct{}), goOn: make(chan struct{}), Reader: strings.NewReader("54321")}
	answered := make(chan int, 1)
	store := &marking{Store: w.service.Store}
	w.service.Store = store
	store.before = func() {
		go func() {
			r := httptest.NewRequestWithContext(t.Context(), "PUT", path, second)
			r.ContentLength = 5
			r.Header.Set("Content-Type", "image/png")
			rec := httptest.NewRecorder()
			w.service.ServeHTTP(rec, r)
			answered <- rec.Code
		}()
		select {
		case <-second.reading:
		case status := <-answered:
			answered <- status
		}
	}
	if r := w.does("PUT", path, "image/png", "12345"); r.StatusCode != http.StatusCreated {
		t.Errorf("the first: %d", r.StatusCode)
	}
	close(second.goOn)
	if status := <-answered; status != http.StatusForbidden {
		t.Errorf("the second: %d", status)
	}
	if got := body(t, w.does("GET", path, "", "")); got != "12345" {
		t.Errorf("it is %q now", got)
	}
}

// A file that is being put when the time of its slot is over is not taken away from under it; what it takes of the quota is not free either.
func TestExpireWhileItIsPut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	path := w.slot("a.png", 1000, "image/png")
	slow := &told{reading: make(chan struct{}), goOn: make(chan struct{}), Reader: strings.NewReader(strings.Repeat("x", 1000))}
	answered := make(chan int, 1)
	go func() {
		r := httptest.NewRequestWithContext(t.Context(), "PUT", path, slow)
		r.ContentLength = 1000
		r.Header.Set("Content-Type", "image/png")
		rec := httptest.NewRecorder()
		w.service.ServeHTTP(rec, r)
		answered <- rec.Code
	}()
	<-slow.reading
	w.now = w.now.Add(2 * time.Minute)
	if n, err := w.service.Expire(t.Context()); err != nil || n != 0 {
		t.Errorf("%d expired, %v", n, err)
	}
	close(slow.goOn)
	if status := <-answered; status != http.StatusCreated {
		t.Errorf("put: %d", status)
	}
	if r := w.does("GET", path, "", ""); r.StatusCode != http.StatusOK {
		t.Errorf("got: %d", r.StatusCode)
	}
}
