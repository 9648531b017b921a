package x2x

import (
	"fmt"
	"io"
	"time"

	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/links"
	"sallyport/links/custody"
	"sallyport/links/deflate"
)

// Mode is what both ends have agreed to speak. The zero value is what every implementation of XEP-0361 speaks.
type Mode uint8

// The modes.
const (
	Plain Mode = iota
	Managed
	Custody
)

// String returns the word used in configuration.
func (m Mode) String() string {
	switch m {
	case Plain:
		return "plain"
	case Managed:
		return "managed"
	case Custody:
		return "custody"
	}
	return fmt.Sprintf("mode(%d)", uint8(m))
}

// ParseMode is the inverse of Mode.String.
func ParseMode(word string) (Mode, error) {
	for m := Plain; m <= Custody; m++ {
		if m.String() == word {
			return m, nil
		}
	}
	return Plain, fmt.Errorf("x2x: no mode %q", word)
}

// Limits of one stream.
const (
	maxUnsettled = 5000             // arrivals without receipt before reading stops
	ackParts     = 4                // an acknowledgement waits no longer than for that part of the peer's window
	askEvery     = 100              // stanzas between two questions of XEP-0198
	closeWait    = 10 * time.Second // for the peer's end, before the profile stretches it
	maxMarks     = 64               // in a greeting
	wrapperBytes = 512              // of custody around a stanza
	maxDetail    = 200
	probeFlood   = 1000 // probes and acknowledgement requests a minute
)

// StreamConfig is what one carrier's stream runs by. The zero value accepts no domain and sends nothing under custody.
type StreamConfig struct {
	Mode Mode
	// Opener says that we opened the carrier, so that we close it when it is idle.
	Opener  bool
	Profile links.Profile
	Limits  xmlstream.Limits // zero fields: xmlstream.ServerLimits
	// Remote says whether the peer may speak for a domain, Local whether we host one. Nil is no.
	Remote, Local func(domain jid.JID) bool
	// Window bounds what may be unconfirmed; zero fields follow from the profile.
	Window custody.Window
	// Epoch and Marks are what we say in our greeting (Custody).
	Epoch uint64
	Marks []links.Mark
	// Issued is asked, when the peer greets, for the highest number that we gave. Nil: whatever the peer says it holds is believed.
	Issued func() uint64
	// Compression must be the same at both ends; nil is none.
	Compression *deflate.Config
	// Records frames the bytes as a compressed carrier does, without compression: acknowledgements take six bytes instead of fifty-five. Both
	// ends must do the same. Compression implies it.
	Records bool
	// Usage is told what the bytes are for; nil: nobody is.
	Usage *links.Usage
	// Rand is for probe numbers; nil counts from 1.
	Rand io.Reader
}

func (c StreamConfig) withDefaults() StreamConfig {
	if c.Window.Items <= 0 {
		c.Window.Items = 5000
	}
	if c.Window.Bytes <= 0 {
		c.Window.Bytes = c.Profile.WindowBytes()
	}
	if c.Remote == nil {
		c.Remote = func(jid.JID) bool { return false }
	}
	if c.Local == nil {
		c.Local = func(jid.JID) bool { return false }
	}
	if c.Limits.ElementBytes <= 0 {
		c.Limits = xmlstream.ServerLimits()
	}
	c.Records = c.Records || c.Compression != nil
	if c.Mode == Custody {
		c.Limits.ElementBytes += wrapperBytes
	}
	return c
}
