package pep

import (
	"slices"
	"strings"
	"sync"

	"sallyport/internal/xmpp/caps"
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/tree"
	"sallyport/internal/xmpp/xmlstream"
)

// Bounds on what is remembered of clients.
const (
	maxSeen    = 1000    // clients of contacts, of one account
	maxClients = 200_000 // of all accounts
	maxCaps    = 4096    // sets of caps, twice
	maxWanted  = 256     // nodes that one client wants to know
	maxAsked   = 256     // questions at a time
	maxWaiting = 10_000  // clients that wait for the answer to one
)

// shown is what a client shows of its caps: the node of a disco#info (XEP-0115 §6.2, XEP-0390 §4.2). Empty for none.
type shown string

// capsOf reads presence, the newer form first.
func capsOf(presence stanza.Stanza) shown {
	e := presence.Element()
	if c := e.Child("urn:xmpp:caps", "c"); c != nil {
		for h := range c.Children() {
			if h.Is("urn:xmpp:hashes:2", "hash") && tree.Value(h, "algo") == "sha-256" && len(h.Text()) == 44 {
				return shown("urn:xmpp:caps#sha-256." + h.Text())
			}
		}
	}
	c := e.Child("http://jabber.org/protocol/caps", "c")
	node, ver := tree.Value(c, "node"), tree.Value(c, "ver")
	if node == "" || ver == "" || len(node)+len(ver) > MaxNameBytes || tree.Value(c, "hash") == "" {
		return ""
	}
	return shown(node + "#" + ver)
}

// proves reports whether a disco#info is the one that the caps name, so that it holds for everybody who shows them.
func (s shown) proves(info *xmlstream.Element) bool {
	if hash, ok := strings.CutPrefix(string(s), "urn:xmpp:caps#sha-256."); ok {
		got, err := caps.Hash(info)
		return err == nil && got == hash
	}
	return caps.Verify(info, string(s))
}

// knowsLabels stands among the nodes that a client wants to know for what it knows itself (XEP-0258 §2). No node has that name.
const knowsLabels = "\x00" + nsLabel

// KnowsLabels reports whether a client of an account here has said that it knows security labels, as far as its caps have been asked for.
func (s *Service) KnowsLabels(client jid.JID) bool {
	x := s.wants
	x.mu.Lock()
	defer x.mu.Unlock()
	is := x.seen[client.Bare()][client]
	return is != nil && is.nodes[knowsLabels]
}

// wantedBy gives the nodes with a +notify feature.
func wantedBy(info *xmlstream.Element) map[string]bool {
	nodes := make(map[string]bool)
	for f := range info.Children() {
		if f.Is(nsInfo, "feature") && tree.Value(f, "var") == nsLabel {
			nodes[knowsLabels] = true
		}
		if node, ok := strings.CutSuffix(tree.Value(f, "var"), "+notify"); ok && f.Is(nsInfo, "feature") && len(nodes) < maxWanted {
			nodes[strings.Clone(node)] = true
		}
	}
	return nodes
}

// client is one that has been seen by an account.
type client struct {
	caps  shown
	nodes map[string]bool // nil until they are known
}

// waiter is a client of an account whose caps are asked for.
type waiter struct{ account, client jid.JID }

// interests are who wants to know what. It is safe for concurrent use.
type interests struct {
	mu         sync.Mutex
	seen       map[jid.JID]map[jid.JID]*client // by account, then by client
	clients    int
	young, old map[shown]map[string]bool // proven
	asked      map[shown][]waiter
}

func newInterests() *interests {
	return &interests{
		seen: make(map[jid.JID]map[jid.JID]*client), young: make(map[shown]map[string]bool), asked: make(map[shown][]waiter),
	}
}

// news reports whether there is anything to learn from a client's presence for an account, which is rare: most change no caps.
func (x *interests) news(account, who jid.JID, c shown) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	was := x.seen[account][who]
	return was == nil || was.caps != c
}

