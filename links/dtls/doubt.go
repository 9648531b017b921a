package dtls

import (
	"context"
	"time"

	"sallyport/links"
)

// hearPace is how often a doubted association is asked whether it has been heard, while another is opened beside it.
const hearPace = 250 * time.Millisecond

// relief watches over an association that we opened. A neighbour that was started again knows nothing of it and cannot say so: what it
// said would be under no key, and anybody could say it. So when nothing is heard while something is under way, another is opened beside
// it, by which the neighbour proves itself anew; whichever is heard first goes on. It returns the other, or nil when the first has ended
// without one.
func (l *Link) relief(a *Association) *Association {
	for {
		select {
		case <-a.ended:
			return nil
		case <-a.doubted:
		}
		if time.Since(time.Unix(0, a.heard.Load())) < a.tuning.doubt {
			continue // it was heard since
		}
		if other := l.beside(a); other != nil {
			a.stop(errReplaced)
			return other
		}
	}
}

// beside opens another association, unless the first is heard before, or ends.
func (l *Link) beside(a *Association) *Association {
	ctx, stop := context.WithCancel(l.ctx)
	heard := a.heard.Load()
	done := make(chan struct{})
	go func() {
		defer close(done)
		t := time.NewTicker(hearPace)
		defer t.Stop()
		defer stop()
		for a.heard.Load() == heard {
			select {
			case <-t.C:
			case <-a.ended:
				return
			case <-ctx.Done():
				return
			}
		}
	}()
	other, err := l.endpoint.Dial(ctx, l.cfg.Peer)
	stop()
	<-done
	if err != nil {
		return nil // the association's own patience decides
	}
	return other
}

// relieved notes an association that took the place of another.
func (l *Link) relieved(a *Association) *links.Attempt {
	at := &links.Attempt{At: a.since, Address: a.Address().String(), Up: true}
	at.Say(time.Now(), "association established beside one that was silent")
	l.tell(func() { l.story.Begin(at) })
	return at
}
