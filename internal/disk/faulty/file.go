package faulty

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"sallyport/internal/disk"
)

// file has two contents: what programs read, and what the disk has for certain, with the changes in between.
type file struct {
	seen    []byte
	durable []byte
	pending []edit
}

// edit is one unsynced change: bytes written at an offset, or a truncation to it.
type edit struct {
	at   int64
	data []byte // nil: truncate
	lost bool   // a sync failed after it: the kernel forgot that it was dirty, no later sync will write it
}

// handle is an open file, for appending or reading. The lock of the file system guards it.
type handle struct {
	fs     *FS
	name   string
	file   *file
	size   int64
	epoch  int
	closed bool
}

var (
	_ disk.File   = (*handle)(nil)
	_ disk.Reader = (*handle)(nil)
)

func (h *handle) usable() error {
	switch {
	case h.epoch != h.fs.epoch:
		return ErrCrashed
	case h.closed:
		return fmt.Errorf("%s: file already closed", h.name)
	}
	return nil
}

// Write implements disk.File.
func (h *handle) Write(p []byte) (int, error) {
	h.fs.mu.Lock()
	defer h.fs.mu.Unlock()
	if err := h.usable(); err != nil {
		return 0, err
	}
	fault := h.fs.call(Write, h.name, len(p))
	n, err := len(p), fault.Err
	if err != nil {
		n = min(max(fault.Short, 0), len(p))
	}
	if c := h.fs.capacity; c > 0 {
		if room := max(c-h.fs.used(), 0); int64(n) > room {
			n, err = int(room), ErrFull
		}
	}
	if n > 0 {
		h.file.pending = append(h.file.pending, edit{at: int64(len(h.file.seen)), data: slices.Clone(p[:n])})
		h.file.seen = append(h.file.seen, p[:n]...)
	}
	return n, err
}

// Sync implements disk.File. After a failed one the earlier writes are still to be read and will never be durable.
func (h *handle) Sync() error {
	h.fs.mu.Lock()
	defer h.fs.mu.Unlock()
	if err := h.usable(); err != nil {
		return err
	}
	if err := h.fs.call(Sync, h.name, 0).Err; err != nil {
		if errors.Is(err, ErrCrashed) {
			return err // the power went in the middle: Crash decides
		}
		for i := range h.file.pending {
			h.file.pending[i].lost = true
		}
		return err
	}
	var kept []edit
	for _, e := range h.file.pending {
		if e.lost {
			kept = append(kept, e)
			continue
		}
		h.file.durable = e.apply(h.file.durable)
	}
	h.file.pending = kept
	return nil
}

// Rewrite implements disk.File.
func (h *handle) Rewrite(p []byte, at int64) error {
	h.fs.mu.Lock()
	defer h.fs.mu.Unlock()
	if err := h.usable(); err != nil {
		return err
	}
	if at < 0 || at+int64(len(p)) > int64(len(h.file.seen)) {
		return fmt.Errorf("%s: rewrite beyond the end", h.name)
	}
	if err := h.fs.call(Rewrite, h.name, len(p)).Err; err != nil {
		return err
	}
	if len(p) > 0 {
		e := edit{at: at, data: slices.Clone(p)}
		h.file.seen = e.apply(h.file.seen)
		h.file.pending = append(h.file.pending, e)
	}
	return nil
}

// Truncate implements disk.File.
func (h *handle) Truncate(size int64) error {
	h.fs.mu.Lock()
	defer h.fs.mu.Unlock()
	if err := h.usable(); err != nil {
		return err
	}
	if err := h.fs.call(Truncate, h.name, 0).Err; err != nil {
		return err
	}
	e := edit{at: size}
	h.file.seen = e.apply(h.file.seen)
	h.file.pending = append(h.file.pending, e)
	return nil
}

// Close implements disk.File.
func (h *handle) Close() error {
	h.fs.mu.Lock()
	defer h.fs.mu.Unlock()
	if err := h.usable(); err != nil {
		return err
	}
	h.closed = true
	return nil
}

// ReadAt implements disk.Reader.
func (h *handle) ReadAt(p []byte, off int64) (int, error) {
	h.fs.mu.Lock()
	defer h.fs.mu.Unlock()
	if err := h.usable(); err != nil {
		return 0, err
	}
	if err := h.fs.call(Read, h.name, len(p)).Err; err != nil {
		return 0, err
	}
	if off < 0 || off >= int64(len(h.file.seen)) {
		return 0, io.EOF
	}
	n := copy(p, h.file.seen[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// Size implements disk.Reader.
func (h *handle) Size() int64 { return h.size }

// apply returns the contents after the edit; a write beyond the end leaves zeros, as file systems do.
func (e edit) apply(b []byte) []byte {
	size := e.at + int64(len(e.data))
	if e.data == nil {
		size = e.at
		b = b[:min(size, int64(len(b)))]
	}
	if grow := size - int64(len(b)); grow > 0 {
		b = append(b, make([]byte, grow)...)
	}
	copy(b[e.at:], e.data)
	return b
}
