// Package timeline draws a channel's log as a picture: who keyed when, at what rate, and what was heard of it.
//
// Time runs from left to right in strips of equal length, one below the other. Each strip has a row for each station: above, what it keyed
// (preamble pale, then the transmission, with marks such as D_PDUs in it); below, what it made of what others keyed, at the time it was on the air.
//
//	timeline.go   Options, Mark, and Draw
//	strip.go      rows and bars
//	svg.go        the writer of SVG elements; it escapes
//
// It must never refer to anything outside the picture (no scripts, fonts, links), nor write text that is not escaped.
//
// Not in the room: what the bytes mean. Marks come from whoever knows.
package timeline
