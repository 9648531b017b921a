package cost

import (
	"fmt"

	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/links/compact"
	"sallyport/links/deflate"
)

// TrainCompact makes a model for links/compact of a recording, as Train makes a dictionary; Size is not looked at.
func TrainCompact(next func() (Entry, error), o TrainOptions) (*compact.Model, Training, error) {
	stanzas, err := collect(next)
	if err != nil {
		return nil, Training{}, err
	}
	measured := drawn(stanzas)
	var samples []*xmlstream.Element
	var held []stanza.Stanza
	for _, s := range stanzas {
		if measured[conversation(s)] {
			held = append(held, s)
			continue
		}
		e := s.Element()
		if !o.Texts {
			e = silent(e)
		}
		samples = append(samples, e)
	}
	if len(samples) == 0 || len(held) == 0 {
		return nil, Training{}, ErrFew
	}
	m, err := compact.Train(samples, compact.TrainOptions{Texts: o.Texts})
	if err != nil {
		return nil, Training{}, err
	}
	t := Training{Samples: len(samples)}
	return m, t, t.measureCompact(held, m)
}

// MeasureCompact counts what an existing model does to a recording.
func MeasureCompact(next func() (Entry, error), m *compact.Model) (t Training, err error) {
	stanzas, err := collect(next)
	if err != nil {
		return t, err
	}
	return t, t.measureCompact(stanzas, m)
}

func (t *Training) measureCompact(held []stanza.Stanza, m *compact.Model) error {
	c, err := compact.NewCodec(compact.Config{Model: m})
	if err != nil {
		return err
	}
	t.HeldOut, t.Dictionary, t.ID = len(held), len(m.Bytes()), m.Fingerprint().String()
	zip := deflate.NewWriter(deflate.Config{})
	for _, s := range held {
		text, err := xmlstream.AppendElement(nil, s.Element(), xmlstream.NSServer)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrRecording, err)
		}
		coded, err := c.Encode(nil, s.Element())
		if err != nil {
			return fmt.Errorf("%w: %w", ErrRecording, err)
		}
		without := len(text)
		if out, err := zip.Append(nil, text); err == nil {
			without = len(out)
		}
		t.Plain += int64(len(text))
		t.Without += int64(without)
		t.With += int64(len(coded))
	}
	return nil
}
