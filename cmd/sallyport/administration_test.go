package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"sallyport/gateway/control"
	"sallyport/internal/role"
	"sallyport/internal/xmpp/jid"
	"sallyport/server/admin"
)

// fixedAdministration answers what administrators ask of a server, in the shapes of its own table.
func fixedAdministration() []control.Verb {
	answers := map[string]any{
		"user.sessions": []admin.Session{
			{Client: "juliet@chat.example/desk", Address: "192.0.2.7", Since: at(3 * time.Hour), Available: true, Active: true},
			{Client: "juliet@chat.example/phone", Address: "192.0.2.8", Since: at(2 * time.Hour), Available: true},
			{Client: "juliet@chat.example/train", Since: at(time.Hour), Available: true, Lost: true},
		},
		"user.kick":         admin.Done{Count: 2},
		"user.last":         []admin.LastLogin{{User: "juliet@chat.example"}},
		"user.list":         admin.List{Count: 3, Users: []string{"juliet@chat.example", "romeo@chat.example"}},
		"user.roster":       []admin.Contact{{Contact: "romeo@far.example", Name: "Romeo", Subscription: "to", Ask: true, Groups: []string{"Friends"}}},
		"user.roster.reset": admin.Done{Count: 1},
		"admin.list":        []admin.Administrator{{User: "juliet@chat.example", Role: "operate", Fixed: true}, {User: "nurse@chat.example", Role: "view"}},
		"domain.lists":      admin.Lists{Blacklist: []string{"far.example", "nurse@near.example"}, Whitelist: []string{}},
		"motd.show":         admin.Word{Text: "Be quiet today."},
	}
	var list []control.Verb
	for _, op := range admin.New(admin.Config{Serves: func(string) bool { return true }, Named: func(jid.JID) role.Role { return role.None }}).List() {
		list = append(list, control.Verb{Name: op.Name, Role: role.View, Handle: func(_ context.Context, args json.RawMessage, _ control.Caller) (any, error) {
			subject := op.Subject(func(into any) error { return control.Decode(args, into) })
			if subject == "nobody@chat.example" {
				return nil, fmt.Errorf("%s: there is none of that name", subject)
			}
			if a, ok := answers[op.Name]; ok {
				return a, nil
			}
			return admin.Done{Count: 1}, nil
		}})
	}
	return list
}
