package gateway_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sallyport/gateway/audit"
	"sallyport/gateway/prom"
)

const (
	discoInfo = "http://jabber.org/protocol/disco#info"
	ub        = "w@a.example/r"
	rooms     = "b-rooms.b.example" // of peer b
)

// athome is a site whose peer b is answered for.
func athome(questions string) func(*site) {
	return func(s *site) {
		s.peers = peerTable("a", "in", allKinds) +
			peerTable("b", "out", allKinds, `answers = { keep = "1h", questions = [`+questions+`] }`) + peerTable("c", "in", allKinds)
		s.peers = strings.Replace(s.peers, `domains = ["b.example"]`, `domains = ["b.example", "*.b.example"]`, 1)
	}
}

// asks is disco#info, with a node or without.
func asks(id, from, to, node string) string {
	if node != "" {
		node = " node='" + node + "'"
	}
	return fmt.Sprintf("<iq type='get' id='%s' from='%s' to='%s'><query xmlns='%s'%s/></iq>", id, from, to, discoInfo, node)
}

// tells is the answer.
func tells(id, from, to, name string) string {
	return fmt.Sprintf("<iq type='result' id='%s' from='%s' to='%s'><query xmlns='%s'><identity category='client' type='pc' name='%s'/>"+
		"<feature var='urn:xmpp:ping'/></query></iq>", id, from, to, discoInfo, name)
}

// TestAnsweredAtHome: what was answered once does not cross again; every answer is one of its own, to who asks now.
func TestAnsweredAtHome(t *testing.T) {
	allow := `"disco-info"`
	rows := []struct {
		name      string
		questions string
		rules     string
		do        func(n *node)
		crossed   int      // requests that b gets
		gets      []string // what a gets, in types
	}{
		{"asked twice", allow, "", func(n *node) {
			n.say(asks("1", ua, vb, ""), tells("1", vb, ua, "x"), asks("2", ua, vb, ""))
		}, 1, []string{"result", "result"}},
		{"a user asked by somebody else", allow, "", func(n *node) {
			n.say(asks("1", ua, vb, ""), tells("1", vb, ua, "x"), asks("2", ub, vb, ""))
		}, 2, []string{"result"}},
		{"a domain asked by somebody else", allow, "", func(n *node) {
			n.say(asks("1", ua, rooms, ""), tells("1", rooms, ua, "x"), asks("2", ub, rooms, ""))
		}, 1, []string{"result", "result"}},
		{"asked by one who may not", allow, `
[[rule]]
id = "not-to-w"
when = { from-peer = ["b"], to = ["w@a.example"] }
action = "refuse"
`, func(n *node) {
			n.say(asks("1", ua, rooms, ""), tells("1", rooms, ua, "x"), asks("2", ub, rooms, ""), asks("3", ua, rooms, ""))
		}, 1, []string{"result", "result"}},
		{"not yet answered", allow, "", func(n *node) { n.say(asks("1", ua, vb, ""), asks("2", ua, vb, "")) }, 2, nil},
		{"an answer that was refused", allow, "", func(n *node) {
			n.say(asks("1", ua, vb, ""), strings.Replace(tells("1", vb, ua, "x"), discoInfo, "urn:none", 1), asks("2", ua, vb, ""))
		}, 2, nil},
		{"an answer that nobody asked for", allow, "", func(n *node) {
			n.say(tells("1", vb, ua, "x"), asks("2", ua, vb, ""))
		}, 1, nil},
		{"another kind than configured", `"version"`, "", func(n *node) {
			n.say(asks("1", ua, vb, ""), tells("1", vb, ua, "x"), asks("2", ua, vb, ""))
		}, 2, []string{"result"}},
		{"nothing configured", "", "", func(n *node) {
			n.say(asks("1", ua, vb, ""), tells("1", vb, ua, "x"), asks("2", ua, vb, ""))
		}, 2, []string{"result"}},
		{"the capabilities are others now", allow, "", func(n *node) {
			n.say(asks("1", ua, vb, ""), tells("1", vb, ua, "x"))
			n.say("<presence from='" + vb + "' to='u@a.example'><c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='urn:x' ver='new'/></presence>")
			n.say(asks("2", ua, vb, ""))
		}, 2, []string{"result", "available"}},
		{"they have gone", allow, "", func(n *node) {
			n.say(asks("1", ua, vb, ""), tells("1", vb, ua, "x"), presence("unavailable", vb, "u@a.example"), asks("2", ua, vb, ""))
		}, 2, []string{"result", "unavailable"}},
		{"it is too old", allow, "", func(n *node) {
			n.say(asks("1", ua, vb, ""), tells("1", vb, ua, "x"))
			time.Sleep(2 * time.Hour)
			n.say(asks("2", ua, vb, ""))
		}, 2, []string{"result"}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			edit := athome(row.questions)
			bubble(t, func(s *site) { edit(s); s.rules = row.rules }, func(t *testing.T, n *node) {
				row.do(n)
				n.rest()
				crossed := 0
				for _, d := range append(n.link.to("b.example"), n.link.to(rooms)...) {
					if d.typ == "get" {
						crossed++
					}
				}
				if crossed != row.crossed {
					t.Errorf("%d requests crossed, want %d", crossed, row.crossed)
				}
				n.wantKinds("a.example", row.gets...)
			})
		})
	}
}

