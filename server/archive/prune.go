package archive

import (
	"context"
	"fmt"
	"time"
)

// pruneAtOnce bounds one change of the store, so that nobody waits long for it.
const pruneAtOnce = 1000

// Prune forgets what is older than before in the archives of domains, and tells how many entries.
func Prune(ctx context.Context, s Store, domains []string, before time.Time) (int64, error) {
	var all int64
	for _, d := range domains {
		for {
			n, err := s.PruneArchive(ctx, d, before, pruneAtOnce)
			all += n
			if err != nil {
				return all, fmt.Errorf("forget archived messages of %s: %w", d, err)
			}
			if n < pruneAtOnce {
				break
			}
		}
	}
	return all, nil
}
