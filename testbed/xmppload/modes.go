package main

import (
	"flag"
	"fmt"
	"math/rand"
	"sync"
	"sync/atomic"
	"time"
)

func registerMode(fs *flag.FlagSet) func() (map[string]any, error) {
	s := sideFlags(fs, "", "")
	n := fs.Int("n", 100, "accounts")
	k := fs.Int("parallel", 8, "connections at once")
	return func() (map[string]any, error) {
		t := time.Now()
		err := parallel(*n, *k, func(i int) error { return s.client(i).register() })
		return map[string]any{"accounts": *n, "per_s": r3(float64(*n) / time.Since(t).Seconds())}, err
	}
}

func loginAll(s *side, n, k int, presence bool) ([]*client, []int64, error) {
	cs := make([]*client, n)
	lat := make([]int64, n)
	err := parallel(n, k, func(i int) error {
		c := s.client(i)
		if err := c.login(presence); err != nil {
			return err
		}
		cs[i], lat[i] = c, int64(c.loginTime)
		return nil
	})
	return cs, lat, err
}

func idleMode(fs *flag.FlagSet) func() (map[string]any, error) {
	s := sideFlags(fs, "", "")
	n := fs.Int("n", 1000, "sessions")
	users := fs.Int("users", 0, "accounts to spread them over (0: one each)")
	k := fs.Int("parallel", 16, "logins at once")
	hold := fs.Duration("hold", 5*time.Second, "how long to hold them before reading the memory")
	watch := fs.String("watch", "", "name=pid,... processes whose CPU and memory to report")
	return func() (map[string]any, error) {
		w := newWatcher(*watch)
		if *users == 0 {
			*users = *n
		}
		cs := make([]*client, *n)
		lat := make([]int64, *n)
		t := time.Now()
		err := parallel(*n, *k, func(i int) error {
			c := s.client(i % *users)
			c.res = fmt.Sprintf("r%d", i)
			if err := c.login(true); err != nil {
				return err
			}
			cs[i], lat[i] = c, int64(c.loginTime)
			return nil
		})
		el := time.Since(t)
		if err != nil {
			return nil, err
		}
		out := map[string]any{"sessions": *n, "logins_per_s": r3(float64(*n) / el.Seconds()), "login_latency": percentiles(lat)}
		var dead atomic.Int64
		for _, c := range cs {
			go func() {
				for {
					el, err := c.next()
					if err != nil {
						dead.Add(1)
						return
					}
					if elName(el) == "iq" {
						c.answer(el)
					}
				}
			}()
		}
		time.Sleep(*hold)
		p := w.report(int64(*n))
		for _, v := range p {
			m := v.(map[string]any)
			m["kb_per_session"] = r3((m["rss_mb"].(float64) - m["rss_mb_before"].(float64)) * 1024 / float64(*n))
			m["cpu_ms_per_login"] = r3(m["cpu_s"].(float64) * 1000 / float64(*n))
			delete(m, "cpu_s_per_100k")
		}
		out["processes"] = p
		out["dropped"] = dead.Load()
		for _, c := range cs {
			c.conn.Close()
		}
		return out, nil
	}
}

func mucMode(fs *flag.FlagSet) func() (map[string]any, error) {
	a := sideFlags(fs, "", "")
	room := fs.String("room", "load@rooms.localhost", "room JID")
	occ := fs.Int("occupants", 100, "occupants")
	senders := fs.Int("senders", 1, "how many of them send")
	count := fs.Int64("count", 500, "messages to the room in all")
	window := fs.Int("window", 4, "messages under way for each sender (until all occupants have one)")
	rate := fs.Float64("rate", 0, "fixed load in messages/s to the room (0: window)")
	size := fs.Int("size", 100, "bytes of body")
	extra := fs.String("extra", "", "XML to put in each message")
	idle := fs.Duration("idle", 15*time.Second, "give up when nothing arrives for so long")
	watch := fs.String("watch", "", "name=pid,... processes whose CPU and memory to report")
	return func() (map[string]any, error) {
		cs, _, err := loginAll(a, *occ, 8, true)
		if err != nil {
			return nil, err
		}
		run := rand.Int63()
		t := time.Now()
		for i, c := range cs { // one after the other: the first makes the room
			nick := fmt.Sprintf("n%d", i)
			c.send("<presence to='" + esc(*room) + "/" + nick + "'><x xmlns='http://jabber.org/protocol/muc'><history maxstanzas='0'/></x></presence>")
			c.deadline(30 * time.Second)
			for {
				el, err := c.next()
				if err != nil {
					return nil, fmt.Errorf("join %d: %w", i, err)
				}
				if elName(el) == "presence" && attr(el, "from") == *room+"/"+nick {
					if attr(el, "type") == "error" {
						return nil, fmt.Errorf("join %d: %s", i, el)
					}
					break
				}
			}
			c.deadline(0)
			if i == 0 { // unlock a room that the server made locked
				c.send("<iq type='set' id='u1' to='" + esc(*room) + "'><query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data' type='submit'/></query></iq>")
				if _, err := c.iqResult("u1"); err != nil {
					fmt.Println(err)
				}
			}
		}
		joined := time.Since(t)
		per := *count / int64(*senders)
		l := newLedger(per * int64(*senders) * int64(*occ))
		pacers := make([]*pacer, *senders)
		left := make([][]int32, *senders)
		for i := range pacers {
			pacers[i] = newPacer(*window, *rate/float64(*senders))
			left[i] = make([]int32, per)
			for j := range left[i] {
				left[i][j] = int32(*occ)
			}
		}
		for r, c := range cs {
			go func() {
				for {
					el, err := c.next()
					if err != nil {
						return
					}
					switch elName(el) {
					case "message":
						if attr(el, "type") == "error" {
							l.fail(string(el))
							continue
						}
						s, seq, ns, ok := parsePayload(childText(el, "body"), run)
						if !ok {
							continue
						}
						if l.seen(r, s, seq, ns, time.Now().UnixNano()) && atomic.AddInt32(&left[s][seq], -1) == 0 {
							pacers[s].give()
						}
					case "iq":
						c.answer(el)
					}
				}
			}()
		}
		w := newWatcher(*watch)
		t = time.Now()
		var wg sync.WaitGroup
		for i := 0; i < *senders; i++ {
			c := cs[i]
			wg.Go(func() {
				for q := range per {
					ns, ok := pacers[i].take(func() { c.flush() })
					if !ok {
						return
					}
					c.put("<message type='groupchat' to='" + esc(*room) + "' id='" + fmt.Sprint(i, "-", q) + "'><body>" + payload(run, i, q, ns, *size) + "</body>" + *extra + "</message>")
				}
				c.flush()
			})
		}
		l.wait(*idle)
		for _, p := range pacers {
			close(p.stop)
		}
		wg.Wait()
		el := time.Unix(0, l.lastMove.Load()).Sub(t)
		out := map[string]any{"occupants": *occ, "senders": *senders, "window": *window, "seconds": r3(el.Seconds()), "deliveries_per_s": r3(float64(l.got) / el.Seconds()), "room_msgs_per_s": r3(float64(l.got) / float64(*occ) / el.Seconds()), "join_s": r3(joined.Seconds())}
		l.report(out)
		out["processes"] = w.report(l.got)
		for _, c := range cs {
			c.conn.Close()
		}
		return out, nil
	}
}
