package radio

import (
	"fmt"
	"strings"
	"time"

	"sallyport/s5066/channel"
	"sallyport/s5066/channel/timeline"
	"sallyport/s5066/dpdu"
)

// remembered is how many data frames a Teller knows, to say which were keyed again.
const remembered = 4096

// Teller says what transmissions on a channel carried, and what became of them. Give it each transmission once, in order. Not safe for concurrent use.
type Teller struct {
	names []string
	seen  map[string]int // data frame to how often it was keyed
	order []string
	marks map[int][]timeline.Mark // by number of the transmission
}

// NewTeller is for stations of these names.
func NewTeller(names []string) *Teller {
	return &Teller{names: names, seen: make(map[string]int), marks: make(map[int][]timeline.Mark)}
}

// Told is a transmission in words.
type Told struct {
	Number   int            `json:"number"`
	Time     string         `json:"time"` // RFC 3339, of the channel
	Station  string         `json:"station"`
	Waveform string         `json:"waveform"`
	Seconds  float64        `json:"seconds"` // from key-up to key-down
	Bytes    int            `json:"bytes"`
	Aborted  bool           `json:"aborted,omitempty"`
	Keying   bool           `json:"keying,omitempty"` // it has not ended: Seconds are those until now
	begun    bool           // not everybody has heard all of it
	Frames   []FrameCount   `json:"frames,omitempty"`
	Heard    []ReceptionOut `json:"heard,omitempty"`
}

// FrameCount is how many D_PDUs of a kind a transmission had, and how many of them had been keyed before.
type FrameCount struct {
	Kind  string `json:"kind"`
	Count int    `json:"count"`
	Again int    `json:"again,omitempty"`
}

// ReceptionOut is what a station heard.
type ReceptionOut struct {
	Station string `json:"station"`
	Outcome string `json:"outcome"`
	Bytes   int    `json:"bytes"`
	Damaged int    `json:"damaged,omitempty"` // bytes
}

var shortNames = map[dpdu.Type]string{
	dpdu.DataOnly: "DATA", dpdu.AckOnly: "ACK", dpdu.DataAck: "DATA+ACK", dpdu.Resync: "RESET", dpdu.ExpeditedData: "EXP-DATA",
	dpdu.ExpeditedAck: "EXP-ACK", dpdu.Management: "MGMT", dpdu.NonARQ: "NON-ARQ", dpdu.ExpeditedNonARQ: "LINK", dpdu.Warning: "WARNING",
}

// Tell puts one transmission into words and remembers its marks for the picture.
func (t *Teller) Tell(tx channel.Transmission) Told {
	told := Told{
		Number: tx.Number, Time: tx.Key.UTC().Format("2006-01-02T15:04:05.000Z"), Station: t.name(tx.Station), Waveform: tx.Waveform.String(),
		Seconds: tx.Sent.Sub(tx.Key).Seconds(), Bytes: tx.Bytes, Aborted: tx.Aborted,
	}
	told.Frames = t.frames(tx)
	told.heard(t, tx)
	return told
}

// Begun is what can be said of a transmission that has not ended. It may be called as often as anybody looks.
func (t *Teller) Begun(tx channel.Transmission, now time.Time) Told {
	look := Teller{names: t.names, seen: make(map[string]int), marks: make(map[int][]timeline.Mark)}
	told := look.Tell(tx)
	told.begun = true
	if now.Before(tx.Sent) {
		told.Keying, told.Seconds = true, now.Sub(tx.Key).Seconds()
	}
	return told
}

func (told *Told) heard(t *Teller, tx channel.Transmission) {
	for _, r := range tx.Heard {
		damaged := 0
		for _, s := range r.Damaged {
			damaged += s.To - s.From
		}
		told.Heard = append(told.Heard, ReceptionOut{t.name(r.Station), r.Outcome.String(), r.Bytes, damaged})
	}
}

func (t *Teller) name(station int) string {
	if station < len(t.names) {
		return t.names[station]
	}
	return number(station)
}

