package resolve

import (
	"net"
	"net/netip"
	"slices"
	"strconv"
)

// Limits on what DNS can make us do.
const (
	MaxTargets   = 16 // SRV targets tried for one domain
	MaxAddresses = 16 // addresses tried for one target
)

// DefaultPort is where a server listens when no SRV record says otherwise (RFC 6120 §3.2.2).
const DefaultPort = 5269

// Target is one place to try.
type Target struct {
	Host   string // A-label host name without trailing dot, or an address
	Port   uint16
	Direct bool // TLS from the first byte (XEP-0368)
	Static bool // from configuration: trusted with any address and port
}

// String is HOST:PORT.
func (t Target) String() string { return net.JoinHostPort(t.Host, strconv.Itoa(int(t.Port))) }

// address returns the address when the host is one.
func (t Target) address() (netip.Addr, bool) {
	a, err := netip.ParseAddr(t.Host)
	return a.Unmap(), err == nil
}

// record is an SRV record with what matters of it.
type record struct {
	priority, weight uint16
	target           Target
}

// order sorts by priority and, within one, draws by weight (RFC 2782, "Usage rules"). intn(n) is uniform in [0, n).
func order(records []record, intn func(n int) int) []Target {
	slices.SortStableFunc(records, func(a, b record) int {
		if a.priority != b.priority {
			return int(a.priority) - int(b.priority)
		}
		return min(int(a.weight), 1) - min(int(b.weight), 1) // weight 0 first, so that it has its small chance
	})
	targets := make([]Target, 0, min(len(records), MaxTargets))
	for len(records) > 0 && len(targets) < MaxTargets {
		same := 1
		for same < len(records) && records[same].priority == records[0].priority {
			same++
		}
		group := records[:same]
		records = records[same:]
		for len(group) > 0 && len(targets) < MaxTargets {
			i := draw(group, intn)
			targets = append(targets, group[i].target)
			group = slices.Delete(group, i, i+1)
		}
	}
	return targets
}

// draw picks the first record whose running sum of weights reaches a random point.
func draw(group []record, intn func(n int) int) int {
	sum := 0
	for _, r := range group {
		sum += int(r.weight)
	}
	point, run := intn(sum+1), 0
	for i, r := range group {
		if run += int(r.weight); run >= point {
			return i
		}
	}
	return 0
}

// Interleave orders addresses for dialling: families alternate, IPv6 first, the order inside a family is kept (RFC 8305 §4).
func Interleave(addrs []netip.Addr) []netip.Addr {
	var six, four []netip.Addr
	for _, a := range addrs {
		if a = a.Unmap(); a.Is4() {
			four = append(four, a)
		} else {
			six = append(six, a)
		}
	}
	out := make([]netip.Addr, 0, len(addrs))
	for i := range max(len(six), len(four)) {
		if i < len(six) {
			out = append(out, six[i])
		}
		if i < len(four) {
			out = append(out, four[i])
		}
	}
	return out
}
