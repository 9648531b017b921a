package node

import (
	"time"

	"sallyport/s5066/dpdu"
	"sallyport/s5066/dts"
	"sallyport/s5066/modem"
)

// air is what the node knows of its modem and its channel.
type air struct {
	there   bool
	clock   bool // runs at the speed of real time: times to die mean something
	carrier modem.Carrier
	keying  uint32 // the order under way; 0 is none
	keyed   time.Time
	last    uint32
	saying  []uint64  // link control in the transmission under way
	vain    time.Time // nothing came of keying; not again before
	free    time.Time // who was not spoken to does not key before
	frames  int       // heard since somebody began
	used    time.Time // somebody was heard, or this node keyed
}

// ModemUp says that there is a modem, with these figures. A speed other than 1 means that time is not that of other nodes' clocks.
func (n *Node) ModemUp(now time.Time, radio modem.Radio, speed float64) {
	n.enter(now)
	n.rx = dpdu.Receiver{Stats: n.rx.Stats}
	n.air = air{there: true, clock: speed == 1, last: n.air.last, carrier: modem.Carrier{SNR: modem.SNRUnknown}}
	n.cfg.Radio = radio
	n.retime()
	n.fromDTS(n.dts.Carrier(n.now, false)) // this one tells of carriers: answers need not be waited for until a frame has come
	n.tell(Event{Kind: ModemUp})
	n.available()
	n.settle()
}

// ModemGone says that there is none any more.
func (n *Node) ModemGone(now time.Time, cause error) {
	n.enter(now)
	if n.air.keying != 0 {
		n.unkeyed()
	}
	if n.air.carrier.On {
		n.carrier(modem.Carrier{SNR: modem.SNRUnknown})
	}
	if n.air.there {
		n.air.there = false
		n.tell(Event{Kind: ModemDown, Err: cause})
		n.available()
	}
	n.settle()
}

// Modem takes an event of the modem.
func (n *Node) Modem(now time.Time, e modem.Event) {
	n.enter(now)
	switch e := e.(type) {
	case modem.Sent:
		if n.air.keying != 0 && e.ID == n.air.keying {
			n.unkeyed()
		}
	case modem.Lost:
		if n.air.keying != 0 && e.ID == n.air.keying {
			n.stats.LostTrains++
			n.tell(Event{Kind: ModemLost, Text: e.Reason.String()})
			n.unkeyed()
		}
	case modem.Carrier:
		n.carrier(e)
	case modem.Data:
		n.stats.BytesHeard += uint64(len(e.Bytes))
		n.raw(e.Bytes)
		n.frames(n.rx.Feed(e.Bytes))
	case modem.Keyed:
	}
	n.settle()
}

// unkeyed ends the transmission under way, well or not: who has to answer will, or not.
func (n *Node) unkeyed() {
	n.stats.Airtime += n.now.Sub(n.air.keyed)
	n.air.keying = 0
	n.air.used = n.now
	for _, id := range n.air.saying {
		n.cas.Sent(n.now, id)
	}
	n.air.saying = nil
	n.fromDTS(n.dts.Keyed(n.now))
}

// carrier is the begin or the end of what is heard.
func (n *Node) carrier(c modem.Carrier) {
	was := n.air.carrier.On
	n.air.carrier = c
	if c.On {
		n.air.free, n.air.frames = n.now, 0
	}
	n.air.used = n.now
	if !c.On && was {
		n.raw(nil)
		n.frames(n.rx.End())
		n.air.free = n.now.Add(n.cfg.slot())
		if !n.dts.Awaits() && (n.air.frames == 0 || n.dts.Crowded(n.now)) { // others may wait for the same moment
			n.air.free = n.air.free.Add(n.wait(n.cfg.Slots))
		}
	}
	n.cas.Carrier(n.now, c.On)
	n.fromDTS(n.dts.Carrier(n.now, c.On))
}

// wait is a random number of slots.
func (n *Node) wait(slots int) time.Duration {
	return time.Duration(n.random.IntN(slots)) * n.cfg.slot()
}

func (n *Node) frames(list []dpdu.PDU) {
	for _, p := range list {
		n.framed(p, false)
		n.stats.heard(p)
		n.air.frames++
		if p.To == n.cfg.Own && p.Type <= dpdu.ExpeditedAck && n.cfg.Permits(p.From) {
			n.fromCAS(n.cas.Active(p.From))
			n.soft.Used(n.now, p.From)
		}
		n.fromDTS(n.dts.Heard(n.now, p))
	}
}

// keyAt is when the node may key, if it has something to key.
func (n *Node) keyAt() (time.Time, bool) {
	if !n.air.there || n.cfg.EMCON || n.air.keying != 0 {
		return time.Time{}, false
	}
	w, ok := n.dts.Want(n.now)
	if !ok || n.air.carrier.On && !n.cfg.DTS.FullDuplex {
		return time.Time{}, false
	}
	at := w.NotBefore
	if !w.Reply && n.air.free.After(at) && !n.cfg.DTS.FullDuplex {
		at = n.air.free
	}
	if n.air.vain.After(at) {
		at = n.air.vain
	}
	return at, true
}

// key keys one transmission, if it is time.
func (n *Node) key() {
	at, ok := n.keyAt()
	if !ok || at.After(n.now) {
		return
	}
	n.air.saying = nil
	train, events := n.dts.Train(n.now, dts.Budget{Duration: n.cfg.MaxTransmit})
	var data []byte
	for _, p := range train.PDUs {
		begin := len(data)
		b, err := dpdu.Append(data, p)
		if err != nil {
			n.tell(Event{Kind: ModemLost, Remote: p.To, Err: err})
			continue
		}
		data = b
		n.framed(p, true)
		n.stats.keyed(p, len(data)-begin)
	}
	if len(data) > 0 {
		n.air.last++
		n.air.keying, n.air.keyed = n.air.last, n.now
		n.stats.Trains++
		n.orders = append(n.orders, modem.Key{ID: n.air.keying, Waveform: n.cfg.Waveform, Data: data})
	}
	n.fromDTS(events)
	if len(data) == 0 {
		n.air.vain = n.now.Add(n.cfg.slot())
	}
}