// TestAnswerAtHomeIsRecorded: the request ends as answered, the answer is a decision of its own, and both stand in the counters.
func TestAnswerAtHomeIsRecorded(t *testing.T) {
	edit := athome(`"disco-info"`)
	bubble(t, func(s *site) { edit(s); s.policy = "reissue-ids = true\n" }, func(t *testing.T, n *node) {
		n.say(asks("first", ua, vb, ""))
		sent := n.link.to("b.example")[0]
		n.say(tells(sent.id, vb, ua, "x"))
		time.Sleep(90 * time.Second)
		n.say(asks("second", ua, vb, ""))
		n.rest()
		n.wantIDs("a.example", "first", "second")
		all := n.records(audit.Filter{Kind: audit.Decision})
		if len(all) != 4 {
			t.Fatalf("%d decisions", len(all))
		}
		request, answer := all[2].Record, all[3].Record
		if request.Outcome != "answered" || request.ToPeer != "b" || !strings.Contains(request.Reason, "1m30s old") {
			t.Errorf("request %+v", request)
		}
		if answer.Outcome != "released" || answer.FromPeer != "b" || answer.ToPeer != "a" || !strings.Contains(strings.Join(answer.Changed, " "), "from memory") {
			t.Errorf("answer %+v", answer)
		}
		if c := n.balanced(); c.Accepted != 4 || c.Delivered != 4 || c.Answered != 1 {
			t.Errorf("%+v", c)
		}
		p, err := n.Peer(t.Context(), "b")
		if err != nil || p.Answered != 1 || p.Saved < 100 || p.Kept != 1 || !slices.Equal(p.Answers, []string{"disco-info"}) {
			t.Errorf("%+v, %v", p, err)
		}
		got := map[prom.ID]float64{}
		n.Numbers(func(id prom.ID, value float64, _ ...string) { got[id] += value })
		if got[prom.AnswersHome] != 1 || got[prom.AnswersSaved] < 100 || got[prom.AnswersKept] != 1 {
			t.Errorf("%v %v %v", got[prom.AnswersHome], got[prom.AnswersSaved], got[prom.AnswersKept])
		}
	})
}

// TestAnswersAndReload: what was kept under one policy is not told under another.
func TestAnswersAndReload(t *testing.T) {
	bubble(t, athome(`"disco-info"`), func(t *testing.T, n *node) {
		crossed := func(want int) {
			t.Helper()
			if got := len(n.link.to("b.example")); got != want {
				t.Errorf("%d crossed, want %d", got, want)
			}
		}
		n.say(asks("1", ua, vb, ""), tells("1", vb, ua, "x"))
		n.reload() // of the same
		n.say(asks("2", ua, vb, ""))
		crossed(1)
		n.site.rewrite(t, func(s *site) { s.policy = "reissue-ids = false\n" })
		n.reload()
		n.say(asks("3", ua, vb, ""))
		crossed(2)
		n.say(tells("3", vb, ua, "y"), asks("4", ua, vb, ""))
		n.rest()
		crossed(2)
		n.wantIDs("a.example", "1", "2", "3", "4")
	})
}

// TestAnswersWhileNobodyReads: an answer that finds no room holds up nobody else, and its requester hears that none came.
func TestAnswersWhileNobodyReads(t *testing.T) {
	bubble(t, athome(`"disco-info"`), func(t *testing.T, n *node) {
		n.say(asks("1", ua, rooms, ""), tells("1", rooms, ua, "x"), asks("2", "u@c.example/r", rooms, ""), tells("2", rooms, "u@c.example/r", "x"))
		n.link.setFull("a.example", true)
		n.say(asks("3", ua, rooms, ""), asks("4", "u@c.example/r", rooms, ""))
		n.wantIDs("a.example", "1")
		n.wantIDs("c.example", "2", "4")
		time.Sleep(time.Minute)
		n.link.setFull("a.example", false)
		time.Sleep(3 * time.Minute)
		synctest.Wait()
		n.wantIDs("a.example", "1", "3")
		n.wantKinds("a.example", "result", "error")
	})
}

