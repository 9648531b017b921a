package resolve

import "net/netip"

// specialRanges are never dialled on the word of DNS, beyond what netip classifies itself. Private ranges (RFC 1918, RFC 4193) are
// ordinary here: most sites of this product live in them.
var specialRanges = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),      // this network
	netip.MustParsePrefix("240.0.0.0/4"),    // reserved, and the broadcast address
	netip.MustParsePrefix("192.0.0.0/24"),   // protocol assignments
	netip.MustParsePrefix("100::/64"),       // discard
	netip.MustParsePrefix("64:ff9b:1::/48"), // local translation
}

var translated = netip.MustParsePrefix("64:ff9b::/96") // RFC 6052: the last four bytes are an IPv4 address

// special reports whether an address must not be dialled unless configuration allows it.
func special(a netip.Addr) bool {
	a = a.Unmap()
	if !a.IsValid() || a.Zone() != "" || a.IsLoopback() || a.IsUnspecified() || a.IsLinkLocalUnicast() || a.IsMulticast() ||
		a.IsInterfaceLocalMulticast() {
		return true
	}
	for _, p := range specialRanges {
		if p.Contains(a) {
			return true
		}
	}
	if translated.Contains(a) {
		b := a.As16()
		return special(netip.AddrFrom4([4]byte(b[12:])))
	}
	return false
}

// specialPort reports whether a port belongs to other services: everything privileged but HTTPS, where direct TLS is common.
func specialPort(p uint16) bool { return p < 1024 && p != 443 }
