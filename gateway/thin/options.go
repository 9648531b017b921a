package thin

import (
	"errors"
	"fmt"
	"time"
)

// Mode is what becomes of presence. The zero value leaves it as it is.
type Mode uint8

// The modes.
const (
	Whole  Mode = iota // as it is
	Folded             // availability alone; what says nothing new is dropped
	Coarse             // folded, and at most one change for each contact and interval
	Off                // none, but for what must not be lost
	numModes
)

var modeWords = [numModes]string{"whole", "folded", "coarse", "off"}

// String returns the word in a configuration.
func (m Mode) String() string {
	if m >= numModes {
		return fmt.Sprintf("mode(%d)", uint8(m))
	}
	return modeWords[m]
}

// ParseMode is the inverse of Mode.String.
func ParseMode(word string) (Mode, error) {
	for m := range numModes {
		if modeWords[m] == word {
			return m, nil
		}
	}
	return Whole, fmt.Errorf("%q is none of whole, folded, coarse, off", word)
}

// Options say what is thinned. The zero value changes nothing.
type Options struct {
	Presence Mode          `toml:"presence"`
	Interval time.Duration `toml:"interval"` // of Coarse; 5 minutes if zero

	// Drop what only decorates.
	ChatStates bool `toml:"chat-states"` // XEP-0085
	Receipts   bool `toml:"receipts"`    // XEP-0184, requests for them too: nobody then hears that something was delivered
	Markers    bool `toml:"markers"`     // XEP-0333
	Typing     bool `toml:"typing"`      // XEP-0022, XEP-0301
	XHTML      bool `toml:"xhtml"`       // XEP-0071, where there is a plain body beside it
	Avatars    bool `toml:"avatars"`     // XEP-0084, XEP-0153, XEP-0008
	Caps       bool `toml:"caps"`        // XEP-0115, where it did not change

	// MergeWindow is how long a groupchat message waits for its copies; 0 does not merge.
	MergeWindow time.Duration `toml:"merge-window"`
	// MaxContacts bounds what is remembered; 65,536 if zero. Presence beyond that passes as it is.
	MaxContacts int `toml:"max-contacts"`
}

// Bounds of Options.
const (
	defaultInterval    = 5 * time.Minute
	maxInterval        = 24 * time.Hour
	maxMergeWindow     = time.Minute
	defaultMaxContacts = 1 << 16
)

// Thinnest is everything that can be spared: what a narrow link should start from.
func Thinnest() Options {
	return Options{
		Presence: Coarse, ChatStates: true, Receipts: true, Markers: true, Typing: true, XHTML: true, Avatars: true, Caps: true,
		MergeWindow: 500 * time.Millisecond,
	}
}

// Validate says what is wrong.
func (o Options) Validate() error {
	var errs []error
	if o.Presence >= numModes {
		errs = append(errs, fmt.Errorf("presence: %s", o.Presence))
	}
	if o.Interval < 0 || o.Interval > maxInterval {
		errs = append(errs, fmt.Errorf("interval: %v is not between 0 and %v", o.Interval, maxInterval))
	}
	if o.MergeWindow < 0 || o.MergeWindow > maxMergeWindow {
		errs = append(errs, fmt.Errorf("merge-window: %v is not between 0 and %v", o.MergeWindow, maxMergeWindow))
	}
	if o.MaxContacts < 0 {
		errs = append(errs, fmt.Errorf("max-contacts: %d is negative", o.MaxContacts))
	}
	return errors.Join(errs...)
}

func (o Options) withDefaults() Options {
	if o.Interval <= 0 {
		o.Interval = defaultInterval
	}
	if o.MaxContacts <= 0 {
		o.MaxContacts = defaultMaxContacts
	}
	return o
}
