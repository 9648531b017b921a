package timeline

import (
	"fmt"
	"time"

	"sallyport/s5066/channel"
)

// Measures of the picture, in pixels.
const (
	left      = 110.0 // names of stations
	top       = 64.0  // title and legend
	rowHeight = 46.0
	keyHeight = 22.0
	earHeight = 12.0
	axis      = 24.0
	gap       = 16.0
	charWidth = 6.2 // of a label, about
)

const style = `<style>
text{font:11px sans-serif;fill:#1f2933}.title{font:bold 15px sans-serif}.name{font:bold 12px sans-serif}.mark{font:10px sans-serif;fill:#fff}.axis{fill:#616e7c}
.grid{stroke:#d5dbe1;stroke-width:1}.row{fill:#f5f7fa}.preamble{fill:#9fb3c8}.plain{fill:#486581}.first{fill:#1c6fb5}.again{fill:#c05a00}.control{fill:#6b4fa0}.edge{fill:none;stroke:#1f2933;stroke-width:.7}
.received{fill:#2f9e44}.damaged{fill:#a9d8b1}.hurt{fill:#d92626}.missed{fill:#c4ccd4}.collided{fill:#d92626}.deaf{fill:#e3c04f}.cut{fill:#616e7c}.broken{fill:#8d6e63}.pending{fill:#d5dbe1}
.outage{fill:#616e7c;opacity:.18}.jam{fill:#d92626;opacity:.14}
</style>
`

type picture struct {
	Options
	log []channel.Transmission
	out *svg
}

var legend = []struct{ class, text string }{
	{"preamble", "preamble"},
	{"plain", "keyed"},
	{"first", "data"},
	{"again", "data again"},
	{"control", "control"},
	{"received", "heard"},
	{"damaged", "heard with errors"},
	{"hurt", "lost, collided"},
	{"missed", "preamble missed"},
	{"deaf", "deaf, keyed itself"},
	{"cut", "no path"},
}

func (p *picture) draw() {
	strips := int((p.To.Sub(p.From) + p.Strip - 1) / p.Strip)
	height := rowHeight*float64(len(p.Names)) + axis + gap
	w, h := left+float64(p.Width)+20, top+height*float64(strips)+8
	p.out.raw("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" viewBox=\"0 0 %.0f %.0f\">\n%s", w, h, w, h, style)
	p.out.raw("<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n")
	p.out.label(10, 22, "title", p.Title)
	x := 10.0
	for _, l := range legend {
		p.out.box(x, 36, 12, 12, l.class, "")
		p.out.label(x+16, 46, "", l.text)
		x += 34 + charWidth*float64(len(l.text))
	}
	for i := range strips {
		from := p.From.Add(time.Duration(i) * p.Strip)
		s := strip{p, from, from.Add(p.Strip), top + height*float64(i)}
		s.draw(i)
	}
	p.out.raw("</svg>\n")
}

// strip is one line of the picture.
type strip struct {
	*picture
	from, to time.Time
	y        float64
}

func (s strip) x(t time.Time) float64 {
	share := float64(t.Sub(s.from)) / float64(s.to.Sub(s.from))
	return left + min(max(share, 0), 1)*float64(s.Width)
}

func (s strip) row(station int) float64 { return s.y + rowHeight*float64(station) }

func (s strip) draw(number int) {
	s.out.raw("<g>\n")
	bottom := s.row(len(s.Names))
	for i, name := range s.Names {
		s.out.box(left, s.row(i)+2, float64(s.Width), rowHeight-4, "row", "")
		s.out.label(10, s.row(i)+rowHeight/2+2, "name", clip(name, left-16))
	}
	step := tick(s.Strip)
	for t := time.Duration(0); t <= s.Strip; t += step {
		x := s.x(s.from.Add(t))
		s.out.line(x, s.y, x, bottom+4, "grid")
		s.out.label(x-10, bottom+16, "axis", clock(time.Duration(number)*s.Strip+t))
	}
	for _, w := range s.Windows {
		s.window(w)
	}
	for _, tx := range s.log {
		if tx.Station < len(s.Names) && tx.Key.Before(s.to) && tx.Sent.After(s.from) {
			s.transmission(tx)
		}
	}
	s.out.raw("</g>\n")
}

