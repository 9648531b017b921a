package radio

import (
	"net/netip"
	"path/filepath"
	"time"

	"sallyport/gateway/config"
	"sallyport/s5066"
	"sallyport/s5066/dpdu"
	"sallyport/s5066/modem"
	"sallyport/s5066/node"
)

// Node is the configuration of a STANAG 5066 node.
type Node struct {
	Address     s5066.Address   `toml:"address" required:"true"` // of this node
	Listen      netip.AddrPort  `toml:"listen"`                  // for clients: S_primitives
	Waveform    string          `toml:"waveform" required:"true"`
	Permit      []s5066.Address `toml:"permit"`
	PermitAll   bool            `toml:"permit_all"`
	EMCON       bool            `toml:"emcon"`     // hears, but keys nothing
	Broadcast   bool            `toml:"broadcast"` // makes no links
	MaxTransmit time.Duration   `toml:"max_transmit" min:"1s" max:"127500ms"`
	Turnaround  time.Duration   `toml:"turnaround" max:"1m"`
	MaxRank     uint8           `toml:"max_rank" max:"15"`
	Idle        time.Duration   `toml:"idle" max:"1d"` // a soft link without data ends after it; 0: as the waveform wants
	Segment     int             `toml:"segment" min:"0" max:"1023"`
	RateControl bool            `toml:"rate_control"`
	Socket      config.Path     `toml:"socket"`
	Modem       Modem           `toml:"modem"`
	Log         Log             `toml:"log"`
}

// Modem says how a node reaches its modem.
type Modem struct {
	Kind    string        `toml:"kind" enum:"framed,raw"`
	Address string        `toml:"address" required:"true"`
	Station string        `toml:"station"`               // name that a framed modem knows this node by
	KeyUp   time.Duration `toml:"key_up" max:"10s"`      // of a raw one, as the next two
	KeyDown time.Duration `toml:"key_down" max:"10s"`    //
	Decode  time.Duration `toml:"decode" max:"10s"`      //
	Unpaced bool          `toml:"unpaced"`               // a raw one that takes any amount at once
	Idle    time.Duration `toml:"idle_carrier" max:"1m"` // a raw one is silent after it
}

// Log says what is logged.
type Log struct {
	Level config.LogLevel `toml:"level" enum:"debug,info,warn,error"`
}

// LoadNode reads a node's file. The value may be used only if no problem is an error.
func LoadNode(path string) (Node, config.Problems) {
	n := Node{
		Listen: netip.MustParseAddrPort("127.0.0.1:5066"), MaxTransmit: 30 * time.Second, Turnaround: 200 * time.Millisecond, MaxRank: 14,
		Modem: Modem{Kind: "framed", KeyUp: modem.DefaultRadio().KeyUp, KeyDown: modem.DefaultRadio().KeyDown, Decode: modem.DefaultRadio().Decode},
		Log:   Log{Level: config.LogInfo},
	}
	problems := config.Read(path, &n, n.check)
	if n.Socket == "" {
		n.Socket = config.Path(besides(path, "hf-node.sock"))
	}
	return n, problems
}

// besides is a file in the folder of another.
func besides(path, name string) string {
	abs, err := filepath.Abs(path)
	if err != nil {
		abs = path
	}
	return filepath.Join(filepath.Dir(abs), name)
}

func (n *Node) check(r *config.Report) {
	if !r.Failed("address") && !n.Address.IsUnicast() {
		r.Bad("address", "is not the address of one node", "write it as w.x.y.z, w from 0 to 15")
	}
	if _, err := modem.ParseWaveform(n.Waveform); err != nil && !r.Failed("waveform") {
		r.Bad("waveform", err.Error(), "'sallyport hf waveforms' lists them")
	}
	if len(n.Permit) == 0 && !n.PermitAll {
		r.Bad("permit", "names no node, so this one would talk to nobody", "name the others, or set permit_all = true")
	}
	if len(n.Permit) > 0 && n.PermitAll {
		r.Bad("permit", "names nodes although permit_all lets every node in", "remove one of the two")
	}
	for i, a := range n.Permit {
		if !a.IsUnicast() || a == n.Address {
			r.Bad("permit", a.String()+" is not the address of another node", "correct entry "+number(i+1))
		}
	}
	if !n.Listen.Addr().IsLoopback() {
		r.Risk("listen", "clients of the network can bind: the protocol has neither encryption nor proof of who they are", "listen on loopback, or let nobody else reach the network")
	}
	if n.MaxRank == uint8(s5066.RankManager) {
		r.Risk("max_rank", "any client may bind as a manager", "14 is the highest rank of ordinary clients")
	}
	n.checkModem(r)
}

func (n *Node) checkModem(r *config.Report) {
	w, err := modem.ParseWaveform(n.Waveform)
	switch {
	case n.Modem.Kind == "framed" && n.Modem.Station == "":
		r.Bad("modem.station", "is missing", "write the name that the modem, or the channel, knows this node by")
	case n.Modem.Kind == "raw" && n.Modem.Station != "":
		r.Bad("modem.station", "has no meaning for a raw modem", "remove it")
	case n.RateControl && n.Modem.Kind == "raw":
		r.Bad("rate_control", "a raw modem cannot be told its rate", "remove it")
	case n.RateControl && err == nil && len(ratesOf(w)) < 2:
		r.Bad("rate_control", "there is no other rate to change to", "remove it, or take another waveform")
	}
}

// ratesOf are the rates that a waveform's family has with the same interleaver and that an order wire can name, ascending.
func ratesOf(w modem.Waveform) []int {
	var all []int
	for _, rate := range dpdu.Rates() {
		if _, ok := w.WithRate(rate); ok {
			all = append(all, rate)
		}
	}
	return all
}

// node is the configuration as the stack takes it.
func (n *Node) node() (node.Config, error) {
	w, err := modem.ParseWaveform(n.Waveform)
	if err != nil {
		return node.Config{}, err
	}
	c := node.Default(n.Address, w)
	c.Permit, c.PermitAll, c.EMCON, c.Broadcast = n.Permit, n.PermitAll, n.EMCON, n.Broadcast
	c.MaxTransmit, c.Turnaround = n.MaxTransmit, n.Turnaround
	c.SIS.MaxRank = s5066.Rank(n.MaxRank)
	if n.Idle > 0 {
		c.Session.Called += n.Idle - c.Session.Idle // still after the node that made the link
		c.Session.Idle = n.Idle
	}
	if n.Segment > 0 {
		c.DTS.SegmentSize, c.DTS.AdaptSize = n.Segment, false
	}
	if n.Modem.Kind == "raw" {
		c.Radio, c.FixedRate = n.plain(w).Figures(), true
	}
	if n.RateControl {
		c.DTS.Rate.On, c.DTS.Rate.Rates = true, ratesOf(w)
		c.DTS.Rate.Down, c.DTS.Rate.Up, c.DTS.Rate.Frames, c.DTS.Rate.Hold = 0.3, 0.02, 20, 5*time.Minute
		if w.Interleaver() >= modem.Long {
			c.DTS.Rate.Interleave = dpdu.LongInterleaver
		} else {
			c.DTS.Rate.Interleave = dpdu.ShortInterleaver
		}
	}
	return c, nil
}

// plain is a raw modem: bytes are all that it tells.
func (n *Node) plain(w modem.Waveform) modem.Plain {
	equipment := modem.Radio{KeyUp: n.Modem.KeyUp, KeyDown: n.Modem.KeyDown, Decode: n.Modem.Decode}
	return modem.Plain{Waveform: w, Radio: equipment, Unpaced: n.Modem.Unpaced, Idle: n.Modem.Idle}
}
