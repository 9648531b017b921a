package node

import (
	"fmt"

	"sallyport/s5066/manage"
	"sallyport/s5066/sis"
)

// manager answers a management message of a client of rank 15 (A.7).
func (n *Node) manager(e sis.ManagementRequest) {
	answer := manage.Answer{}
	r, err := manage.ParseRequest(e.Message.Body)
	if e.Message.Message != manage.NumberRequest {
		err = fmt.Errorf("%w: number %d, want %d", manage.ErrMessage, e.Message.Message, manage.NumberRequest)
	}
	if err == nil {
		answer.ID = r.ID
		var later bool
		if later, err = n.obey(e.Client, r, &answer); later {
			return
		}
	}
	if answer.OK = err == nil; !answer.OK {
		answer.Why = err.Error()
	}
	n.inform(e.Client, manage.NumberAnswer, answer)
}

// obey does what a manager wants. Later: the answer comes with that of another node.
func (n *Node) obey(client sis.ClientID, r manage.Request, a *manage.Answer) (later bool, err error) {
	switch r.Verb {
	case manage.VerbStatus:
		s := n.told()
		a.Status = &s
	case manage.VerbWatch:
		delete(n.managed.watchers, client)
		if r.On {
			n.managed.watchers[client] = true
		}
		a.Text = onOff("events", r.On)
	case manage.VerbEMCON:
		n.silent(r.On)
		a.Text = onOff("EMCON", r.On)
	case manage.VerbRate:
		if r.Remote.Valid() {
			_, err = n.askRate(r.Remote, r.Rate, client, r.ID)
			return err == nil, err
		}
		a.Text = fmt.Sprintf("%d bit/s", r.Rate)
		return false, n.ownRate(r.Rate)
	case manage.VerbMessage:
		eow, extended, err := r.EOW()
		if err == nil {
			_, err = n.sendEOW(r.Remote, eow, extended, client, r.ID)
		}
		return err == nil, err
	default:
		return false, fmt.Errorf("%w: there is no verb %q", manage.ErrMessage, r.Verb)
	}
	return false, nil
}

// inform tells a manager; one that is gone is forgotten.
func (n *Node) inform(client sis.ClientID, number uint8, v any) {
	var body []byte
	var err error
	switch v := v.(type) {
	case manage.Answer:
		body, err = manage.AppendAnswer(nil, v)
	case manage.Event:
		body, err = manage.AppendEvent(nil, v)
	}
	if err != nil { // it is too large: the least that can be said
		body = []byte(`{"id":0,"ok":false,"why":"too large"}`)
	}
	_ = n.sis.Tell(n.now, client, sis.Management{Indication: true, Message: number, Body: body})
}

// Change reports whether links, the modem or modes are otherwise now. Managers are told of these.
func (k EventKind) Change() bool {
	switch k {
	case LinkUp, LinkDown, LinkFailed, LinkRefused, HardLink, ModemUp, ModemDown, RateChanged, ModeChanged, Management:
		return true
	}
	return false
}

// announce tells managers of an event.
func (n *Node) announce(e Event) {
	if len(n.managed.watchers) == 0 || !e.Kind.Change() {
		return
	}
	out := manage.Event{Time: e.Time.UTC(), Kind: e.Kind.String(), Remote: e.Remote, Text: e.Text}
	if e.Err != nil && out.Text == "" {
		out.Text = e.Err.Error()
	}
	for client := range n.managed.watchers {
		n.inform(client, manage.NumberEvent, out)
	}
}

// dismissed forgets a manager. What it asked for goes on, and is answered to nobody.
func (n *Node) dismissed(client sis.ClientID) {
	delete(n.managed.watchers, client)
	for i := range n.managed.asked {
		if a := &n.managed.asked[i]; a.client == client {
			a.client = 0
		}
	}
}

// told is the node as a manager sees it.
func (n *Node) told() manage.Status {
	t := n.dts.Status()
	s := manage.Status{
		Time: n.now.UTC(), Address: n.cfg.Own, Waveform: n.cfg.Waveform.String(), Rate: n.cfg.Waveform.Rate(), EMCON: n.cfg.EMCON, Broadcast: n.cfg.Broadcast,
		Modem: n.air.there, Keying: n.air.keying != 0, Hearing: n.air.carrier.On, Clients: len(n.sis.Bindings()), Waiting: len(n.requests.waiting),
		Links: []manage.Link{},
	}
	for _, c := range n.requests.given {
		s.UnderWay += c
	}
	for _, l := range n.cas.Links() {
		if len(s.Links) == manage.MaxLinks {
			s.More++
			continue
		}
		out := manage.Link{Remote: l.Remote, State: l.Phase.String(), Seconds: n.now.Sub(l.Since).Seconds()}
		for _, r := range t.Remotes {
			if r.Address == l.Remote {
				out.Window, out.Queue, out.Loss = r.UnderWay, r.Queued, r.Loss
			}
		}
		s.Links = append(s.Links, out)
	}
	return s
}