func (s strip) window(w channel.Window) {
	if !w.From.Before(s.to) || !w.To.After(s.from) {
		return
	}
	class := "outage"
	if w.Kind == channel.Jam {
		class = "jam"
	}
	for i := range s.Names {
		meant := len(w.Stations) == 0
		for _, n := range w.Stations {
			meant = meant || n == i
		}
		if meant {
			s.bar(w.From, w.To, s.row(i)+2, rowHeight-4, class, class)
		}
	}
}

// bar draws the part of a span that is in the strip.
func (s strip) bar(from, to time.Time, y, h float64, class, tip string) {
	if from.Before(s.to) && to.After(s.from) && from.Before(to) {
		s.out.box(s.x(from), y, s.x(to)-s.x(from), h, class, tip)
	}
}

func (s strip) transmission(tx channel.Transmission) {
	y := s.row(tx.Station) + 4
	what := fmt.Sprintf("%d: %s, %d bytes, %s", tx.Number, tx.Waveform, tx.Bytes, clock(tx.Key.Sub(s.From)))
	begin := earlier(tx.First, tx.AirEnd)
	s.bar(tx.Key, begin, y, keyHeight, "preamble", what)
	s.bar(begin, tx.AirEnd, y, keyHeight, "plain", what)
	if s.Marks != nil {
		marks := s.Marks(tx)
		for _, m := range marks[:min(len(marks), maxMarks)] {
			s.mark(tx, m, y)
		}
	}
	if x := s.x(begin); !begin.Before(s.from) && s.x(tx.AirEnd)-x > 60 && s.Marks == nil {
		s.out.label(x+3, y+15, "mark", fmt.Sprintf("%d bit/s", tx.Waveform.Rate()))
	}
	for _, r := range tx.Heard {
		if r.Station < len(s.Names) {
			s.reception(tx, r)
		}
	}
}

var kinds = [...]string{"plain", "first", "again", "control"}

func (s strip) mark(tx channel.Transmission, m Mark, y float64) {
	from, to := earlier(at(tx, m.From), tx.AirEnd), earlier(at(tx, m.To), tx.AirEnd)
	if int(m.Kind) >= len(kinds) || !from.Before(s.to) || !to.After(s.from) || !from.Before(to) {
		return
	}
	s.bar(from, to, y, keyHeight, kinds[m.Kind], m.Label)
	s.bar(from, to, y, keyHeight, "edge", "")
	if w := s.x(to) - s.x(from); w > charWidth*float64(min(len(m.Label), 3)) {
		s.out.label(s.x(from)+2, y+15, "mark", clip(m.Label, w))
	}
}

func (s strip) reception(tx channel.Transmission, r channel.Reception) {
	y := s.row(r.Station) + 4 + keyHeight + 3
	tip := fmt.Sprintf("%d: %s, %d of %d bytes came out", tx.Number, r.Outcome, r.Bytes, tx.Bytes)
	got := earlier(at(tx, r.Bytes), tx.AirEnd)
	switch r.Outcome {
	case channel.Received, channel.Damaged:
		s.bar(tx.Air, tx.AirEnd, y, earHeight, r.Outcome.String(), tip)
	case channel.Pending, channel.Missed, channel.Collided, channel.Deaf, channel.Cut, channel.Broken:
		begin := tx.Air
		if r.Bytes > 0 {
			s.bar(tx.Air, got, y, earHeight, "received", tip)
			begin = got
		}
		s.bar(begin, tx.AirEnd, y, earHeight, r.Outcome.String(), tip)
	}
	for _, d := range r.Damaged {
		s.bar(at(tx, d.From), at(tx, d.To), y, earHeight, "hurt", "")
	}
}

// at is when a byte of a transmission is on the air.
func at(tx channel.Transmission, offset int) time.Time { return tx.First.Add(tx.Waveform.Bare(offset)) }

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// tick is a step of the axis that is easy to read, for about ten of them.
func tick(strip time.Duration) time.Duration {
	for _, s := range []time.Duration{1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 6 * 3600} {
		if strip/(s*time.Second) <= 12 {
			return s * time.Second
		}
	}
	return 24 * time.Hour
}

// clock is a time since the begin, as 1:02:03.
func clock(d time.Duration) string {
	n := int(d.Round(time.Second) / time.Second)
	if n >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", n/3600, n/60%60, n%60)
	}
	return fmt.Sprintf("%d:%02d", n/60, n%60)
}

// clip is as much of a label as there is room for.
func clip(s string, width float64) string {
	n := min(maxLabel, int(max(width, 0)/charWidth))
	r := []rune(s)
	return string(r[:min(len(r), n)])
}
