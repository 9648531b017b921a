package channel

import (
	"slices"

	"sallyport/s5066/modem"
)

// deafSNR is how many dB below its need a waveform's preamble is not recognised.
const deafSNR = 5

// meet decides what a transmission that begins does to others at this receiver, and they to it.
func (s *Sim) meet(r *reception) {
	st := &s.stations[r.Station]
	switch {
	case st.cut > 0:
		s.lose(r, Cut)
		return
	case st.keyed != nil:
		s.lose(r, Deaf)
		return // what it did to others does not matter: they are lost too
	case st.jam > 0:
		s.lose(r, Collided)
	}
	for _, tx := range s.air {
		for _, other := range tx.receptions {
			if other.Station != r.Station {
				continue
			}
			if !s.survives(other, r) {
				s.lose(other, Collided)
			}
			if !s.survives(r, other) {
				s.lose(r, Collided)
			}
		}
	}
}

func (s *Sim) survives(r, other *reception) bool {
	return s.cfg.Capture > 0 && level(r)-level(other) >= s.cfg.Capture
}

func level(r *reception) float64 {
	if r.path.SNR == 0 {
		return reportedSNR
	}
	return r.path.SNR
}

// lose ends a reception that is alive; what is in the decoder still comes out.
func (s *Sim) lose(r *reception, why Outcome) {
	if r.Outcome != Pending {
		return
	}
	s.settle(r, why)
	if r.synced {
		s.drain(r, why)
	}
}

func (s *Sim) settle(r *reception, how Outcome) {
	r.Outcome = how
	s.stats.Receptions[how]++
}

// drain lets the decoder run empty, after which a reception that is still alive is complete.
func (s *Sim) drain(r *reception, how Outcome) {
	s.at(s.now.Add(r.tx.Waveform.Block()+s.cfg.Radio.Decode), func() {
		if r.Outcome == Pending {
			if len(r.Damaged) > 0 {
				how = Damaged
			}
			s.settle(r, how)
		}
		st := &s.stations[r.Station]
		st.decoding = slices.DeleteFunc(st.decoding, func(d *reception) bool { return d == r })
		s.listen(r.Station)
	})
}

// listen tells a station when its carrier changes.
func (s *Sim) listen(station int) {
	st := &s.stations[station]
	now := s.heard(station)
	if now == st.carrier || now.On && st.carrier.On && now.Waveform == (modem.Waveform{}) {
		return // a carrier that was recognised and now is energy only is no news
	}
	st.carrier = now
	s.emit(station, now)
}

// heard is the carrier at this station at this moment.
func (s *Sim) heard(station int) modem.Carrier {
	st := &s.stations[station]
	c := modem.Carrier{SNR: modem.SNRUnknown}
	if st.keyed != nil {
		return c
	}
	c.On = st.jam > 0
	for _, tx := range s.air {
		p := s.paths[tx.Station][station]
		if p != nil && st.cut == 0 && !tx.detect.After(s.now) {
			c.On = true
		}
	}
	for _, r := range st.decoding { // the latest that was recognised
		c = modem.Carrier{On: true, Waveform: r.tx.Waveform, SNR: reported(r.path.Path)}
	}
	return c
}

func (s *Sim) open(w Window) {
	for _, station := range s.meant(w) {
		st, why := &s.stations[station], Collided
		switch w.Kind {
		case Outage:
			st.cut++
			why = Cut
		case Jam:
			st.jam++
		}
		for _, tx := range s.air {
			for _, r := range tx.receptions {
				if r.Station == station {
					s.lose(r, why)
				}
			}
		}
		s.listen(station)
	}
}

func (s *Sim) shut(w Window) {
	for _, station := range s.meant(w) {
		switch st := &s.stations[station]; w.Kind {
		case Outage:
			st.cut--
		case Jam:
			st.jam--
		}
		s.listen(station)
	}
}

func (s *Sim) meant(w Window) []int {
	if len(w.Stations) > 0 {
		return w.Stations
	}
	all := make([]int, len(s.stations))
	for i := range all {
		all[i] = i
	}
	return all
}
