package main

import (
	"flag"
	"fmt"
	"net"
	"slices"
	"strings"
)

func msgMode(fs *flag.FlagSet) func() (map[string]any, error) {
	a := sideFlags(fs, "", "")
	bb := sideFlags(fs, "to-", " (receivers' server; default: the senders')")
	senders := fs.Int("senders", 4, "sending sessions")
	receivers := fs.Int("receivers", 4, "receiving sessions")
	f := newTalkFlags(fs)
	return func() (map[string]any, error) {
		b := bb.or(a)
		if b.from == 0 && b.domain == a.domain && b.prefix == a.prefix {
			b.from = a.from + *senders
		}
		sc, _, err := loginAll(a, *senders, 8, true)
		if err != nil {
			return nil, fmt.Errorf("sender %w", err)
		}
		rc, _, err := loginAll(b, *receivers, 8, true)
		if err != nil {
			return nil, fmt.Errorf("receiver %w", err)
		}
		all := slices.Concat(sc, rc)
		defer hangUp(all)
		if err := f.prefer(all); err != nil {
			return nil, err
		}
		t := &talk{to: rc, talkFlags: f}
		for _, c := range sc {
			t.from = append(t.from, source{xstream: c.xstream})
		}
		return t.measure()
	}
}

func hangUp(all []*client) {
	for _, c := range all {
		c.conn.Close()
	}
}

// s2sInMode plays servers whose users write to users of the server under test, who are sessions of ours.
func s2sInMode(fs *flag.FlagSet) func() (map[string]any, error) {
	f := newTalkFlags(fs)
	s2s := s2sCommon(fs)
	to := sideFlags(fs, "to-", " (of the receivers)")
	receivers := fs.Int("receivers", 4, "receiving sessions; each is written to by one user, over the streams in turn")
	return func() (map[string]any, error) {
		w, err := s2s.world()
		if err != nil {
			return nil, err
		}
		domains := strings.Split(*s2s.xd, ",")
		t := &talk{talkFlags: f}
		w.onElem = func(_ string, el []byte) { // errors come back over streams of the server's own
			if elName(el) == "message" {
				t.returned(el)
			}
		}
		if *s2s.listenX != "" {
			var ln net.Listener
			if ln, err = w.listen(*s2s.listenX); err != nil {
				return nil, err
			}
			defer ln.Close()
		}
		users := to.or(&side{tls: "starttls", auth: "plain", prefix: "load", pw: "pw"})
		if t.to, _, err = loginAll(users, *receivers, 8, true); err != nil {
			return nil, fmt.Errorf("receiver %w", err)
		}
		defer hangUp(t.to)
		if err := f.prefer(t.to); err != nil {
			return nil, err
		}
		streams := make([]*xstream, len(domains))
		for i, d := range domains {
			if streams[i], err = w.dial(*s2s.connect, d, users.domain, *s2s.timeout); err != nil {
				return nil, fmt.Errorf("as %s: %w", d, err)
			}
			defer streams[i].conn.Close()
		}
		for i := range t.to {
			k := i % len(domains)
			t.from = append(t.from, source{streams[k], fmt.Sprintf("s%d@%s/r", i, domains[k])})
		}
		return t.measure()
	}
}