// TestAnsweredWhileCut: at home with the shore, what the ship said is told while no link works; under custody it is told on the ship
// like any answer, once.
func TestAnsweredWhileCut(t *testing.T) {
	edit := func(shore, ship *site) {
		for own, s := range map[string]*site{"a": shore, "b": ship} {
			other := map[string]string{"a": "b", "b": "a"}[own]
			s.peers = peerTable(own, "in", allKinds, `answers = { questions = ["disco-info"] }`) +
				peerTable(other, "out", allKinds, `answers = { questions = ["disco-info"] }`)
		}
	}
	between(t, edit, func(t *testing.T, e *ends) {
		e.settle(time.Second)
		e.shore.arrive(asks("1", ua, vb, ""))
		e.settle(time.Second)
		e.ship.arrive(tells("1", vb, ua, "x"))
		e.settle(time.Second)
		wantSame(t, e.shore.got("a.example"), []string{"1"})
		e.wires.cut(sat)
		e.wires.cut(hf)
		e.settle(time.Minute)
		e.shore.arrive(asks("2", ua, vb, ""))
		e.settle(time.Second)
		wantSame(t, e.shore.got("a.example"), []string{"1", "2"})
		wantSame(t, e.ship.got("b.example"), []string{"1"})
		if c := e.counts(e.shore); c.Queued != 0 || c.Answered != 1 {
			t.Errorf("%+v", c)
		}
		e.mend()
		e.settle(5 * time.Minute)

		// somebody behind a gateway of ours is answered by the one at home with whom he asks
		e.shore.arrive(asks("3", "x@a.example/r", "b.example", ""))
		e.settle(time.Second)
		e.ship.arrive(tells("3", "b.example", "x@a.example/r", "x"))
		e.settle(time.Second)
		e.ship.arrive(asks("4", vb, ua, ""))
		e.settle(time.Second)
		e.shore.arrive(tells("4", ua, vb, "y"))
		e.settle(time.Second)
		e.ship.site.peers = peerTable("b", "in", allKinds, `answers = { questions = ["disco-info"] }`) + peerTable("a", "out", allKinds)
		e.ship.site.write(t)
		e.ship.reloads <- struct{}{}
		e.settle(time.Second)
		e.ship.arrive(asks("5", vb, ua, "")) // crosses, and the shore answers for its server
		e.settle(time.Minute)
		wantSame(t, e.ship.got("b.example"), []string{"1", "3", "4", "5"})
		wantSame(t, e.shore.got("a.example"), []string{"1", "2", "3", "4"})
		if c := e.counts(e.shore); c.Answered != 2 || c.Queued != 0 {
			t.Errorf("%+v", c)
		}
	})
}

// TestNoAnswer: a requester hears when no answer came; the time for it begins with the delivery of the request, and follows the link.
func TestNoAnswer(t *testing.T) {
	rows := []struct {
		name   string
		link   string
		after  time.Duration // of the delivery
		hidden time.Duration // the request waits so long
	}{
		{"a fast link", "", 2 * time.Minute, 0},
		{"a slow one", "round-trip = \"40s\"\nbits-per-second = 600\npatience = 2", 6 * time.Minute, 0},
		{"behind an outage", "", 2 * time.Minute, 3 * time.Hour},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			edit := func(shore, ship *site) {
				shore.more = linkTable("sat", "b", sat, "connect", row.link)
				ship.more = linkTable("sat", "a", sat, "listen", row.link)
			}
			between(t, edit, func(t *testing.T, e *ends) {
				e.settle(time.Second)
				if row.hidden > 0 {
					e.wires.cut(sat)
				}
				e.shore.arrive(iq("get", "1", ua, vb))
				e.settle(row.hidden)
				e.mend()
				for range 600 {
					if len(e.ship.got("b.example")) > 0 {
						break
					}
					e.settle(time.Second)
				}
				e.settle(20 * time.Second)
				e.wires.cut(sat) // so that the ship, whose time is over first, cannot tell
				e.settle(row.after - 40*time.Second)
				wantSame(t, e.shore.got("a.example"), nil)
				e.settle(2 * time.Minute)
				wantSame(t, e.shore.got("a.example"), []string{"1"})
				told := e.shore.node.link.to("a.example")
				if len(told) == 0 {
					t.Fatal("nobody told the requester")
				}
				d := told[0]
				if d.condition() != "remote-server-timeout" || !strings.Contains(d.text(), "No answer came in time") {
					t.Errorf("told %s", d.text())
				}
				found := e.shore.records(audit.Filter{Kind: audit.Settlement, Outcome: "no-answer"})
				if len(found) != 1 || found[0].Of == 0 || found[0].ToPeer != "b" || found[0].FromPeer != "a" {
					t.Errorf("records %+v", found)
				}
				e.mend()
				e.settle(10 * time.Minute) // what the ship tells comes too late
				wantSame(t, e.shore.got("a.example"), []string{"1"})
				if c := e.counts(e.shore); c.Refused != 1 || c.Delivered != 1 || c.Unanswered != 1 {
					t.Errorf("%+v", c)
				}
			})
		})
	}
}

