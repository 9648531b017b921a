//go:build race

package disk

import (
	"runtime"
	"syscall"
	"unsafe"
)

// The race detector sees neither that the kernel reads what a ring writes, nor that who finds it in the file comes after who wrote it. It would
// miss what is done to a buffer in use, and report what a file put in order. Package syscall tells it both of any write, and is alone with
// what that orders; so it is asked for a write to nowhere.

// aboutToWrite is told what was done before: it is seen by who reads the file afterwards.
func aboutToWrite() { _, _ = syscall.Write(-1, nil) }

// written is told what the kernel has read.
func written(p []byte) {
	if len(p) > 0 {
		runtime.RaceReadRange(unsafe.Pointer(unsafe.SliceData(p)), len(p))
	}
}
