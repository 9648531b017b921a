package config

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Budgets are what the classes of precedence may have of a link. Flash has no budget: it never waits for one.
type Budgets struct {
	// What routine traffic may have of the link: so much in a time, such as `200 KiB/1h`, or a share of the air time, such as `20 %`, which is spent within an hour and needs `bits-per-second`. Bytes are those after compression. What is over it waits in the spool, though a link of less priority works; what was not used is not saved up. Empty: no bound.
	Routine Budget `toml:"routine"`
	// The same for priority.
	Priority Budget `toml:"priority"`
	// The same for immediate.
	Immediate Budget `toml:"immediate"`
}

// Budget is one of these. The zero value bounds nothing.
type Budget struct {
	Bytes   Size
	Period  time.Duration
	Percent int // of the air time, in place of these
}

// String is what the file says.
func (b Budget) String() string {
	switch {
	case b.Percent > 0:
		return fmt.Sprintf("%d %%", b.Percent)
	case b.Bytes > 0:
		return fmt.Sprintf("%v/%v", b.Bytes, b.Period)
	}
	return ""
}

// Bounds of a budget.
const (
	leastBudget       = 1 << 10
	mostBudget        = 1 << 40
	leastBudgetPeriod = time.Minute
	mostBudgetPeriod  = 31 * 24 * time.Hour
)

func parseBudget(s string) (b Budget, err error) {
	if share, ok := strings.CutSuffix(s, "%"); ok {
		b.Percent, err = strconv.Atoi(strings.TrimSpace(share))
		if err != nil || b.Percent < 1 || b.Percent > 100 {
			return Budget{}, errForm
		}
		return b, nil
	}
	size, period, ok := strings.Cut(s, "/")
	if !ok {
		return b, errForm
	}
	if b.Bytes, err = parseSize(strings.TrimSpace(size)); err != nil || b.Bytes < leastBudget || b.Bytes > mostBudget {
		return Budget{}, errForm
	}
	if b.Period, err = parseDuration(strings.TrimSpace(period)); err != nil || b.Period < leastBudgetPeriod || b.Period > mostBudgetPeriod {
		return Budget{}, errForm
	}
	return b, nil
}

// budgets looks at those of a link.
func (c *checker) budgets(key string, l *Link) {
	for name, b := range l.Budget.all() {
		if b.Percent > 0 && l.BitsPerSecond == 0 && !c.errorAt(key+".bits-per-second") {
			c.bad(joinKey(key+".budget", name), "is a share of the air time of a link without a rate", "set bits-per-second, or write bytes and a time")
		}
	}
}

// all gives them by name, in the order of the classes.
func (b *Budgets) all() func(yield func(string, Budget) bool) {
	return func(yield func(string, Budget) bool) {
		_ = yield("routine", b.Routine) && yield("priority", b.Priority) && yield("immediate", b.Immediate)
	}
}
