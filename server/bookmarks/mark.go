package bookmarks

import (
	"cmp"
	"maps"
	"slices"

	"sallyport/internal/xmpp/form"
	"sallyport/internal/xmpp/jid"
	"sallyport/internal/xmpp/tree"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/server/pep"
)

// Namespaces, which are names of nodes too.
const (
	native = "urn:xmpp:bookmarks:1"
	legacy = "storage:bookmarks"
)

// mark is one room, as every form has it.
type mark struct {
	room                 jid.JID
	name, nick, password string
	join                 bool
}

// read reads the element of either form, whose children are in its namespace.
func read(room jid.JID, e *xmlstream.Element) mark {
	m := mark{room: room, name: tree.Value(e, "name")}
	m.join, _ = form.Bool(tree.Value(e, "autojoin"))
	for into, local := range map[*string]string{&m.nick: "nick", &m.password: "password"} {
		if c := e.Child(e.Space(), local); c != nil {
			*into = c.Text()
		}
	}
	return m
}

// element writes either form; more is what else it has.
func (m *mark) element(space string, more ...*xmlstream.Element) *xmlstream.Element {
	join, room := "", ""
	if m.join {
		join = "true"
	}
	if space == legacy {
		room = m.room.String()
	}
	var in []*xmlstream.Element
	for _, c := range [][2]string{{"nick", m.nick}, {"password", m.password}} {
		if c[1] != "" {
			in = append(in, tree.New(space, c[0], tree.Text(c[1])))
		}
	}
	return tree.New(space, "conference", tree.Attr("autojoin", join), tree.Attr("jid", room), tree.Attr("name", m.name), tree.With(append(in, more...)...))
}

// ofItems reads published items, by room. Whatever else is in the node is not for us.
func ofItems(items []pep.KeptItem) map[jid.JID]mark {
	all := make(map[jid.JID]mark)
	for _, i := range items {
		room, err := jid.Parse(i.ID)
		if err != nil || room.String() != i.ID || !i.Payload.Is(native, "conference") {
			continue
		}
		all[room] = read(room, i.Payload)
	}
	return all
}

// ofList reads an older form, by room; the first of two counts.
func ofList(storage *xmlstream.Element) map[jid.JID]mark {
	all := make(map[jid.JID]mark)
	if storage == nil {
		return all
	}
	for c := range storage.Children() {
		if !c.Is(legacy, "conference") {
			continue
		}
		room, err := jid.Parse(tree.Value(c, "jid"))
		if _, known := all[room]; err != nil || known {
			continue
		}
		all[room] = read(room, c)
	}
	return all
}

// ordered are the rooms by address.
func ordered(marks map[jid.JID]mark) []jid.JID {
	return slices.SortedFunc(maps.Keys(marks), func(a, b jid.JID) int { return cmp.Compare(a.String(), b.String()) })
}

// list writes an older form: these rooms, by address, and what else was in the one before.
func list(marks map[jid.JID]mark, before *xmlstream.Element) *xmlstream.Element {
	var in []*xmlstream.Element
	for _, room := range ordered(marks) {
		m := marks[room]
		in = append(in, m.element(legacy))
	}
	if before != nil {
		for c := range before.Children() {
			if !c.Is(legacy, "conference") {
				in = append(in, c)
			}
		}
	}
	return tree.New(legacy, "storage", tree.With(in...))
}
