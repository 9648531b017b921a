package catalogue

import (
	"sallyport/labels"
	"sallyport/labels/textmark"
)

// Markings returns how each label of the catalogue is marked at a place, for the table that reads markings back
// (textmark.NewTable, which leaves out what two labels share). Labels without marking there are left out.
func (c *Catalogue) Markings(place labels.Place, lang string) []textmark.Entry {
	var out []textmark.Entry
	for _, l := range c.Labels() {
		if m := l.Policy().MarkingAt(l, place, lang); m.Text != "" {
			out = append(out, textmark.Entry{Text: m.Text, Label: l})
		}
	}
	return out
}
