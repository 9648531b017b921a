package channel

import "time"

// agenda is what is going to happen: a heap by time, and by the order of planning at one time.
type agenda struct {
	tasks []task
	seq   uint64
}

type task struct {
	at  time.Time
	seq uint64
	do  func()
}

func (a *agenda) Len() int      { return len(a.tasks) }
func (a *agenda) Swap(i, j int) { a.tasks[i], a.tasks[j] = a.tasks[j], a.tasks[i] }
func (a *agenda) Push(x any)    { a.tasks = append(a.tasks, x.(task)) } //nolint:errcheck,forcetypeassert // by at alone

func (a *agenda) Less(i, j int) bool {
	if !a.tasks[i].at.Equal(a.tasks[j].at) {
		return a.tasks[i].at.Before(a.tasks[j].at)
	}
	return a.tasks[i].seq < a.tasks[j].seq
}

func (a *agenda) Pop() any {
	last := len(a.tasks) - 1
	t := a.tasks[last]
	a.tasks[last] = task{}
	a.tasks = a.tasks[:last]
	return t
}