// frames cuts the bytes of a transmission.
func (t *Teller) frames(tx channel.Transmission) []FrameCount {
	var counts []FrameCount
	at := map[string]int{}
	offset := 0
	for b := tx.Data; len(b) > 0; {
		p, rest, err := dpdu.Parse(b)
		if err != nil {
			break // not one of ours; the bytes are counted anyway
		}
		size := len(b) - len(rest)
		again := p.Type.HasSegment() && t.again(p)
		t.mark(tx.Number, offset, offset+size, p, again)
		name := shortNames[p.Type]
		if name == "" {
			name = p.Type.String()
		}
		i, ok := at[name]
		if !ok {
			i = len(counts)
			at[name] = i
			counts = append(counts, FrameCount{Kind: name})
		}
		counts[i].Count++
		if again {
			counts[i].Again++
		}
		offset += size
		b = rest
	}
	return counts
}

// again reports whether a data frame has been keyed before.
func (t *Teller) again(p dpdu.PDU) bool {
	key := fmt.Sprint(p.From, p.To, p.Type, p.Data.FSN, p.Data.CPDU, p.NonARQ.ID, p.NonARQ.Offset, dpdu.CRC32(p.Segment))
	t.seen[key]++
	if t.seen[key] > 1 {
		return true
	}
	t.order = append(t.order, key)
	if len(t.order) > remembered {
		delete(t.seen, t.order[0])
		t.order = t.order[1:]
	}
	return false
}

func (t *Teller) mark(number, from, to int, p dpdu.PDU, again bool) {
	m := timeline.Mark{From: from, To: to, Label: shortNames[p.Type], Kind: timeline.Control}
	switch {
	case again:
		m.Kind = timeline.Again
	case p.Type == dpdu.DataOnly || p.Type == dpdu.DataAck || p.Type == dpdu.NonARQ || p.Type == dpdu.ExpeditedData:
		m.Kind = timeline.First
	}
	if p.Type == dpdu.DataOnly || p.Type == dpdu.DataAck {
		m.Label = number16(p.Data.FSN)
	}
	t.marks[number] = append(t.marks[number], m)
	delete(t.marks, number-remembered)
}

func number16(n uint8) string { return number(int(n)) }

// Marks are those of a transmission that was told.
func (t *Teller) Marks(tx channel.Transmission) []timeline.Mark { return t.marks[tx.Number] }

// Heading is the first line of a table of transmissions with a column for each station.
func (t *Teller) Heading() string {
	var b strings.Builder
	b.WriteString("TIME      ")
	for _, n := range t.names {
		b.WriteString(column(n))
	}
	return b.String() + "WHAT"
}

// Line is a transmission's line in that table: who keyed and for how long, and what each of the others made of it.
func (t *Teller) Line(told Told) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  ", told.Time[11:19])
	for _, n := range t.names {
		b.WriteString(column(cell(told, n)))
	}
	rate := told.Waveform
	if parts := strings.Split(told.Waveform, "-"); len(parts) == 3 {
		rate = parts[1] + " bit/s"
	}
	fmt.Fprintf(&b, "%s: %s", rate, frameWords(told))
	return b.String()
}

// Lines are those of several.
func (t *Teller) Lines(all []Told) (lines []string) {
	for _, told := range all {
		lines = append(lines, t.Line(told))
	}
	return lines
}

// columnWidth fits what a cell can say.
const columnWidth = 14

func column(s string) string {
	if n := len([]rune(s)); n < columnWidth {
		s += strings.Repeat(" ", columnWidth-n)
	}
	return s + " "
}

func cell(told Told, name string) string {
	switch {
	case name != told.Station:
	case told.Keying:
		return fmt.Sprintf("▶ keys, %.0f s", told.Seconds)
	default:
		return fmt.Sprintf("▶ keyed %.1f s", told.Seconds)
	}
	for _, r := range told.Heard {
		if r.Station != name {
			continue
		}
		switch r.Outcome {
		case channel.Received.String():
			return "✓ all"
		case channel.Pending.String():
			if told.begun {
				return "· hears"
			}
			return "…" // the channel was stopped meanwhile
		case channel.Damaged.String():
			return fmt.Sprintf("▒ %d %% bad", max(1, 100*r.Damaged/max(1, r.Bytes)))
		}
		return "✗ " + r.Outcome
	}
	return "·"
}

func frameWords(told Told) string {
	var words []string
	for _, f := range told.Frames {
		w := f.Kind
		if f.Count > 1 {
			w = number(f.Count) + " " + w
		}
		if f.Again > 0 {
			w += fmt.Sprintf(" (%d again)", f.Again)
		}
		words = append(words, w)
	}
	if len(words) == 0 {
		return number(told.Bytes) + " bytes"
	}
	if told.Aborted {
		words = append(words, "broken off")
	}
	return strings.Join(words, ", ")
}