// come is said when an account sees a client's presence. It gives the nodes that are new to it, and whether its caps have to be asked
// for, which the caller does.
func (x *interests) come(account, who jid.JID, c shown) (nodes map[string]bool, ask bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	was := x.seen[account][who]
	switch {
	case was != nil && was.caps == c:
		return nil, false
	case was == nil && (x.clients >= maxClients || len(x.seen[account]) >= maxSeen):
		return nil, false // it is not told anything, which is better than being told to remember
	case was == nil:
		account, who = account.Clone(), who.Clone()
		if x.seen[account] == nil {
			x.seen[account] = make(map[jid.JID]*client)
		}
		x.clients++
	}
	one := &client{caps: c}
	x.seen[account][who] = one
	if c == "" {
		return nil, false
	}
	if one.nodes = x.proven(c); one.nodes != nil {
		return added(was, one), false
	}
	waiting, asking := x.asked[c]
	if !asking && len(x.asked) >= maxAsked || len(waiting) >= maxWaiting {
		return nil, false
	}
	x.asked[c] = append(waiting, waiter{account, who})
	return nil, !asking
}

// clientsOf are the clients of somebody that an account has seen, with the nodes that they want to know, where that is known.
func (x *interests) clientsOf(account, who jid.JID) map[jid.JID]map[string]bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	list := make(map[jid.JID]map[string]bool)
	for client, is := range x.seen[account] {
		if client.Bare() == who && is.nodes != nil {
			list[client] = is.nodes
		}
	}
	return list
}

// added are the nodes that a client wants to know now and did not before.
func added(was, now *client) map[string]bool {
	if was == nil || was.nodes == nil {
		return now.nodes
	}
	nodes := make(map[string]bool)
	for n := range now.nodes {
		if !was.nodes[n] {
			nodes[n] = true
		}
	}
	return nodes
}

// proven gives what is known of caps, nil for nothing.
func (x *interests) proven(c shown) map[string]bool {
	if n := x.young[c]; n != nil {
		return n
	}
	n := x.old[c]
	if n != nil {
		x.keep(c, n)
	}
	return n
}

func (x *interests) keep(c shown, nodes map[string]bool) {
	if len(x.young) >= maxCaps {
		x.young, x.old = make(map[shown]map[string]bool), x.young
	}
	x.young[c] = nodes
}

// next gives the client that is to be asked for caps; ok is false when nobody waits for them any more.
func (x *interests) next(c shown) (w waiter, ok bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, w := range x.asked[c] {
		if one := x.seen[w.account][w.client]; one != nil && one.caps == c {
			return w, true
		}
	}
	delete(x.asked, c)
	return waiter{}, false
}

// learn takes the answer of the client that was asked, nil for none. It gives those who are told what was published last: everybody who
// waited where the answer proves the caps, else that client alone; the others go on waiting.
func (x *interests) learn(c shown, from waiter, info *xmlstream.Element) (came []waiter, nodes map[string]bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	proven := info != nil && c.proves(info)
	nodes = make(map[string]bool)
	if info != nil {
		nodes = wantedBy(info)
	}
	if proven {
		came = x.asked[c]
		delete(x.asked, c)
		x.keep(c, nodes)
	} else {
		came = []waiter{from}
		x.asked[c] = slices.DeleteFunc(x.asked[c], func(w waiter) bool { return w == from })
	}
	return slices.DeleteFunc(came, func(w waiter) bool {
		one := x.seen[w.account][w.client]
		if one == nil || one.caps != c {
			return true
		}
		one.nodes = nodes
		return false
	}), nodes
}

// gone is said when an account sees that a client is gone.
func (x *interests) gone(account, who jid.JID) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.seen[account][who] == nil {
		return
	}
	delete(x.seen[account], who)
	x.clients--
	if len(x.seen[account]) == 0 {
		delete(x.seen, account)
	}
}

// forget is said when an account is no more.
func (x *interests) forget(account jid.JID) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.clients -= len(x.seen[account])
	delete(x.seen, account)
}

// of gives the clients that want to know of a node of an account, in order.
func (x *interests) of(account jid.JID, node string) []jid.JID {
	x.mu.Lock()
	defer x.mu.Unlock()
	var list []jid.JID
	for who, c := range x.seen[account] {
		if c.nodes[node] {
			list = append(list, who)
		}
	}
	slices.SortFunc(list, func(a, b jid.JID) int { return strings.Compare(a.String(), b.String()) })
	return list
}
