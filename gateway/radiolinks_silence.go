package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"go.uber.org/zap"

	"sallyport/gateway/control"
	"sallyport/internal/disk"
)

// Radio silence of a link is ordered while the gateway runs. The order outlives the process and every reload: a station must not be heard because
// a gateway was started again. What was ordered is kept in a file of the state directory until somebody ends it.
//
// silent = true in the configuration holds from the moment the link is made, and can be ended by a command for as long as the link stays as it is.
const (
	silenceFile    = "silent-links.json"
	maxSilenceFile = 1 << 16
)

// silenceOrder is one link that was ordered to be silent.
type silenceOrder struct {
	Link  string    `json:"link"`
	By    string    `json:"by"`
	Since time.Time `json:"since"`
}

// words are for an operator.
func (o silenceOrder) words() string {
	if o.By == "" {
		return "as configured"
	}
	return "ordered by " + o.By + " at " + o.Since.UTC().Format("2006-01-02 15:04:05Z")
}

// silenceOrders are all of them. The value is never changed, only replaced.
type silenceOrders []silenceOrder

// loadSilence reads what was ordered. A damaged file is an error: taking it for empty would end a silence.
func loadSilence(state string) (o silenceOrders, err error) {
	wrap := func(err error) error {
		return fmt.Errorf("read which links were ordered to be silent from %s in %s: %w; with the file moved away, only those are that the configuration says", silenceFile, state, err)
	}
	dir, err := disk.OpenDir(state)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, wrap(err)
	}
	defer func() { err = errors.Join(err, dir.Close()) }()
	b, err := disk.ReadFile(dir, silenceFile, maxSilenceFile)
	if errors.Is(err, disk.ErrNotExist) {
		return nil, nil
	}
	if err == nil {
		err = json.Unmarshal(b, &o)
	}
	if err != nil {
		return nil, wrap(err)
	}
	return o, nil
}

func (o silenceOrders) save(state string) error {
	b, err := json.MarshalIndent(o, "", "  ")
	if err != nil {
		return err
	}
	dir, err := disk.MakeDir(state)
	if err == nil {
		err = errors.Join(disk.Replace(dir, silenceFile, append(b, '\n')), dir.Close())
	}
	if err != nil {
		return fmt.Errorf("write which links are ordered to be silent: %w", err)
	}
	return nil
}

func (o silenceOrders) of(link string) (silenceOrder, bool) {
	i := slices.IndexFunc(o, func(s silenceOrder) bool { return s.Link == link })
	if i < 0 {
		return silenceOrder{}, false
	}
	return o[i], true
}

func (o silenceOrders) without(link string) silenceOrders {
	return slices.DeleteFunc(slices.Clone(o), func(s silenceOrder) bool { return s.Link == link })
}

// silenceFor is the silence in which a link begins, or nil.
func (r *radioLinks) silenceFor(name string, configured bool) *silenceOrder {
	if o, ok := r.orders.of(name); ok {
		return &o
	}
	if configured {
		return &silenceOrder{Link: name}
	}
	return nil
}

// setSilent begins or ends the silence of a link. A link is silent before that is on the disk, and may send only after; told is called before the
// first transmission.
func (r *radioLinks) setSilent(o silenceOrder, on bool, told func() error) (changed bool, err error) {
	r.ordering.Lock()
	defer r.ordering.Unlock()
	l := r.link(o.Link)
	if l == nil {
		return false, fmt.Errorf("there is no link %q of kind hf; see 'sallyport link status'", o.Link)
	}
	next, was := r.orders.without(o.Link), r.silenceOf(o.Link)
	if !on {
		if was == nil {
			return false, nil
		}
		if err := errors.Join(next.save(r.state), told()); err != nil {
			return false, fmt.Errorf("the link stays silent: %w", err)
		}
		r.order(next, o.Link, nil)
		l.SetSilent(false)
		return true, nil
	}
	l.SetSilent(true)
	if was != nil && was.By != "" {
		return false, nil
	}
	next = append(next, o)
	r.order(next, o.Link, &o)
	if err := errors.Join(next.save(r.state), told()); err != nil {
		return true, fmt.Errorf("the link is silent, but this could not be written down, and a restart might end it: %w", err)
	}
	return true, nil
}

// order makes orders known, and that of one link.
func (r *radioLinks) order(all silenceOrders, name string, o *silenceOrder) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.orders = all
	if l := r.links[name]; l != nil {
		l.silence = o
	}
}

// silenceOf is the silence that a link keeps, or nil.
func (r *radioLinks) silenceOf(name string) *silenceOrder {
	r.mu.Lock()
	defer r.mu.Unlock()
	if l := r.links[name]; l != nil {
		return l.silence
	}
	return nil
}

// SetEMCON implements control.Keeper.
func (g *Gateway) SetEMCON(_ context.Context, by control.Caller, q control.EMCONQuestion) (control.EMCONAnswer, error) {
	o := silenceOrder{Link: q.Link, By: by.User, Since: g.now().UTC()}
	changed, err := g.carriers.radios.setSilent(o, q.On, func() error {
		return g.append(g.radioRecord(q.Link, radioEMCON, emconWords(q.On), by.String()))
	})
	if err != nil {
		return control.EMCONAnswer{}, err
	}
	g.log.Info("radio silence of a link", zap.String("link", q.Link), zap.Bool("on", q.On), zap.Bool("changed", changed), zap.Stringer("by", by))
	return control.EMCONAnswer{On: q.On, Changed: changed}, nil
}

func emconWords(on bool) string {
	if on {
		return "radio silence: the link takes what comes and sends nothing"
	}
	return "radio silence is over: the link may send"
}
