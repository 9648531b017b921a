package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"math/rand"
	"sync"
	"time"
)

// source is where messages come from: the session of a user, or a stream between servers that several users share.
type source struct {
	*xstream
	from string // between servers, who speaks; empty for the session of a user
}

// talk is messages from sources to sessions: source i writes to session i modulo their number.
type talk struct {
	from []source
	to   []*client
	*talkFlags

	mu  sync.Mutex
	now *pass // the pass under way
}

// talkFlags are what all modes with such messages are asked.
type talkFlags struct {
	count, warm  *int64
	window, size *int
	rate         *float64
	extra, watch *string
	archive      *string
	idle         *time.Duration
}

func newTalkFlags(fs *flag.FlagSet) *talkFlags {
	return &talkFlags{
		count:   fs.Int64("count", 10000, "messages in all"),
		window:  fs.Int("window", 64, "messages under way for each sender"),
		rate:    fs.Float64("rate", 0, "fixed load in messages/s in all (0: as fast as the window allows)"),
		size:    fs.Int("size", 100, "bytes of body"),
		extra:   fs.String("extra", "", "XML to put in each message (such as a label)"),
		warm:    fs.Int64("warm", 1, "messages from each sender before the clock starts"),
		idle:    fs.Duration("idle", 15*time.Second, "give up when nothing arrives for so long"),
		watch:   fs.String("watch", "", "name=pid,... processes whose CPU and memory to report"),
		archive: fs.String("archive", "", "always or never: what all users tell their archives to keep (XEP-0441; empty: they say nothing)"),
	}
}

// prefer lets all users tell their archives what to keep, if so asked.
func (f *talkFlags) prefer(all []*client) error {
	if *f.archive == "" {
		return nil
	}
	err := parallel(len(all), 8, func(i int) error { return all[i].prefer(*f.archive) })
	if err != nil {
		return fmt.Errorf("archive preferences: %w", err)
	}
	return nil
}

// measure warms up, and then counts.
func (t *talk) measure() (map[string]any, error) {
	t.listen()
	if *t.warm > 0 {
		l := t.pass(*t.warm)
		out := map[string]any{}
		if l.report(out); out["exactly_once_in_order"] != true {
			return out, errors.New("the messages before did not arrive as they were sent")
		}
	}
	w := newWatcher(*t.watch)
	begin := time.Now()
	l := t.pass(*t.count / int64(len(t.from)))
	el := time.Unix(0, l.lastMove.Load()).Sub(begin)
	out := map[string]any{
		"senders": len(t.from), "receivers": len(t.to), "window": *t.window, "rate_asked": *t.rate,
		"seconds": r3(el.Seconds()), "msgs_per_s": r3(float64(l.got) / el.Seconds()), "tls": t.from[0].cipher(),
	}
	l.report(out)
	out["processes"] = w.report(l.got)
	return out, nil
}

// pass is one run of so many messages of each source.
type pass struct {
	l      *ledger
	run    int64
	per    int64
	pacers []*pacer
}

// listen reads all sessions and sources until they end. Call it once.
func (t *talk) listen() {
	for r, c := range t.to {
		go t.read(c.xstream, true, func(el []byte) { t.take(r, el) })
	}
	seen := map[*xstream]bool{}
	for _, s := range t.from {
		if !seen[s.xstream] {
			seen[s.xstream] = true
			go t.read(s.xstream, s.from == "", t.returned)
		}
	}
}

// read hands over messages, and answers requests where it is known for whom.
func (t *talk) read(x *xstream, answers bool, message func([]byte)) {
	for {
		el, err := x.next()
		if err != nil {
			return
		}
		switch elName(el) {
		case "message":
			message(el)
		case "iq":
			if answers {
				x.answer(el)
			}
		}
	}
}

func (t *talk) current() *pass {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.now
}

// take books what came to session r.
func (t *talk) take(r int, el []byte) {
	now := time.Now().UnixNano()
	p := t.current()
	if p == nil {
		return
	}
	if isError(el) {
		p.l.fail(string(el))
		return
	}
	s, seq, ns, ok := parsePayload(childText(el, "body"), p.run)
	if !ok || s >= len(p.pacers) {
		return
	}
	p.l.seen(r, s, seq, ns, now)
	p.pacers[s].give()
}

// returned books errors that come back to where the messages came from.
func (t *talk) returned(el []byte) {
	if p := t.current(); p != nil && isError(el) {
		p.l.fail(string(el))
	}
}

func isError(el []byte) bool {
	return bytes.Contains(headTag(el), []byte("error")) && attr(el, "type") == "error"
}

// pass sends per messages from each source and waits for all of them.
func (t *talk) pass(per int64) *ledger {
	p := &pass{l: newLedger(per * int64(len(t.from))), run: rand.Int63(), per: per}
	for range t.from {
		p.pacers = append(p.pacers, newPacer(*t.window, *t.rate/float64(len(t.from))))
	}
	t.mu.Lock()
	t.now = p
	t.mu.Unlock()
	var senders sync.WaitGroup
	for i := range t.from {
		senders.Go(func() { t.send(i, p) })
	}
	p.l.wait(*t.idle)
	for _, q := range p.pacers {
		close(q.stop)
	}
	senders.Wait()
	return p.l
}

func (t *talk) send(i int, p *pass) {
	s := t.from[i]
	from := ""
	if s.from != "" {
		from = " from='" + esc(s.from) + "'"
	}
	head := "<message type='chat'" + from + " to='" + esc(t.to[i%len(t.to)].jid) + "' id='"
	for q := range p.per {
		ns, ok := p.pacers[i].take(s.flush)
		if !ok {
			return
		}
		s.put(head + fmt.Sprint(i, "-", q) + "'><body>" + payload(p.run, i, q, ns, *t.size) + "</body>" + *t.extra + "</message>")
	}
	s.flush()
}
