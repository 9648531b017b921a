package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"sallyport/gateway"
	"sallyport/gateway/config"
	"sallyport/gateway/precedence"
	"sallyport/gateway/thin"
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/links"
	"sallyport/links/cost"
	"sallyport/links/deflate"
	"sallyport/rules"
)

// costFlags describe a link.
type costFlags struct {
	profile    links.Profile
	windows    []string
	custody    bool
	compress   bool
	dictionary string
	thin       bool
	presence   string
	interval   time.Duration
	merge      time.Duration
	overtake   bool
	link       string
}

func (a *app) linkCost() *cobra.Command {
	var f costFlags
	cmd := &cobra.Command{
		Use:   "cost RECORDING",
		Short: "Predict bytes, air time and waiting for recorded traffic",
		Long: `Play a recorded day of traffic over a link that exists on paper, and say for
each class of precedence what it takes: bytes as recorded, bytes on the line,
the time they occupy it, and how long stanzas wait until they have arrived.

With --link the link is one of the configuration that -c names: its profile,
framing, compression and dictionary, what is spared on the way to its peer, and
what is how urgent. Without, it is described by the other flags.

With --thin everything that can be spared is spared: presence at most once in
--interval, no chat states, receipts, markers, avatars or formatted text, rooms
by one copy. --presence and --merge-window choose otherwise.

What is below the stanzas (TLS, IP, ARQ of a radio), losses and changing rates
are not in the prediction. Classes are by kind, without rules and labels.`,
		Example: `  sallyport link cost --link sat day.rec
  sallyport link cost --rate 64000 --round-trip 600ms day.rec
  sallyport link cost --rate 1200 --round-trip 8s --half-duplex \
    --thin --custody --dictionary ships.dict day.rec`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return a.cost(args[0], &f) },
	}
	fs := cmd.Flags()
	fs.StringVar(&f.link, "link", "", "`NAME` of a link in the configuration")
	fs.Int64Var(&f.profile.BitsPerSecond, "rate", 0, "usable `BITS` per second each way (default unlimited)")
	fs.DurationVar(&f.profile.RoundTrip, "round-trip", 0, "`TIME` from a question to its answer")
	fs.BoolVar(&f.profile.HalfDuplex, "half-duplex", false, "only one end speaks at a time")
	fs.StringArrayVar(&f.windows, "window", nil, "`HOURS` of use in UTC, 22:00-06:30; may be repeated")
	fs.BoolVar(&f.custody, "custody", false, "count the framing of our own gateways")
	fs.BoolVar(&f.compress, "compress", false, "compress each stanza")
	fs.StringVar(&f.dictionary, "dictionary", "", "compress with the dictionary in `FILE`")
	fs.BoolVar(&f.thin, "thin", false, "spare what can be spared")
	fs.StringVar(&f.presence, "presence", "", "presence `MODE`: whole, folded, coarse or off")
	fs.DurationVar(&f.interval, "interval", 0, "`TIME` between changes of a contact (default 5m)")
	fs.DurationVar(&f.merge, "merge-window", 0, "`TIME` a room's message waits for its copies")
	fs.BoolVar(&f.overtake, "overtake", false, "chat and requests before presence and rooms")
	for _, other := range []string{
		"rate", "round-trip", "half-duplex", "window", "custody", "compress", "dictionary", "thin", "presence", "interval", "merge-window", "overtake",
	} {
		cmd.MarkFlagsMutuallyExclusive("link", other)
	}
	return cmd
}

// described is the link that the flags say.
func (f *costFlags) described() (l gateway.ConfiguredLink, err error) {
	l = gateway.ConfiguredLink{Profile: f.profile, Custody: f.custody, Precedence: precedence.Spec{Overtake: f.overtake}}
	if f.profile.BitsPerSecond < 0 || f.profile.RoundTrip < 0 {
		return l, errors.New("--rate and --round-trip cannot be negative")
	}
	for _, text := range f.windows {
		w, err := links.ParseWindow(text)
		if err != nil {
			return l, err
		}
		l.Profile.Windows = append(l.Profile.Windows, w)
	}
	if f.compress || f.dictionary != "" {
		l.Compression = &deflate.Config{}
	}
	if f.dictionary != "" {
		if l.Compression.Dictionary, err = loadDictionary(f.dictionary); err != nil {
			return l, err
		}
	}
	l.Thin, err = f.thinned()
	return l, err
}

