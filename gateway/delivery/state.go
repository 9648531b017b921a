package delivery

import (
	"fmt"
	"time"

	"sallyport/gateway/thin"
	"sallyport/internal/xmpp/stanza"
	"sallyport/peering"
)

// State is how far something has come, or how it ended. The zero value is on its way.
type State uint8

// The states.
const (
	Sent       State = iota // taken from its sender; it waits, or is on a link
	Relayed                 // the next gateway or server has it
	Delivered               // its recipient has said so himself
	Expired                 // it waited for its whole lifetime
	LinkDown                // no link worked for longer than its lifetime
	TakenOut                // stream after stream broke on it
	TooBig                  // larger than the neighbour takes
	NoRoom                  // too much waits already
	Uncertain               // written to a neighbour that does not keep custody, and never confirmed
	NoAnswer                // a request that nobody answered in time
	Superseded              // something newer made it needless
	numStates
)

var stateWords = [numStates]string{
	"sent", "relayed", "delivered", "expired", "link-down", "taken-out", "too-big", "no-room", "uncertain", "no-answer", "superseded",
}

// String returns the word for records and the command line.
func (s State) String() string {
	if s >= numStates {
		return fmt.Sprintf("state(%d)", uint8(s))
	}
	return stateWords[s]
}

// ParseState is the inverse of State.String.
func ParseState(word string) (State, error) {
	for s := range numStates {
		if stateWords[s] == word {
			return s, nil
		}
	}
	return Sent, fmt.Errorf("no state of delivery %q", word)
}

// Answer is what the sender is told. The zero value is nothing.
type Answer struct {
	Cause peering.Cause // ByVerdict: nothing
	Told  peering.Told
}

// IsNothing reports that the sender is told nothing.
func (a Answer) IsNothing() bool { return a.Cause == peering.ByVerdict }

// To says what the sender of s is told in that state. peering.Engine.ReplyTold makes the error of it.
func To(s stanza.Stanza, state State) Answer {
	if state == NoAnswer {
		if s.IsRequest() {
			return Answer{peering.Undelivered, peering.ToldNoAnswer}
		}
		return Answer{}
	}
	a := answers[min(state, numStates-1)]
	if a.IsNothing() || !answered(s, state) {
		return Answer{}
	}
	if s.Type() == stanza.MessageGroupchat && state != LinkDown && a.Cause.RemovesOccupant() {
		a.Cause = keeping(state)
	}
	return a
}

// answers is the table of the package doc for messages to a person.
var answers = [numStates]Answer{
	Expired:   {peering.Expired, peering.ToldExpired},
	LinkDown:  {peering.Expired, peering.ToldLinkDown},
	TakenOut:  {peering.Undelivered, peering.ToldTakenOut},
	TooBig:    {peering.TooBig, peering.ToldTooBig},
	NoRoom:    {peering.Overloaded, peering.ToldNoRoom},
	Uncertain: {peering.Doubtful, peering.ToldUncertain},
}

// keeping is the cause for a room whose occupant is still there: one lost message must not throw him out (XEP-0045 §18.1.2).
func keeping(state State) peering.Cause {
	if state == TakenOut {
		return peering.TooBig // not to be sent again as it is
	}
	return peering.Overloaded
}

// answered reports whether anybody waits for word of s.
func answered(s stanza.Stanza, state State) bool {
	switch s.Type() {
	case stanza.MessageNormal, stanza.MessageChat, stanza.MessageGroupchat, stanza.MessageHeadline:
		_, _, worth := thin.Strip(thin.Thinnest(), s)
		return worth
	case stanza.PresenceSubscribe, stanza.PresenceSubscribed, stanza.PresenceUnsubscribe, stanza.PresenceUnsubscribed:
		return state != Uncertain // asking again does no harm, and servers do
	case stanza.IQGet, stanza.IQSet:
		return true
	default: // errors and answers must not be answered; who is told that presence failed stops sending it
		return false
	}
}

// Ended tells an end of lifetime from a link that never came back: expired is about the queue, link down about the way. downSince is
// when the last link of the peer went down, zero while any works.
func Ended(accepted, now, downSince time.Time) State {
	if downSince.IsZero() || now.Before(downSince) {
		return Expired
	}
	if lifetime := now.Sub(accepted); now.Sub(downSince) >= lifetime-lifetime/10 {
		return LinkDown // all of its life but a tenth
	}
	return Expired
}