// TestLateness: what waited says since when, what did not says nothing, and nothing says so where that is not wanted.
func TestLateness(t *testing.T) {
	for after, marked := range map[string]bool{"": true, "delay-after = \"0s\"\n": false, "delay-after = \"2h\"\n": false, "delay-after = \"10m\"\n": true} {
		t.Run(after, func(t *testing.T) {
			edit := func(shore, _ *site) { shore.more += "\n[spool]\n" + after }
			between(t, edit, func(t *testing.T, e *ends) {
				e.settle(time.Second)
				prompt := e.send(1)
				e.settle(10 * time.Second)
				e.wires.cut(sat)
				e.wires.cut(hf)
				late := e.send(1)
				began := time.Now()
				e.settle(time.Hour)
				e.mend()
				e.settle(5 * time.Minute)
				wantSame(t, e.ship.got("b.example"), append(prompt, late...))
				texts := e.ship.node.link.to("b.example")
				if strings.Contains(texts[0].text(), "urn:xmpp:delay") {
					t.Errorf("what did not wait: %s", texts[0].text())
				}
				stamp := "stamp='" + began.UTC().Format("2006-01-02T15:04:05")
				if got := strings.Contains(texts[1].text(), stamp); got != marked {
					t.Errorf("stamped %v, want %v: %s", got, marked, texts[1].text())
				}
			})
		})
	}
}

// TestRequestForWhichThereWasNoRoom: who was told that there was no room is answered by nobody any more, whatever id his request had.
func TestRequestForWhichThereWasNoRoom(t *testing.T) {
	edit := func(shore, _ *site) { shore.policy = "reissue-ids = true\n" }
	between(t, edit, func(t *testing.T, e *ends) {
		e.settle(time.Second)
		e.shore.spool.SetCapacity(1)
		e.shore.arrive(iq("get", "mine", ua, vb))
		e.settle(time.Minute)
		wantSame(t, e.shore.got("a.example"), []string{"mine"})
		if n := e.shore.Awaited(); n != 0 {
			t.Errorf("%d requests are remembered that nobody was sent", n)
		}
		e.shore.spool.SetCapacity(0)
		e.settle(time.Minute)
	})
}

// TestRequestWaitsOverRestart: what is asked while no link works is answered also when the node was restarted meanwhile, under the id
// that the requester gave.
func TestRequestWaitsOverRestart(t *testing.T) {
	edit := func(shore, _ *site) { shore.policy = "reissue-ids = true\n" }
	between(t, edit, func(t *testing.T, e *ends) {
		e.settle(time.Second)
		e.wires.cut(sat)
		e.wires.cut(hf)
		e.shore.arrive(iq("get", "mine", ua, vb))
		e.settle(time.Hour)
		e.shore.end()
		e.mend()
		e.shore.start(t, e.shore.site)
		e.settle(3 * time.Minute)
		asked := e.ship.node.link.to("b.example")
		if len(asked) != 1 || asked[0].id == "mine" {
			t.Fatalf("%d requests: %v", len(asked), ids(asked))
		}
		e.ship.arrive(iq("result", asked[0].id, vb, ua))
		e.settle(time.Minute)
		wantSame(t, e.shore.got("a.example"), []string{"mine"})
		e.settle(time.Hour)
		wantSame(t, e.shore.got("a.example"), []string{"mine"}) // and nobody says that none came
	})
}
