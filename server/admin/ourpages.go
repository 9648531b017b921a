package admin

import (
	"context"
	"encoding/json"

	"sallyport/internal/xmpp/form"
	"sallyport/server/command"
)

// ourPages are commands that XEP-0133 does not have.
func ourPages() []page {
	return []page{
		{node: Ours + "#kick", title: "End sessions and say why", verb: "user.kick", run: kickUsers, fields: []form.Field{
			one("accountjids", jidMulti, "The accounts, or clients of them"), optional("reason", textSingle, "What they are told"),
		}},
		{node: Ours + "#roster-reset", title: "Reset the roster of a user", verb: "user.roster.reset", run: resetRoster, fields: []form.Field{
			one("accountjid", jidSingle, "The account whose contacts are all removed"),
		}},
		{node: Ours + "#peers", title: "Status of peers", verb: "peer.list", run: table("peer.list", "name", "side", "state", "streams", "queued")},
		{node: Ours + "#links", title: "Status of links", verb: "link.status", run: table("link.status", "name", "kind", "peer", "state", "waiting")},
	}
}

func kickUsers(ctx context.Context, c *call) (command.Result, error) {
	users, err := c.users("accountjids")
	if err != nil {
		return command.Result{}, err
	}
	var done Done
	if err := c.ask(ctx, "user.kick", Users{Users: users, Reason: c.form.Value("reason")}, &done); err != nil {
		return command.Result{}, err
	}
	return command.Result{Note: itoa(done.Count) + " ended"}, nil
}

func resetRoster(ctx context.Context, c *call) (command.Result, error) {
	user, err := c.user("accountjid")
	if err != nil {
		return command.Result{}, err
	}
	var done Done
	if err := c.ask(ctx, "user.roster.reset", User{User: user}, &done); err != nil {
		return command.Result{}, err
	}
	return command.Result{Note: itoa(done.Count) + " contacts removed"}, nil
}

// table shows some columns of what a verb of the gateway lists, which this package knows by their names alone.
func table(verb string, columns ...string) func(context.Context, *call) (command.Result, error) {
	return func(ctx context.Context, c *call) (command.Result, error) {
		var rows []map[string]json.RawMessage
		if err := c.ask(ctx, verb, struct{}{}, &rows); err != nil {
			return command.Result{}, err
		}
		f := form.Typed("result", Ours)
		for _, name := range columns {
			f.Reported = append(f.Reported, form.Field{Var: name, Type: textSingle, Label: name})
		}
		for _, row := range rows[:min(len(rows), MaxList)] {
			var item []form.Field
			for _, name := range columns {
				var text string
				if json.Unmarshal(row[name], &text) != nil {
					text = string(row[name]) // a number
				}
				item = append(item, form.One(name, text))
			}
			f.Items = append(f.Items, item)
		}
		return command.Result{Form: &f}, nil
	}
}
