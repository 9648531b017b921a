package simulation

import (
	"errors"
	"fmt"
	"io"

	"sallyport/internal/disk"
	"sallyport/internal/disk/faulty"
)

// Fault is a defect planted into a world.
type Fault uint8

// The faults, each of which the oracle has to find.
const (
	None              Fault = iota
	SyncSkipped             // the disk says that it synced and did not
	RepetitionsKept         // the receiver takes what comes twice
	AcknowledgedEarly       // the receiver acknowledges before the commit
	OrderSwapped            // two entries leave in the wrong order
	TornWriteIgnored        // a write that wrote less counts as a write
	endOfFaults
)

// Faults are all that can be planted.
func Faults() (all []Fault) {
	for f := None + 1; f < endOfFaults; f++ {
		all = append(all, f)
	}
	return all
}

// String returns the word for the command line.
func (f Fault) String() string {
	switch f {
	case None:
		return "none"
	case SyncSkipped:
		return "sync-skipped"
	case RepetitionsKept:
		return "repetitions-kept"
	case AcknowledgedEarly:
		return "acknowledged-early"
	case OrderSwapped:
		return "order-swapped"
	case TornWriteIgnored:
		return "torn-write-ignored"
	case endOfFaults:
	}
	return fmt.Sprintf("fault(%d)", uint8(f))
}

// ParseFault is the inverse of Fault.String.
func ParseFault(word string) (Fault, error) {
	for f := None; f < endOfFaults; f++ {
		if f.String() == word {
			return f, nil
		}
	}
	return None, fmt.Errorf("no fault %q", word)
}

// planted is a disk with the planted fault in it. It keeps no lock: a killed process leaves none behind.
type planted struct {
	*faulty.FS
	fault Fault
}

type noLock struct{}

// Close implements io.Closer.
func (noLock) Close() error { return nil }

// Lock implements disk.FS.
func (p planted) Lock(string) (io.Closer, error) { return noLock{}, nil }

func (p planted) Create(name string) (disk.File, error) { return p.file(p.FS.Create(name)) }

func (p planted) Append(name string) (disk.File, error) { return p.file(p.FS.Append(name)) }

func (p planted) file(f disk.File, err error) (disk.File, error) {
	if err != nil {
		return nil, err
	}
	return plantedFile{f, p.fault}, nil
}

type plantedFile struct {
	disk.File
	fault Fault
}

// Sync implements disk.File, or does not.
func (f plantedFile) Sync() error {
	if f.fault == SyncSkipped {
		return nil
	}
	return f.File.Sync()
}

// Write implements disk.File.
func (f plantedFile) Write(p []byte) (int, error) {
	n, err := f.File.Write(p)
	if f.fault == TornWriteIgnored && err != nil && !errors.Is(err, faulty.ErrCrashed) {
		return len(p), nil
	}
	return n, err
}
