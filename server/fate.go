package server

import (
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/stanza"
)

// fate is where a stanza for a domain of ours goes (RFC 6121 §8.5).
type fate uint8

const (
	toSender    fate = iota // refused
	toNobody                // ignored without a word
	toResource              // the one that is named
	toOpen                  // every available resource whose priority is not negative
	toKeep                  // offline
	toAvailable             // every available resource
	toRoster                // subscriptions
	toProbe
	toAccount // a request that we answer for the account
	toServer  // a domain
)

// fateOf reads the table of §8.5. named: 'to' is a full address that is connected; open: some resource takes what is for the bare
// address.
//
// Where the RFC leaves a choice: messages for the bare address go to every resource that takes them; normal ones for a resource that is
// gone are refused and not treated as for the bare address, headlines are ignored.
func fateOf(t stanza.Type, to jid.JID, named, open bool) fate {
	switch {
	case to.Local() == "":
		return fateAtServer(t, to)
	case t == stanza.PresenceSubscribe:
		return toRoster
	case t == stanza.PresenceSubscribed, t == stanza.PresenceUnsubscribe, t == stanza.PresenceUnsubscribed:
		if to.IsFull() && !named {
			return toNobody // §8.5.3.2.2
		}
		return toRoster
	case t == stanza.PresenceProbe:
		return toProbe
	case to.IsFull() && named:
		return toResource
	case to.IsFull() && t != stanza.MessageChat:
		return fateUnnamed(t)
	}
	return fateAtBare(t, open)
}

// fateUnnamed is §8.5.3.2: no resource matches.
func fateUnnamed(t stanza.Type) fate {
	switch t {
	case stanza.MessageNormal, stanza.MessageGroupchat, stanza.IQGet, stanza.IQSet:
		return toSender
	default:
		return toNobody
	}
}

// fateAtBare is §8.5.2.
func fateAtBare(t stanza.Type, open bool) fate {
	switch t {
	case stanza.MessageNormal, stanza.MessageChat:
		if open {
			return toOpen
		}
		return toKeep
	case stanza.MessageHeadline:
		if open {
			return toOpen
		}
		return toNobody
	case stanza.PresenceAvailable, stanza.PresenceUnavailable, stanza.PresenceError: // an error about a subscription
		return toAvailable
	case stanza.IQGet, stanza.IQSet:
		return toAccount
	case stanza.IQResult, stanza.IQError:
		return toServer // of a request that we made for the account
	case stanza.MessageGroupchat:
		return toSender
	default: // errors
		return toNobody
	}
}

// fateAtServer is §8.4: a domain, with a resource or without.
func fateAtServer(t stanza.Type, to jid.JID) fate {
	switch t {
	case stanza.IQGet, stanza.IQSet:
		if to.IsFull() {
			return toSender
		}
		return toServer
	case stanza.IQResult, stanza.IQError:
		return toServer
	case stanza.MessageNormal, stanza.MessageChat, stanza.MessageGroupchat:
		return toSender
	default:
		return toNobody
	}
}

// fateUnknown is §8.5.1: there is no such account. A probe gets what it gets of an account that does not know who asks.
func fateUnknown(t stanza.Type) fate {
	switch t {
	case stanza.MessageNormal, stanza.MessageChat, stanza.IQGet, stanza.IQSet:
		return toSender
	case stanza.PresenceProbe:
		return toProbe
	default:
		return toNobody
	}
}
