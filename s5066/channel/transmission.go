package channel

import (
	"time"

	"sallyport/s5066/modem"
)

// transmission is one on its way, and its place in the log.
type transmission struct {
	Transmission
	data       []byte
	blocks     int
	detect     time.Time // when receivers notice it
	onAir      bool
	over       bool // the last block is through
	receptions []*reception
}

// reception is what one station makes of it. It is alive while its outcome is pending.
type reception struct {
	Reception
	tx      *transmission
	path    *path
	synced  bool
	grain   int  // damage closer together than this is told as one
	flushed bool // the receiver keyed: what its decoder held is gone
}

func (s *Sim) key(from int, k modem.Key) {
	st := &s.stations[from]
	t := modem.Timing{Waveform: k.Waveform, Radio: s.cfg.Radio}
	switch {
	case st.keyed != nil:
		s.refuse(from, k.ID, modem.Busy)
		return
	case !k.Waveform.Valid() || len(k.Data) == 0 || len(k.Data) > modem.MaxTransmission || t.Duration(len(k.Data)) > MaxAir:
		s.refuse(from, k.ID, modem.Refused)
		return
	}
	s.stats.Transmissions++
	s.stats.Bytes += int64(len(k.Data))
	tx := &transmission{data: k.Data, blocks: k.Waveform.Blocks(len(k.Data)), Transmission: Transmission{
		Number: s.stats.Transmissions, Station: from, ID: k.ID, Waveform: k.Waveform, Bytes: len(k.Data), Key: s.now,
		Air: s.now.Add(s.cfg.Radio.KeyUp), First: s.now.Add(t.Lead()), AirEnd: s.now.Add(t.AirEnd(len(k.Data))), Sent: s.now.Add(t.Duration(len(k.Data))),
	}}
	tx.detect = tx.Air.Add(k.Waveform.Detect())
	if s.cfg.Log.Data {
		tx.Data = k.Data
	}
	if s.log = append(s.log, tx); len(s.log) > s.cfg.Log.Entries {
		s.log[0] = nil
		s.log = s.log[1:]
	}
	st.keyed = tx
	s.deafen(from)
	s.at(tx.Air, func() { s.begin(tx) })
}

func (s *Sim) refuse(from int, id uint32, why modem.Reason) {
	s.stats.Refused++
	s.emit(from, modem.Lost{ID: id, Reason: why})
}

// deafen is what keying does to the station's receiver.
func (s *Sim) deafen(station int) {
	for _, tx := range s.air {
		for _, r := range tx.receptions {
			if r.Station == station {
				s.lose(r, Deaf)
			}
		}
	}
	st := &s.stations[station]
	for _, r := range st.decoding {
		r.flushed = true
		if r.Outcome == Pending { // off the air, but not all of it out
			s.settle(r, Deaf)
		}
	}
	st.decoding = nil
	s.listen(station)
}

// begin puts the carrier on the air.
func (s *Sim) begin(tx *transmission) {
	if tx.Aborted {
		return
	}
	tx.onAir = true
	s.emit(tx.Station, modem.Keyed{ID: tx.ID})
	for to, p := range s.paths[tx.Station] {
		if p != nil {
			tx.receptions = append(tx.receptions, &reception{Reception: Reception{Station: to}, tx: tx, path: p})
		}
	}
	for _, r := range tx.receptions {
		s.meet(r)
	}
	s.air = append(s.air, tx)
	s.at(tx.detect, func() { s.sync(tx) })
	s.at(tx.First.Add(tx.Waveform.BlockEnd(0)), func() { s.block(tx, 0) })
}

// sync is when receivers recognise the preamble, or not.
func (s *Sim) sync(tx *transmission) {
	if !tx.onAir {
		return
	}
	for _, r := range tx.receptions {
		if r.Outcome == Pending {
			bad := r.path.fading.share(tx.Air, s.now)
			p := r.path.Profile
			chance := p.MissGood*(1-bad) + p.MissBad*bad
			if r.path.noise.Float64() < chance || missingSNR(r.path.Path, tx.Waveform) >= deafSNR {
				s.lose(r, Missed)
			} else {
				r.synced = true
				st := &s.stations[r.Station]
				st.decoding = append(st.decoding, r)
			}
		}
		s.listen(r.Station)
	}
}

// block is the end of block k on the air.
func (s *Sim) block(tx *transmission, k int) {
	if !tx.onAir {
		return
	}
	bits := tx.Waveform.BlockBits()
	from, to := min(k*bits/8, tx.Bytes), min((k+1)*bits/8, tx.Bytes)
	out := s.now.Add(tx.Waveform.Block() + s.cfg.Radio.Decode)
	for _, r := range tx.receptions {
		if r.Outcome != Pending || from == to {
			continue
		}
		chunk := r.receive(from, to, s.now)
		s.at(out, func() {
			if !r.flushed {
				r.Bytes = to
				s.emit(r.Station, modem.Data{Bytes: chunk})
			}
		})
	}
	if k+1 < tx.blocks {
		s.at(tx.First.Add(tx.Waveform.BlockEnd(k+1)), func() { s.block(tx, k+1) })
		return
	}
	tx.over = true
	s.end(tx)
	s.at(tx.Sent, func() {
		s.stations[tx.Station].keyed = nil
		s.emit(tx.Station, modem.Sent{ID: tx.ID})
		s.listen(tx.Station)
	})
}

// abort ends a transmission before its time, unless it has all been on the air.
func (s *Sim) abort(tx *transmission) {
	if tx.Aborted || tx.over {
		return
	}
	tx.Aborted = true
	s.stats.Aborted++
	tx.AirEnd, tx.Sent = s.now, s.now.Add(s.cfg.Radio.KeyDown)
	for _, r := range tx.receptions {
		s.lose(r, Broken)
	}
	s.end(tx)
	s.at(tx.Sent, func() {
		s.stations[tx.Station].keyed = nil
		s.emit(tx.Station, modem.Lost{ID: tx.ID, Reason: modem.Aborted})
		s.listen(tx.Station)
	})
}

// end takes the carrier off the air. Decoders still have to empty.
func (s *Sim) end(tx *transmission) {
	if tx.onAir {
		s.stats.OnAir += tx.AirEnd.Sub(tx.Air)
	}
	tx.onAir, tx.data = false, nil
	for i, a := range s.air {
		if a == tx {
			s.air = append(s.air[:i], s.air[i+1:]...)
			break
		}
	}
	for _, r := range tx.receptions {
		if r.Outcome == Pending {
			s.drain(r, Received)
		}
		s.listen(r.Station)
	}
}
