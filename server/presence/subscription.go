package presence

import "sallyport/internal/xmpp/stanza"

// State is what one roster knows of the subscriptions between its owner and one contact. The zero value is None (A.1).
type State struct {
	To, From   bool // the owner sees the contact; the contact sees the owner
	PendingOut bool // the owner has asked
	PendingIn  bool // the contact has asked
	Approved   bool // what the contact will ask is granted (§3.4)
}

// Effect is what a stanza does beside changing the state.
type Effect struct {
	// Route passes it on to the contact; Show hands it to the owner's clients.
	Route, Show bool
	// Answer is said to the contact for the owner: subscribed, or NoType for nothing.
	Answer stanza.Type
	// Appear: the contact is to be told now what the owner's presence is; Vanish: that there is none any more.
	Appear, Vanish bool
}

// Sends is what a stanza of the owner does (A.2). Other types than the four of subscriptions do nothing.
func (s State) Sends(t stanza.Type) (State, Effect) {
	next, e := s, Effect{}
	switch t {
	case stanza.PresenceSubscribe: // A.2.1: always routed
		e.Route = true
		next.PendingOut = !s.To
	case stanza.PresenceUnsubscribe: // A.2.2: always routed
		e.Route = true
		next.To, next.PendingOut = false, false
	case stanza.PresenceSubscribed: // A.2.3
		switch {
		case s.PendingIn:
			e.Route, e.Appear = true, true
			next.From, next.PendingIn = true, false
		case !s.From:
			next.Approved = true // §3.4.2
		}
	case stanza.PresenceUnsubscribed: // A.2.4
		e.Route = s.PendingIn || s.From
		e.Vanish = s.From
		next.From, next.PendingIn, next.Approved = false, false, false
	default:
	}
	return next, e
}

// Comes is what a stanza of the contact does (A.3). Other types than the four of subscriptions do nothing.
func (s State) Comes(t stanza.Type) (State, Effect) {
	next, e := s, Effect{}
	switch t {
	case stanza.PresenceSubscribe: // A.3.1
		switch {
		case s.From:
			e.Answer = stanza.PresenceSubscribed
		case s.Approved:
			e.Answer, e.Appear = stanza.PresenceSubscribed, true
			next.From, next.PendingIn = true, false
		case !s.PendingIn:
			e.Show = true
			next.PendingIn = true
		}
	case stanza.PresenceUnsubscribe: // A.3.2
		e.Show, e.Vanish = s.From || s.PendingIn, s.From
		next.From, next.PendingIn = false, false
	case stanza.PresenceSubscribed: // A.3.3
		if s.PendingOut {
			e.Show = true
			next.To, next.PendingOut = true, false
		}
	case stanza.PresenceUnsubscribed: // A.3.4
		e.Show = s.To || s.PendingOut
		next.To, next.PendingOut = false, false
	default:
	}
	return next, e
}

// String is the name that appendix A has for the state.
func (s State) String() string {
	name := "None"
	switch {
	case s.To && s.From:
		name = "Both"
	case s.To:
		name = "To"
	case s.From:
		name = "From"
	}
	switch {
	case s.PendingOut && s.PendingIn:
		return name + " + Pending Out+In"
	case s.PendingOut:
		return name + " + Pending Out"
	case s.PendingIn:
		return name + " + Pending In"
	}
	return name
}
