package audit

import "time"

// Caps of the fields in bytes. Longer text is cut at a character boundary; longer Facts or Content are left out, as part
// of them would be useless. Record.Cut says so.
const (
	MaxPeer    = 1023
	MaxAddress = 3071
	MaxWord    = 256
	MaxReason  = 1024
	MaxMarking = 512
	MaxChanged = 32
	MaxFacts   = 64 << 10
	MaxContent = 1 << 20
)

// Record is one entry of the log. Append copies all of it, so slices and the record itself can be reused.
type Record struct {
	Kind Kind
	// Time is informative: the sequence number orders the log. Append fills in a zero time.
	Time time.Time
	// Node is where it happened; empty means the node that writes the log.
	Node string
	// Serial numbers arrivals on the node, as in peering.Arrival.
	Serial uint64
	// Of is the sequence number of the decision that a settlement completes, 0 otherwise.
	Of uint64
	// Count is how many equal events the record stands for when they were rate limited (see Throttle), else 0.
	Count uint32

	FromPeer, ToPeer string // names from the table of peers
	Link             string
	From, To         string // addresses as judged; for control commands From is who gave it
	StanzaKind       string
	StanzaType       string
	StanzaID         string
	Size             uint64   // bytes on the wire
	Digest           [32]byte // SHA-256 of the canonical stanza; content is not in the log by default

	Outcome   string
	Stage     string
	Rule      string
	Reason    string
	Condition string // what the sender was told
	Ref       string // safe reference given to the sender

	PolicyVersion     string
	LabelIn, LabelOut string   // markings
	Changed           []string // names of what was changed or removed, at most MaxChanged
	Facts             []byte   // what the decision knew of the world, in the encoding of peering
	Content           []byte   // the whole arrival, where configured, for replay

	// Cut tells which fields exceeded their caps. Append sets it in the log, not in the record given to it.
	Cut Cut
}

// Cut is a set of fields that were cut or left out.
type Cut uint32

// The fields that are no plain text have fixed bits; text fields follow from bit 3 in the order of Record.texts.
const (
	CutChanged Cut = 1 << iota
	CutFacts
	CutContent
	firstTextCut
)

// text is one text field with its name in output and its cap.
type text struct {
	name string
	cap  int
}

// textFields describes the fields in the order of Record.texts. The order is part of version 1 of the encoding.
var textFields = [...]text{
	{"node", MaxWord},
	{"from_peer", MaxPeer},
	{"to_peer", MaxPeer},
	{"link", MaxWord},
	{"from", MaxAddress},
	{"to", MaxAddress},
	{"stanza", MaxWord},
	{"type", MaxWord},
	{"id", MaxWord},
	{"outcome", MaxWord},
	{"stage", MaxWord},
	{"rule", MaxWord},
	{"reason", MaxReason},
	{"condition", MaxWord},
	{"ref", MaxWord},
	{"policy", MaxWord},
	{"label_in", MaxMarking},
	{"label_out", MaxMarking},
}

func (r *Record) texts() [len(textFields)]*string {
	return [...]*string{
		&r.Node, &r.FromPeer, &r.ToPeer, &r.Link, &r.From, &r.To, &r.StanzaKind, &r.StanzaType, &r.StanzaID,
		&r.Outcome, &r.Stage, &r.Rule, &r.Reason, &r.Condition, &r.Ref, &r.PolicyVersion, &r.LabelIn, &r.LabelOut,
	}
}

// Names returns the names of the fields that were cut.
func (c Cut) Names() []string {
	var names []string
	for i, name := range [...]string{"changed", "facts", "content"} {
		if c&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	for i, f := range textFields {
		if c&(firstTextCut<<i) != 0 {
			names = append(names, f.name)
		}
	}
	return names
}
