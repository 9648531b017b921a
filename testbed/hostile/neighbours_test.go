package hostile_test

import (
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// ticksPerSecond is the unit of /proc/stat (USER_HZ, fixed on Linux).
const ticksPerSecond = 100

// neighbours is what others take of the machine's processors. A delay says something about the node only while that is little.
type neighbours struct {
	ticks map[string]float64
	own   time.Duration
}

// watchNeighbours begins to measure.
func watchNeighbours(t testing.TB) neighbours {
	t.Helper()
	b, err := os.ReadFile("/proc/stat")
	if err != nil {
		t.Fatal(err)
	}
	line, _, _ := strings.Cut(string(b), "\n")
	names := []string{"user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal"}
	n := neighbours{ticks: map[string]float64{}, own: ownTime(t)}
	for i, field := range strings.Fields(line)[1:] {
		if i < len(names) {
			n.ticks[names[i]], _ = strconv.ParseFloat(field, 64)
		}
	}
	return n
}

func ownTime(t testing.TB) (sum time.Duration) {
	t.Helper()
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var u syscall.Rusage
		if err := syscall.Getrusage(who, &u); err != nil {
			t.Fatal(err)
		}
		sum += time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	return sum
}

// since returns the share of the processors that went to others, the hypervisor among them, since the measure began.
func (n neighbours) since(t testing.TB) float64 {
	t.Helper()
	now := watchNeighbours(t)
	total, busy := 0.0, 0.0
	for name, ticks := range now.ticks {
		d := ticks - n.ticks[name]
		total += d
		if name != "idle" && name != "iowait" {
			busy += d
		}
	}
	if total <= 0 {
		return 0
	}
	return max(0, busy-(now.own-n.own).Seconds()*ticksPerSecond) / total
}
