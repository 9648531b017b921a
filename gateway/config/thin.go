package config

import "time"

// Thin says what is spared on the way to a peer behind links that are narrow or dear.
type Thin struct {
	// What becomes of presence. `folded`: availability alone is sent, without texts and priorities, and only when it says something new. `coarse`: so, and at most one change for each contact and `interval`, the latest. `off`: none. That somebody has gone is never lost, and rooms, subscriptions and presence to a single device always cross as they are.
	Presence ThinPresence `toml:"presence" enum:"all,folded,coarse,off"`
	// With `coarse`, how long a contact waits from one change to the next.
	Interval time.Duration `toml:"interval" min:"1s" max:"1d"`
	// Decorations that are cut from what is sent; what has nothing else is not sent, which is recorded as `folded`. Without `receipts` (XEP-0184) nobody hears that something was read or delivered, without `markers` (XEP-0333) nor how far; `chat-states` (XEP-0085) and `typing` (XEP-0022, XEP-0301) say that somebody writes; `xhtml` (XEP-0071) is cut where there is a plain text beside it; `avatars` are pictures and news of them.
	Strip []Decoration `toml:"strip" enum:"chat-states,receipts,markers,typing,xhtml,avatars"`
	// Leaves capabilities (XEP-0115) out of presence where they are what the same device said last.
	CapsOnce bool `toml:"caps-once"`
	// How a message in a room crosses that is for several occupants behind the peer: one copy for each, or `merged` into one with a list of them, which the gateway there hands out again. Needs links with custody, and `merge-window` in `[spool]`: for that long, a message in a room waits for its copies.
	Rooms ThinRooms `toml:"rooms" enum:"copies,merged"`
}

// ThinPresence is what becomes of presence.
type ThinPresence string

// The choices.
const (
	PresenceAll    ThinPresence = "all"
	PresenceFolded ThinPresence = "folded"
	PresenceCoarse ThinPresence = "coarse"
	PresenceOff    ThinPresence = "off"
)

// Decoration is something that a message is as good without.
type Decoration string

// The decorations.
const (
	ChatStates Decoration = "chat-states"
	Receipts   Decoration = "receipts"
	Markers    Decoration = "markers"
	Typing     Decoration = "typing"
	XHTML      Decoration = "xhtml"
	Avatars    Decoration = "avatars"
)

// ThinRooms is how messages in rooms cross.
type ThinRooms string

// The ways.
const (
	RoomCopies ThinRooms = "copies"
	RoomMerged ThinRooms = "merged"
)

// DefaultThin spares nothing.
func DefaultThin() Thin {
	return Thin{Presence: PresenceAll, Interval: 5 * time.Minute, Rooms: RoomCopies}
}

// IsNothing reports whether everything crosses as it is.
func (t *Thin) IsNothing() bool {
	return t.Presence == PresenceAll && len(t.Strip) == 0 && !t.CapsOnce && t.Rooms == RoomCopies
}
