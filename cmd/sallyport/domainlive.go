package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"sallyport/internal/xmpp/jid"
	"sallyport/server/admin"
)

func (a *app) userAdmin() *cobra.Command {
	return &cobra.Command{
		Use:   "admin (DOMAIN | USER ROLE)",
		Short: "Show or change who administers a domain with a client",
		Long: `Show who administers a domain with a client (XEP-0133), or give an account a
role in its domain: view, operate or none. Who has a role by server.admins in
the configuration keeps it. On the running node; to look needs the role view, to
change operate.`,
		Example: `  sallyport user admin chat.example
  sallyport user admin juliet@chat.example operate`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 2 {
				j, err := userAddress(args[0])
				if err != nil {
					return err
				}
				q := admin.AdminsQuestion{Domain: j.Domain(), Users: []string{j.String()}, Role: args[1]}
				return answered(a, cmd.Context(), "admin.set", q, func(done admin.Done) {
					if done.Note != "" {
						fmt.Fprintln(a.out, printable(done.Note))
						return
					}
					fmt.Fprintf(a.out, "%s has the role %s in its domain\n", j, args[1])
				})
			}
			return answered(a, cmd.Context(), "admin.list", admin.DomainQuestion{Domain: args[0]}, func(list []admin.Administrator) {
				if len(list) == 0 {
					fmt.Fprintln(a.out, "Nobody administers it with a client.")
					return
				}
				rows := [][]string{{"USER", "ROLE", "BY"}}
				for _, x := range list {
					by := "command"
					if x.Fixed {
						by = "configuration"
					}
					rows = append(rows, []string{printable(x.User), x.Role, by})
				}
				a.printTable(rows)
			})
		},
	}
}

func (a *app) domainAnnounce() *cobra.Command {
	return &cobra.Command{
		Use:   "announce DOMAIN TEXT",
		Short: "Tell everybody of a domain who is there something",
		Long: `Tell everybody of a domain who is there something, as a message of the domain.
It is judged like any other. Needs the role operate.`,
		Example: `  sallyport domain announce chat.example "The server ends in five minutes."`,
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return answered(a, cmd.Context(), "announce", admin.Text{Domain: args[0], Text: args[1]}, func(d admin.Done) {
				fmt.Fprintf(a.out, "Said to %s.\n", count(d.Count, "account"))
			})
		},
	}
}

// domainWord is what people are told when they come: motd or welcome.
func (a *app) domainWord(verb, short, long string) *cobra.Command {
	remove := false
	cmd := &cobra.Command{
		Use:   verb + " DOMAIN [TEXT]",
		Short: short,
		Long:  long + " Without\na text it is shown. To look needs the role view, to change operate.",
		Example: `  sallyport domain ` + verb + ` chat.example "Be quiet today."
  sallyport domain ` + verb + ` chat.example --remove`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			done := func(admin.Done) { fmt.Fprintln(a.out, "Done.") }
			switch {
			case remove && len(args) == 2:
				return fmt.Errorf("a text and --remove exclude each other")
			case remove:
				return answered(a, cmd.Context(), verb+".delete", admin.DomainQuestion{Domain: args[0]}, done)
			case len(args) == 2:
				return answered(a, cmd.Context(), verb+".set", admin.Text{Domain: args[0], Text: args[1]}, done)
			}
			return answered(a, cmd.Context(), verb+".show", admin.DomainQuestion{Domain: args[0]}, func(w admin.Word) {
				if w.Text == "" {
					fmt.Fprintln(a.out, "There is none.")
					return
				}
				fmt.Fprintln(a.out, printable(w.Text))
			})
		},
	}
	cmd.Flags().BoolVar(&remove, "remove", false, "tell it to nobody any more")
	return cmd
}

func (a *app) stopCommand() *cobra.Command {
	return a.ending("node.stop", "stop", &cobra.Command{
		Use:   "stop",
		Short: "Stop the running node in order",
		Long: `Stop the running node in order, as SIGTERM does. Where it serves clients, those
of a domain can be told first. Needs the role operate; the audit log says who
did it.`,
		Example: `  sallyport stop
  sallyport stop --after 5m --domain chat.example --say "In five minutes."`,
	})
}

func (a *app) restartCommand() *cobra.Command {
	return a.ending("node.restart", "restart", &cobra.Command{
		Use:   "restart",
		Short: "Stop the running node in order and start it again",
		Long: `Stop the running node in order and start it again, as the same process: with the
configuration and the program that are on disk then. Nobody who supervises it is
needed. Check the configuration before: one with errors does not start. Needs
the role operate; the audit log says who did it.`,
		Example: `  sallyport check -c /etc/sallyport/sallyport.toml && sallyport restart
  sallyport restart --after 5m --domain chat.example --say "Back in six."`,
	})
}

// ending has the node end after a while, and tells people first.
func (a *app) ending(verb, word string, cmd *cobra.Command) *cobra.Command {
	var after time.Duration
	var domain, said string
	cmd.Args = cobra.NoArgs
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if (domain == "") != (said == "") {
			return fmt.Errorf("--domain and --say belong together")
		}
		if _, err := jid.ParseDomain(domain); domain != "" && err != nil {
			return fmt.Errorf("%q is not a domain", domain)
		}
		q := admin.Stop{Seconds: int(after / time.Second), Text: said, Domain: domain}
		return answered(a, cmd.Context(), verb, q, func(admin.Done) {
			if q.Seconds > 0 {
				fmt.Fprintf(a.out, "It %ss in %s.\n", word, after.Truncate(time.Second))
				return
			}
			fmt.Fprintf(a.out, "It %ss now.\n", word)
		})
	}
	cmd.Flags().DurationVar(&after, "after", 0, "wait for `TIME` before")
	cmd.Flags().StringVar(&domain, "domain", "", "say something to those of `DOMAIN` first")
	cmd.Flags().StringVar(&said, "say", "", "`TEXT` that they are told")
	return cmd
}
