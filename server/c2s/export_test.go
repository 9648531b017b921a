package c2s

import "time"

// Rest says when a reader goes on on another goroutine.
type Rest struct{ rest }

// HandedUp tells that something was.
func (r *Rest) HandedUp() { r.deep = true }

// Due is asked before the reader waits.
func (r *Rest) Due(at time.Time) bool { return r.due(at) }
