package admin

import (
	"context"
	"slices"
	"strconv"

	"sallyport/internal/role"
	"sallyport/internal/xmpp/form"
	"sallyport/internal/xmpp/jid"
	"sallyport/server/command"
)

func itoa(n int) string { return strconv.Itoa(n) }

// listPages are counts and lists of people (XEP-0133 §4.13 to §4.22).
func listPages() []page {
	var pages []page
	for _, l := range []struct {
		which       Which
		list, field string
	}{
		{Registered, "get-registered-users-list", "registereduserjids"},
		{Disabled, "get-disabled-users-list", "disableduserjids"},
		{Online, "get-online-users-list", "onlineuserjids"},
		{Active, "get-active-users", "activeuserjids"},
		{Idle, "get-idle-users", "idleuserjids"},
	} {
		w := string(l.which)
		pages = append(pages,
			page{node: Space + "#get-" + w + "-users-num", title: "Get Number of " + title(w) + " Users", verb: "user.list", run: number(l.which)},
			page{
				node: Space + "#" + l.list, title: "Get List of " + title(w) + " Users", verb: "user.list", run: listed(l.which, l.field),
				fields: []form.Field{{
					Var: "max_items", Type: listSingle, Label: "The most users to show", Options: []string{"25", "50", "75", "100", "150", "200", "none"}, Values: []string{"25"},
				}},
			})
	}
	return pages
}

func title(s string) string { return string(s[0]-'a'+'A') + s[1:] }

func number(which Which) func(context.Context, *call) (command.Result, error) {
	return func(ctx context.Context, c *call) (command.Result, error) {
		var l List
		if err := c.ask(ctx, "user.list", ListQuestion{Domain: c.domain.Domain(), Which: which}, &l); err != nil {
			return command.Result{}, err
		}
		return result(form.Field{Var: string(which) + "usersnum", Type: textSingle, Label: "The number of " + string(which) + " users", Values: []string{itoa(l.Count)}}), nil
	}
}

func listed(which Which, field string) func(context.Context, *call) (command.Result, error) {
	return func(ctx context.Context, c *call) (command.Result, error) {
		var l List
		if err := c.ask(ctx, "user.list", ListQuestion{Domain: c.domain.Domain(), Which: which, Limit: c.number("max_items", MaxList)}, &l); err != nil {
			return command.Result{}, err
		}
		r := result(form.Field{Var: field, Type: jidMulti, Label: "The " + string(which) + " users", Values: l.Users})
		if l.Count > len(l.Users) {
			r.Note = itoa(len(l.Users)) + " of " + itoa(l.Count)
		}
		return r, nil
	}
}

// serverPages are about the whole of a domain, and the node (XEP-0133 §4.11, §4.12, §4.23 to §4.31).
func serverPages() []page {
	day, hello := one("motd", textMulti, "Message of the day"), one("welcome", textMulti, "Welcome message")
	return []page{
		{
			node: Space + "#edit-blacklist", title: "Edit Blacklist", verb: "domain.blacklist", run: editList("domain.blacklist", "blacklistjids"), most: MaxListed,
			fields: []form.Field{optional("blacklistjids", jidMulti, "Domains and addresses that nobody here has to do with")},
			fill:   listNow(func(l *Lists) []string { return l.Blacklist }),
		},
		{
			node: Space + "#edit-whitelist", title: "Edit Whitelist", verb: "domain.whitelist", run: editList("domain.whitelist", "whitelistjids"), most: MaxListed,
			fields: []form.Field{optional("whitelistjids", jidMulti, "The only domains and addresses beyond this server that people here have to do with; empty: all that the policy lets")},
			fill:   listNow(func(l *Lists) []string { return l.Whitelist }),
		},
		{node: Space + "#announce", title: "Send Announcement to Online Users", verb: "announce", run: say("announce", "announcement"), fields: []form.Field{
			one("announcement", textMulti, "Announcement"),
		}},
		{node: Space + "#set-motd", title: "Set Message of the Day", verb: "motd.set", run: say("motd.set", "motd"), fields: []form.Field{day}},
		{node: Space + "#edit-motd", title: "Edit Message of the Day", verb: "motd.set", run: say("motd.set", "motd"), fields: []form.Field{day}, fill: saidNow("motd.show")},
		{node: Space + "#delete-motd", title: "Delete Message of the Day", verb: "motd.delete", run: unsay("motd.delete")},
		{node: Space + "#set-welcome", title: "Set Welcome Message", verb: "welcome.set", run: say("welcome.set", "welcome"), fields: []form.Field{hello}, fill: saidNow("welcome.show")},
		{node: Space + "#delete-welcome", title: "Delete Welcome Message", verb: "welcome.delete", run: unsay("welcome.delete")},
		{node: Space + "#edit-admin", title: "Edit Admin List", verb: "admin.set", run: editAdmins, fill: adminsNow, fields: []form.Field{
			optional("adminjids", jidMulti, "The administrators; those of the configuration stay"),
		}},
		{node: Space + "#restart", title: "Restart Service", verb: nodeRestart, run: ends(nodeRestart, "restarting"), fields: delayed("restarts")},
		{node: Space + "#shutdown", title: "Shut Down Service", verb: nodeStop, run: ends(nodeStop, "shutting down"), fields: delayed("shuts down")},
	}
}

