package gateway_test

import (
	"bytes"
	"strings"
	"sync"

	"sallyport/internal/disk"
	"sallyport/internal/disk/faulty"
)

// slowDisk is a faulty file system whose syncs of segments wait at a gate, and which knows what they made durable.
type slowDisk struct {
	*faulty.FS
	mu      sync.Mutex
	gate    chan struct{} // nil: open
	durable map[string][]byte
	syncs   int
}

func newSlowDisk() *slowDisk { return &slowDisk{FS: faulty.New(), durable: map[string][]byte{}} }

// shut lets no sync of a segment end until open.
func (d *slowDisk) shut() {
	d.mu.Lock()
	d.gate = make(chan struct{})
	d.mu.Unlock()
}

func (d *slowDisk) open() {
	d.mu.Lock()
	if d.gate != nil {
		close(d.gate)
		d.gate = nil
	}
	d.mu.Unlock()
}

// holds says whether text stands in what is durable.
func (d *slowDisk) holds(text string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, b := range d.durable {
		if bytes.Contains(b, []byte(text)) {
			return true
		}
	}
	return false
}

// Create implements disk.FS.
func (d *slowDisk) Create(name string) (disk.File, error) { return d.wrap(name, d.FS.Create) }

// Append implements disk.FS.
func (d *slowDisk) Append(name string) (disk.File, error) { return d.wrap(name, d.FS.Append) }

func (d *slowDisk) wrap(name string, open func(string) (disk.File, error)) (disk.File, error) {
	f, err := open(name)
	if err != nil || !strings.HasPrefix(name, "segment-") {
		return f, err
	}
	return &slowFile{f, d, name}, nil
}

type slowFile struct {
	disk.File
	d    *slowDisk
	name string
}

// Sync implements disk.File.
func (f *slowFile) Sync() error {
	f.d.mu.Lock()
	gate := f.d.gate
	f.d.mu.Unlock()
	if gate != nil {
		<-gate
	}
	if err := f.File.Sync(); err != nil {
		return err
	}
	b := f.d.Contents(f.name)
	f.d.mu.Lock()
	f.d.durable[f.name] = b
	f.d.syncs++
	f.d.mu.Unlock()
	return nil
}
