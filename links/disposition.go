package links

import "fmt"

// Disposition is what became of a consignment. The zero value claims nothing.
type Disposition uint8

// The dispositions. Only Failed and Expired are known not to have reached the neighbour, so only these may be bounced without the
// risk of a double. Returned may have reached it, and may be sent again all the same, over whichever link: a neighbour that keeps
// custody drops what it has already (see Frame).
const (
	Unknown   Disposition = iota
	Delivered             // confirmed: XEP-0198 acknowledgement, ping answered after it, or an orderly close
	Failed                // never written
	InDoubt               // written, and the stream was lost before anything confirmed it
	Expired               // stayed queued beyond its time and was never written
	Returned              // under custody, and never confirmed: it goes back to the queue it came from
)

// String returns the word used in audit records and logs.
func (d Disposition) String() string {
	switch d {
	case Unknown:
		return "unknown"
	case Delivered:
		return "delivered"
	case Failed:
		return "failed"
	case InDoubt:
		return "in-doubt"
	case Expired:
		return "expired"
	case Returned:
		return "returned"
	}
	return fmt.Sprintf("disposition(%d)", uint8(d))
}

// ParseDisposition is the inverse of Disposition.String.
func ParseDisposition(word string) (Disposition, error) {
	for d := Unknown; d <= Returned; d++ {
		if d.String() == word {
			return d, nil
		}
	}
	return Unknown, fmt.Errorf("links: no disposition %q", word)
}
