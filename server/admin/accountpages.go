package admin

import (
	"context"
	"strings"
	"time"

	"sallyport/internal/xmpp/form"
	"sallyport/internal/xmpp/stanza"
	"sallyport/internal/xmpp/tree"
	"sallyport/internal/xmpp/xmlstream"
	"sallyport/server/command"
)

// accountPages are about accounts (XEP-0133 §4.1 to §4.10).
func accountPages() []page {
	accounts := []form.Field{one("accountjids", jidMulti, "The accounts")}
	account := []form.Field{one("accountjid", jidSingle, "The account")}
	return []page{
		{node: Space + "#add-user", title: "Add User", verb: "user.add", run: addUser, fields: []form.Field{
			one("accountjid", jidSingle, "The account to add"), one("password", textPrivate, "Its password"),
			one("password-verify", textPrivate, "The password once more"), optional("email", textSingle, "E-mail address"),
			optional("given_name", textSingle, "Given name"), optional("surname", textSingle, "Family name"),
		}},
		{node: Space + "#delete-user", title: "Delete User", verb: "user.remove", run: toUsers("user.remove", "removed"), fields: accounts},
		{node: Space + "#disable-user", title: "Disable User", verb: "user.disable", run: toUsers("user.disable", "disabled"), fields: accounts},
		{node: Space + "#reenable-user", title: "Re-Enable User", verb: "user.enable", run: toUsers("user.enable", "enabled"), fields: accounts},
		{node: Space + "#end-user-session", title: "End User Session", verb: "user.kick", run: toUsers("user.kick", "ended"), fields: []form.Field{
			one("accountjids", jidMulti, "The accounts, or clients of them, whose sessions end"),
		}},
		never(Space+"#get-user-password", "Get User Password", "user.password", stanza.NotAllowed, "no password is kept, only what proves one"),
		{node: Space + "#change-user-password", title: "Change User Password", verb: "user.password", run: changePassword, fields: []form.Field{
			one("accountjid", jidSingle, "The account"), one("password", textPrivate, "Its new password"),
		}},
		{node: Space + "#get-user-roster", title: "Get User Roster", verb: "user.roster", run: showRoster, fields: anAccount("accountjids")},
		{node: Space + "#get-user-lastlogin", title: "Get User Last Login Time", verb: "user.last", run: lastLogin, fields: anAccount("accountjids")},
		{node: Space + "#user-stats", title: "Get User Statistics", verb: "user.stats", run: userStats, fields: account},
	}
}

// anAccount asks for one account in a field that could have several.
func anAccount(name string) []form.Field { return []form.Field{one(name, jidMulti, "The account")} }

func toUsers(verb, note string) func(context.Context, *call) (command.Result, error) {
	return func(ctx context.Context, c *call) (command.Result, error) {
		users, err := c.users("accountjids")
		if err != nil {
			return command.Result{}, err
		}
		return c.do(ctx, verb, Users{Users: users}, note)
	}
}

func addUser(ctx context.Context, c *call) (command.Result, error) {
	user, err := c.user("accountjid")
	if err != nil {
		return command.Result{}, err
	}
	if c.form.Value("password") != c.form.Value("password-verify") {
		return command.Result{}, wrong("the two passwords differ")
	}
	return c.do(ctx, "user.add", NewUser{
		User: user, Password: c.form.Value("password"),
		Email: c.form.Value("email"), Given: c.form.Value("given_name"), Surname: c.form.Value("surname"),
	}, "added")
}

func changePassword(ctx context.Context, c *call) (command.Result, error) {
	user, err := c.user("accountjid")
	if err != nil {
		return command.Result{}, err
	}
	return c.do(ctx, "user.password", User{User: user, Password: c.form.Value("password")}, "changed")
}

func showRoster(ctx context.Context, c *call) (command.Result, error) {
	user, err := c.user("accountjids")
	if err != nil {
		return command.Result{}, err
	}
	var contacts []Contact
	if err := c.ask(ctx, "user.roster", User{User: user}, &contacts); err != nil {
		return command.Result{}, err
	}
	const space = "jabber:iq:roster"
	var items []*xmlstream.Element
	for _, i := range contacts {
		ask := ""
		if i.Ask {
			ask = "subscribe"
		}
		var groups []*xmlstream.Element
		for _, g := range i.Groups {
			groups = append(groups, tree.New(space, "group", tree.Text(g)))
		}
		items = append(items, tree.New(space, "item", tree.Attr("ask", ask), tree.Attr("jid", i.Contact), tree.Attr("name", i.Name),
			tree.Attr("subscription", i.Subscription), tree.With(groups...)))
	}
	r := result(form.Field{Var: "accountjids", Type: jidMulti, Values: []string{user}})
	r.Form.More = tree.New(space, "query", tree.With(items...))
	return r, nil
}

func lastLogin(ctx context.Context, c *call) (command.Result, error) {
	user, err := c.user("accountjids")
	if err != nil {
		return command.Result{}, err
	}
	var last []LastLogin
	if err := c.ask(ctx, "user.last", Users{Users: []string{user}}, &last); err != nil {
		return command.Result{}, err
	}
	at := form.Field{Var: "lastlogin", Type: textSingle, Label: "Last login, or when he was last seen"}
	for _, l := range last {
		if !l.At.IsZero() {
			at.Values = []string{l.At.UTC().Format(time.RFC3339)}
		}
	}
	return result(form.Field{Var: "accountjids", Type: jidMulti, Values: []string{user}}, at), nil
}

func userStats(ctx context.Context, c *call) (command.Result, error) {
	user, err := c.user("accountjid")
	if err != nil {
		return command.Result{}, err
	}
	var s Stats
	if err := c.ask(ctx, "user.stats", User{User: user}, &s); err != nil {
		return command.Result{}, err
	}
	var addresses, resources []string
	for _, x := range s.Sessions {
		_, resource, _ := strings.Cut(x.Client, "/")
		resources = append(resources, resource)
		if x.Address != "" {
			addresses = append(addresses, x.Address)
		}
	}
	return result(
		form.Field{Var: "ipaddresses", Type: textMulti, Label: "Addresses of its clients", Values: addresses},
		form.Field{Var: "rostersize", Type: textSingle, Label: "Contacts", Values: []string{itoa(s.Contacts)}},
		form.Field{Var: "onlineresources", Type: textMulti, Label: "Its clients", Values: resources},
	), nil
}
