package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sallyport/server/admin"
)

// answered asks the running node, prints the answer as JSON where that is wanted, and else as show says.
func answered[A any](a *app, ctx context.Context, verb string, args any, show func(A)) error {
	var result A
	if err := a.ask(ctx, verb, args, &result); err != nil {
		return err
	}
	if a.json {
		return a.printJSON(result)
	}
	show(result)
	return nil
}

func (a *app) userSessions() *cobra.Command {
	return &cobra.Command{
		Use:   "sessions (USER | DOMAIN)",
		Short: "List the clients of an account or a domain that are connected",
		Long: `List the clients of an account or a domain that are connected to the running
node. Those whose connection is lost, and that may resume their session, are
among them. Needs the role view.`,
		Example: `  sallyport user sessions juliet@chat.example`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return answered(a, cmd.Context(), "user.sessions", admin.Of{Of: args[0]}, func(list []admin.Session) {
				if len(list) == 0 {
					fmt.Fprintln(a.out, "Nobody is connected.")
					return
				}
				rows := [][]string{{"CLIENT", "FROM", "FOR", "STATE"}}
				now := time.Now()
				for _, s := range list {
					rows = append(rows, []string{printable(s.Client), s.Address, ago(now, s.Since), stateOfSession(s)})
				}
				a.printTable(rows)
			})
		},
	}
}

func stateOfSession(s admin.Session) string {
	switch {
	case s.Lost:
		return "connection lost"
	case s.Active:
		return "active"
	case s.Available:
		return "idle"
	}
	return "not available"
}

func (a *app) userKick() *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use:   "kick (USER | CLIENT) ...",
		Short: "End the sessions of accounts, or of single clients",
		Long: `End the sessions of accounts, or of single clients where the address has a
resource. Who wants can log in again; disable keeps an account out. Needs the
role operate; the audit log says who did it.`,
		Example: `  sallyport user kick juliet@chat.example --reason "the certificates change"
  sallyport user kick juliet@chat.example/phone`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return answered(a, cmd.Context(), "user.kick", admin.Users{Users: args, Reason: reason}, func(d admin.Done) {
				fmt.Fprintf(a.out, "%s ended.\n", count(d.Count, "session"))
			})
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "`TEXT` that the clients are told")
	return cmd
}

func (a *app) userLast() *cobra.Command {
	return &cobra.Command{
		Use:   "last USER ...",
		Short: "Say when somebody was last there",
		Long: `Say since when the newest client of an account is connected, or when the account
was last seen. Needs the role view. Every login is in the audit log.`,
		Example: `  sallyport user last juliet@chat.example`,
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return answered(a, cmd.Context(), "user.last", admin.Users{Users: args}, func(list []admin.LastLogin) {
				for _, l := range list {
					switch {
					case l.Online:
						fmt.Fprintf(a.out, "%s is connected since %s\n", l.User, timeOf(l.At))
					case l.At.IsZero():
						fmt.Fprintf(a.out, "%s was never seen\n", l.User)
					default:
						fmt.Fprintf(a.out, "%s was last seen at %s\n", l.User, timeOf(l.At))
					}
				}
			})
		},
	}
}

func (a *app) userWho() *cobra.Command {
	which, limit := string(admin.Online), 200
	cmd := &cobra.Command{
		Use:   "who DOMAIN",
		Short: "Count and list the accounts of a domain that are there",
		Long: `Count and list the accounts of a domain that are there: online, of them active
or idle; or all that are registered or disabled. Needs the role view.`,
		Example: `  sallyport user who chat.example
  sallyport user who chat.example --which idle`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			q := admin.ListQuestion{Domain: args[0], Which: admin.Which(which), Limit: limit}
			return answered(a, cmd.Context(), "user.list", q, func(l admin.List) {
				fmt.Fprintf(a.out, "%s %s\n", count(l.Count, "account"), which)
				for _, u := range l.Users {
					fmt.Fprintln(a.out, printable(u))
				}
			})
		},
	}
	cmd.Flags().StringVar(&which, "which", which, "those who are `WHICH`")
	cmd.Flags().IntVar(&limit, "entries", limit, "list up to `N`")
	return cmd
}

func (a *app) userRoster() *cobra.Command {
	return &cobra.Command{
		Use:     "roster USER",
		Short:   "Show the contacts of an account",
		Long:    "Show the contacts of an account, on the running node. Needs the role view; the\naudit log says who looked.",
		Example: `  sallyport user roster juliet@chat.example`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return answered(a, cmd.Context(), "user.roster", admin.User{User: args[0]}, func(list []admin.Contact) {
				if len(list) == 0 {
					fmt.Fprintln(a.out, "The roster is empty.")
					return
				}
				rows := [][]string{{"CONTACT", "NAME", "SUBSCRIPTION", "GROUPS"}}
				for _, c := range list {
					subscription := c.Subscription
					if c.Ask {
						subscription += ", asked"
					}
					rows = append(rows, []string{printable(c.Contact), printable(c.Name), subscription, printable(strings.Join(c.Groups, ", "))})
				}
				a.printTable(rows)
			})
		},
	}
}

func (a *app) userResetRoster() *cobra.Command {
	return &cobra.Command{
		Use:   "reset-roster USER",
		Short: "Remove all contacts of an account",
		Long: `Remove all contacts of an account, as its own client would: subscriptions end on
both sides. Members of its groups come in again with its next login. Needs the
role operate.`,
		Example: `  sallyport user reset-roster juliet@chat.example`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return answered(a, cmd.Context(), "user.roster.reset", admin.User{User: args[0]}, func(d admin.Done) {
				fmt.Fprintf(a.out, "%s removed.\n", count(d.Count, "contact"))
			})
		},
	}
}
