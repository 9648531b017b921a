package gateway

import (
	"context"
	"time"

	"go.uber.org/zap"
)

// storeWatchEvery is how soon the log says what hinders the store.
const storeWatchEvery = 5 * time.Second

// watchStore writes down when something begins to hinder the store, when that has ended, and when the store has failed, until ctx ends.
func (c *clients) watchStore(ctx context.Context) {
	tick := time.NewTicker(storeWatchEvery)
	defer tick.Stop()
	hindered, failed := false, false
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		if err := c.store.StillAlone(ctx); err != nil {
			c.g.log.Error("another node has taken the store of the server while the database was away: stop one of the two", zap.Error(err))
		}
		if err := c.store.Failed(); err != nil {
			if !failed {
				c.g.log.Error("the store of the server has failed: look at its disk, then restart the node", zap.Error(err))
			}
			failed = true
			continue
		}
		switch err := c.store.Hindered(2 * storeWatchEvery); {
		case err != nil && !hindered:
			c.g.log.Error("the store of the server takes nothing: make room on its disk, or bring its database back. Senders are told so, and it goes on by itself then", zap.Error(err))
			hindered = true
		case err == nil && hindered:
			c.g.log.Info("nothing hinders the store of the server any more")
			hindered = false
		}
	}
}