// delayed is the form in front of what ends a node.
func delayed(what string) []form.Field {
	return []form.Field{
		{
			Var: "delay", Type: listSingle, Label: "Seconds before it " + what, Required: true,
			Options: []string{"0", "30", "60", "90", "120", "180", "240", "300"}, Values: []string{"30"},
		},
		optional("announcement", textMulti, "Announcement"),
	}
}

func say(verb, field string) func(context.Context, *call) (command.Result, error) {
	return func(ctx context.Context, c *call) (command.Result, error) {
		return c.do(ctx, verb, Text{Domain: c.domain.Domain(), Text: c.lines(field)}, "done")
	}
}

func unsay(verb string) func(context.Context, *call) (command.Result, error) {
	return func(ctx context.Context, c *call) (command.Result, error) {
		return c.do(ctx, verb, DomainQuestion{c.domain.Domain()}, "done")
	}
}

func saidNow(verb string) func(context.Context, *call, []form.Field) error {
	return func(ctx context.Context, c *call, fields []form.Field) error {
		var w Word
		err := c.ask(ctx, verb, DomainQuestion{c.domain.Domain()}, &w)
		fields[0].Values = split(w.Text)
		return err
	}
}

func adminsNow(ctx context.Context, c *call, fields []form.Field) error {
	var list []Administrator
	err := c.ask(ctx, "admin.list", DomainQuestion{c.domain.Domain()}, &list)
	for _, a := range list {
		fields[0].Values = append(fields[0].Values, a.User)
	}
	return err
}

// editAdmins makes those who are new administrators with all that can be given over XMPP, and takes it from those who are not in the form.
func editAdmins(ctx context.Context, c *call) (command.Result, error) {
	users, err := c.users("adminjids")
	if err != nil {
		return command.Result{}, err
	}
	for i, u := range users {
		if j, err := jid.Parse(u); err == nil {
			users[i] = j.Bare().String()
		}
	}
	return c.do(ctx, "admin.set", AdminsQuestion{Domain: c.domain.Domain(), Users: users, Role: role.Operate.String(), Exactly: true}, "changed")
}

func listNow(which func(*Lists) []string) func(context.Context, *call, []form.Field) error {
	return func(ctx context.Context, c *call, fields []form.Field) error {
		var l Lists
		err := c.ask(ctx, "domain.lists", DomainQuestion{c.domain.Domain()}, &l)
		fields[0].Values = which(&l)
		return err
	}
}

// editList makes a list what the form has.
func editList(verb, field string) func(context.Context, *call) (command.Result, error) {
	return func(ctx context.Context, c *call) (command.Result, error) {
		add := slices.DeleteFunc(c.form.Values(field), func(s string) bool { return s == "" })
		return c.do(ctx, verb, ListChange{Domain: c.domain.Domain(), Add: add, Exactly: true}, "changed")
	}
}

func ends(verb, note string) func(context.Context, *call) (command.Result, error) {
	return func(ctx context.Context, c *call) (command.Result, error) {
		return c.do(ctx, verb, Stop{Seconds: c.number("delay", 0), Text: c.lines("announcement"), Domain: c.domain.Domain()}, note)
	}
}
