package radio

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"sallyport/gateway/config"
	"sallyport/s5066/channel"
	"sallyport/s5066/modem"
)

// Channel is the configuration of a simulated HF channel.
type Channel struct {
	Listen   netip.AddrPort `toml:"listen"` // for modems: stations connect here
	Stations []string       `toml:"stations" required:"true"`
	Profile  string         `toml:"profile"` // of every path that says nothing else
	Loss     float64        `toml:"loss"`    // share of frames of 200 bytes that are lost, instead of a profile
	SNR      float64        `toml:"snr"`     // dB; 0: more than any waveform needs
	Seed     uint64         `toml:"seed"`
	Speed    float64        `toml:"speed"`   // how much faster than real time
	Capture  float64        `toml:"capture"` // dB by which one transmission survives another; 0: never
	Radio    Equipment      `toml:"radio"`
	Paths    []Path         `toml:"path"`
	Windows  []Window       `toml:"window"`
}

// Equipment is what radios and modems add to waveforms.
type Equipment struct {
	KeyUp   time.Duration `toml:"key_up" max:"10s"`
	KeyDown time.Duration `toml:"key_down" max:"10s"`
	Decode  time.Duration `toml:"decode" max:"10s"`
}

// Path is how one station hears another, or several.
type Path struct {
	From    string  `toml:"from" required:"true"`
	To      string  `toml:"to" required:"true"`
	Profile string  `toml:"profile"` // none: not at all
	Loss    float64 `toml:"loss"`
	SNR     float64 `toml:"snr"`
	OneWay  bool    `toml:"one_way"`
}

// Window is a time in which the channel does not work as it should.
type Window struct {
	Kind     string        `toml:"kind" enum:"outage,jam" required:"true"`
	Begin    time.Duration `toml:"begin"` // after the start
	For      time.Duration `toml:"for" required:"true"`
	Stations []string      `toml:"stations"` // whose receivers; empty: all
}

// lossFrame is the length that loss is meant for: a D_PDU of default size.
const lossFrame = 222

// none is the profile of a path that is not there.
const none = "none"

// maxStations is more than share a frequency.
const maxStations = 64

// LoadChannel reads a channel's file. The value may be used only if no problem is an error.
func LoadChannel(path string) (Channel, config.Problems) {
	radio := modem.DefaultRadio()
	c := Channel{
		Listen: netip.MustParseAddrPort("127.0.0.1:5070"), Seed: 1, Speed: 1,
		Radio: Equipment{radio.KeyUp, radio.KeyDown, radio.Decode},
	}
	problems := config.Read(path, &c, c.check)
	return c, problems
}

func (c *Channel) check(r *config.Report) {
	for i, name := range c.Stations {
		if name == "" || slices.Contains(c.Stations[:i], name) || strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' }) {
			r.Bad("stations", strconv.Quote(name)+" is empty, there twice, or not plain letters", "give each station a short name of its own")
		}
	}
	if n := len(c.Stations); !r.Failed("stations") && (n < 2 || n > maxStations) {
		r.Bad("stations", fmt.Sprintf("names %d stations", n), fmt.Sprintf("name 2 to %d", maxStations))
	}
	if !c.Listen.Addr().IsLoopback() {
		r.Risk("listen", "anybody who reaches it is taken for the station he says he is", "listen on loopback, or let nobody else reach the network")
	}
	if !(c.Speed >= 0.001 && c.Speed <= 4e6) {
		r.Bad("speed", "is not between 0.001 and 4000000", "1 is real time")
	}
	c.checkQuality(r, "", c.Profile, c.Loss)
	for i, p := range c.Paths {
		key := "path[" + number(i+1) + "]"
		c.checkStation(r, key+".from", p.From)
		c.checkStation(r, key+".to", p.To)
		c.checkQuality(r, key+".", p.Profile, p.Loss)
		if p.From == p.To && !r.Failed(key) {
			r.Bad(key, "leads to where it begins", "name two stations")
		}
	}
	for i, w := range c.Windows {
		for _, s := range w.Stations {
			c.checkStation(r, "window["+number(i+1)+"].stations", s)
		}
	}
}

func (c *Channel) checkStation(r *config.Report, key, name string) {
	if name != "" && !slices.Contains(c.Stations, name) {
		r.Bad(key, strconv.Quote(name)+" is none of the stations", "they are "+strings.Join(c.Stations, ", "))
	}
}

func (c *Channel) checkQuality(r *config.Report, prefix, profile string, loss float64) {
	if _, err := quality(profile, loss); err != nil && profile != none {
		names := []string{}
		for _, p := range channel.Presets() {
			names = append(names, p.Name)
		}
		r.Bad(prefix+"profile", strconv.Quote(profile)+" is no profile", "they are "+strings.Join(names, ", ")+"; none for a path that is not there")
	}
	switch {
	case !(loss >= 0 && loss < 1):
		r.Bad(prefix+"loss", "is not a share of 1", "0.1 is a tenth")
	case loss > 0 && profile != "":
		r.Bad(prefix+"loss", "stands beside a profile", "remove one of the two")
	}
}

// quality is the profile meant; clean where nothing is said.
func quality(profile string, loss float64) (channel.Profile, error) {
	switch {
	case profile == none:
		return channel.Profile{}, nil
	case profile == "" && loss > 0:
		return channel.FrameLoss(loss, lossFrame), nil
	case profile == "":
		profile = "clean"
	}
	return channel.ParseProfile(profile)
}

// serve is the configuration as the simulator takes it, beginning now.
func (c *Channel) serve(now time.Time) (channel.ServeConfig, error) {
	paths := make(map[[2]int]channel.Path)
	usual, err := c.path("", c.Profile, c.Loss, c.SNR)
	if err != nil {
		return channel.ServeConfig{}, err
	}
	for i, p := range c.Paths {
		path, err := c.path(number(i+1), p.Profile, p.Loss, p.SNR)
		if err != nil {
			return channel.ServeConfig{}, err
		}
		from, to := slices.Index(c.Stations, p.From), slices.Index(c.Stations, p.To)
		paths[[2]int{from, to}] = path
		if !p.OneWay {
			paths[[2]int{to, from}] = path
		}
	}
	cfg := channel.ServeConfig{Names: c.Stations, Speed: c.Speed, Config: channel.Config{
		Radio: modem.Radio{KeyUp: c.Radio.KeyUp, KeyDown: c.Radio.KeyDown, Decode: c.Radio.Decode}, Capture: c.Capture, Seed: c.Seed, Log: channel.LogConfig{Data: true},
		Paths: func(from, to int) channel.Path {
			if p, ok := paths[[2]int{from, to}]; ok {
				return p
			}
			return usual
		},
	}}
	for _, w := range c.Windows {
		cfg.Windows = append(cfg.Windows, c.window(now, w))
	}
	return cfg, nil
}

func (c *Channel) path(number, profile string, loss, snr float64) (channel.Path, error) {
	q, err := quality(profile, loss)
	if err != nil {
		return channel.Path{}, fmt.Errorf("path %s: %w", number, err)
	}
	return channel.Path{Profile: q, SNR: snr}, nil
}

func (c *Channel) window(now time.Time, w Window) channel.Window {
	out := channel.Window{From: now.Add(w.Begin), To: now.Add(w.Begin + w.For), Kind: channel.Outage}
	if w.Kind == "jam" {
		out.Kind = channel.Jam
	}
	for _, s := range w.Stations {
		out.Stations = append(out.Stations, slices.Index(c.Stations, s))
	}
	return out
}

func number(n int) string { return strconv.Itoa(n) }