// configuredLink is a link of the configuration.
func (a *app) configuredLink(name string) (l gateway.ConfiguredLink, err error) {
	cfg, problems := config.Load(a.config)
	if problems.Failed() {
		a.printProblems(a.err, problems)
		return l, errors.New("the configuration has errors")
	}
	return gateway.LinkOf(cfg, name)
}

// options are those of a prediction; the thinners it makes are appended to made.
func options(l *gateway.ConfiguredLink, made *[]*thinning) cost.Options {
	o := cost.Options{Profile: l.Profile, Custody: l.Custody, Compression: l.Compression}
	table, _ := precedence.Compile(l.Precedence) // what can be wrong in it was looked at
	o.Class = func(s stanza.Stanza) uint8 {
		return table.Of(rules.NoPrecedence, "", nil, s).Precedence.Lane()
	}
	if l.Thin != (thin.Options{}) {
		o.Thin = func() cost.Thinner {
			*made = append(*made, &thinning{t: thin.New(l.Thin)})
			return (*made)[len(*made)-1]
		}
	}
	return o
}

func (f *costFlags) thinned() (o thin.Options, err error) {
	if f.thin {
		o = thin.Thinnest()
	}
	if f.presence != "" {
		if o.Presence, err = thin.ParseMode(f.presence); err != nil {
			return o, fmt.Errorf("--presence: %w", err)
		}
	}
	if f.interval != 0 {
		o.Interval = f.interval
	}
	if f.merge != 0 {
		o.MergeWindow = f.merge
	}
	return o, o.Validate()
}

// thinning lets gateway/thin do what links/cost asks for.
type thinning struct {
	t     *thin.Thinner
	token uint64
	outs  []thin.Out
}

func (t *thinning) Put(now time.Time, s stanza.Stanza) []cost.Sent {
	t.token++
	t.outs = t.t.Put(t.outs[:0], now, t.token, s)
	return t.sent()
}

func (t *thinning) Due(now time.Time) []cost.Sent {
	t.outs = t.t.Due(t.outs[:0], now)
	return t.sent()
}

func (t *thinning) Flush(now time.Time) []cost.Sent {
	t.outs = t.t.Flush(t.outs[:0], now)
	return t.sent()
}

func (t *thinning) Next() time.Time       { return t.t.Next() }
func (t *thinning) Heard(s stanza.Stanza) { t.t.Heard(s) }

func (t *thinning) sent() (out []cost.Sent) {
	for _, o := range t.outs {
		if o.Fate != thin.Sent {
			continue
		}
		var also []jid.JID
		for _, c := range o.Also {
			also = append(also, c.To)
		}
		out = append(out, cost.Sent{Stanza: o.Stanza, Also: also})
	}
	return out
}

// spared is one line of what thinning did.
type spared struct {
	Reason string `json:"reason"`
	Times  uint64 `json:"times"`
	Bytes  uint64 `json:"bytes"`
}

func sparedBy(made []*thinning) []spared {
	var out []spared
	for _, r := range thin.Reasons() {
		one := spared{Reason: r.String()}
		for _, t := range made {
			stats := t.t.Stats()
			one.Times += stats.Of(r).Times
			one.Bytes += stats.Of(r).Bytes
		}
		if one.Times > 0 {
			out = append(out, one)
		}
	}
	return out
}

func (a *app) cost(name string, f *costFlags) error {
	describe := f.described
	if f.link != "" {
		describe = func() (gateway.ConfiguredLink, error) { return a.configuredLink(f.link) }
	}
	l, err := describe()
	if err != nil {
		return err
	}
	var made []*thinning
	o := options(&l, &made)
	r, done, err := a.recording(name)
	if err != nil {
		return err
	}
	report, err := cost.Predict(r.Next, o)
	if err := errors.Join(err, done()); err != nil {
		return err
	}
	if a.json {
		return a.printJSON(struct {
			*cost.Report
			Spared []spared `json:"spared"`
		}{report, sparedBy(made)})
	}
	a.printCost(report, &o.Profile, sparedBy(made))
	return nil
}
