package radio

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"go.uber.org/zap"

	"sallyport/internal/disk"
)

// silenceFile keeps radio silence that was ordered across restarts: a node must not be heard because it was started again. It stands beside the
// control socket while the node is silent.
type silenceFile struct {
	path   string
	silent func() bool // is the node, now
	wake   chan struct{}

	mu sync.Mutex // one writes at a time
}

func newSilenceFile(socket string, silent func() bool) *silenceFile {
	return &silenceFile{path: silencePath(socket), silent: silent, wake: make(chan struct{}, 1)}
}

func silencePath(socket string) string { return socket + ".emcon" }

// ordered reports whether a node was silent by order when it ended. What cannot be looked at counts as a yes.
func ordered(socket string) bool {
	_, err := os.Lstat(silencePath(socket))
	return !errors.Is(err, os.ErrNotExist)
}

// match makes the file be what the node is.
func (f *silenceFile) match() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	dir, err := disk.OpenDir(filepath.Dir(f.path))
	if err != nil {
		return fmt.Errorf("keep radio silence across restarts: %w", err)
	}
	name := filepath.Base(f.path)
	if f.silent() {
		err = disk.Replace(dir, name, []byte("Radio silence was ordered. It ends with 'sallyport hf emcon off'.\n"))
	} else if err = dir.Remove(name); errors.Is(err, disk.ErrNotExist) {
		err = nil
	}
	if err = errors.Join(err, dir.Close()); err != nil {
		return fmt.Errorf("keep radio silence across restarts: %w", err)
	}
	return nil
}

// changed lets until write, without waiting for it.
func (f *silenceFile) changed() {
	select {
	case f.wake <- struct{}{}:
	default: // it will look anyway
	}
}

// until writes what others than the control socket have ordered.
func (f *silenceFile) until(ctx context.Context, log *zap.Logger) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-f.wake:
			if err := f.match(); err != nil {
				log.Error("radio silence would end with a restart", zap.Error(err))
			}
		}
	}
}
