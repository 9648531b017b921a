package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sallyport/internal/xmpp/jid"
	"sallyport/server/account"
	"sallyport/server/admin"
)

func (a *app) userCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "user",
		Short: "Keep the accounts of the server",
		Long: `Add, change and remove the accounts that clients log in to. What changes
something is done by the running node, needs the role operate there (clearance:
policy), is recorded in the audit log, and counts at once. Where no node runs,
the owner of its files does it without one, and it is recorded all the same.
list and show read the store that the configuration names; sessions, kick,
roster, reset-roster, last, who and admin need a running node.

Passwords are asked for, or read from the first line of the input; they are
never arguments. What is kept proves a password and does not contain it.`,
		Example: `  sallyport user add juliet@chat.example
  sallyport user list chat.example`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.userAdd(), a.userPasswd(),
		a.userState("disable", "Keep an account from logging in; its sessions end"),
		a.userState("enable", "Let an account log in again"),
		a.userRemove(), a.userList(), a.userShow(), a.userClearance(), a.userCatalogue(),
		a.userSessions(), a.userKick(), a.userRoster(), a.userResetRoster(), a.userLast(), a.userWho(), a.userAdmin())
	return cmd
}

// onUser opens the store for a command about one account.
func (a *app) onUser(cmd *cobra.Command, address string, do func(context.Context, *accounts, jid.JID) error) error {
	j, err := userAddress(address)
	if err != nil {
		return err
	}
	return a.withAccounts(cmd.Context(), func(ctx context.Context, x *accounts) error { return do(ctx, x, j) })
}

func (a *app) userAdd() *cobra.Command {
	var q admin.NewUser
	cmd := &cobra.Command{
		Use:   "add USER",
		Short: "Add an account",
		Long: `Add an account. Its domain is one of server.domains in the configuration, its
password is asked for, or read from the first line of the input. Names and an
e-mail address go into its vCard, which others can search.`,
		Example: `  sallyport user add juliet@chat.example
  pwgen 16 1 | tee paper | sallyport user add romeo@chat.example --surname M`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			j, err := userAddress(args[0])
			if err != nil {
				return err
			}
			if err := a.servedHere(j.Domain()); err != nil {
				return err
			}
			q.User = j.String()
			if q.Password, err = a.readPassword(); err != nil {
				return err
			}
			if err := a.change(cmd.Context(), "user.add", q); err != nil || a.json {
				return err
			}
			fmt.Fprintf(a.out, "%s can log in\n", j)
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVar(&q.Given, "given-name", "", "`NAME` for the vCard")
	f.StringVar(&q.Surname, "surname", "", "`NAME` for the vCard")
	f.StringVar(&q.Email, "email", "", "`ADDRESS` for the vCard")
	return cmd
}

func (a *app) userPasswd() *cobra.Command {
	return &cobra.Command{
		Use:     "passwd USER",
		Short:   "Give an account another password",
		Long:    "Give an account another password, asked for or read from the first line of the\ninput. The old one is not needed, and does not work any more.",
		Example: `  sallyport user passwd juliet@chat.example`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			j, err := userAddress(args[0])
			if err != nil {
				return err
			}
			password, err := a.readPassword()
			if err != nil {
				return err
			}
			return a.change(cmd.Context(), "user.password", admin.User{User: j.String(), Password: password})
		},
	}
}

func (a *app) userState(verb, short string) *cobra.Command {
	return &cobra.Command{
		Use:     verb + " USER ...",
		Short:   short,
		Long:    short + ".\nNothing of what is kept for it is touched.",
		Example: `  sallyport user ` + verb + ` juliet@chat.example`,
		Args:    cobra.MinimumNArgs(1),
		RunE:    a.toUsers("user." + verb),
	}
}

func (a *app) userRemove() *cobra.Command {
	return &cobra.Command{
		Use:   "remove USER ...",
		Short: "Remove an account with all that is kept for it",
		Long: `Remove an account with all that is kept for it, its membership of groups too.
There is no way back but a backup: disable keeps everything.`,
		Example: `  sallyport user remove juliet@chat.example`,
		Args:    cobra.MinimumNArgs(1),
		RunE:    a.toUsers("user.remove"),
	}
}

// toUsers has something done to the accounts of the command line.
func (a *app) toUsers(verb string) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		var q admin.Users
		for _, s := range args {
			j, err := userAddress(s)
			if err != nil {
				return err
			}
			q.Users = append(q.Users, j.String())
		}
		return a.change(cmd.Context(), verb, q)
	}
}

// userView is an account as it is shown; its credentials are not.
type userView struct {
	User      string    `json:"user"`
	State     string    `json:"state"`
	Clearance string    `json:"clearance,omitempty"`
	Catalogue string    `json:"catalogue,omitempty"`
	Passwords []string  `json:"password_hashes,omitempty"`
	Groups    []string  `json:"groups,omitempty"`
	Created   time.Time `json:"created"`
	Changed   time.Time `json:"changed"`
}

func viewOf(u *account.Account) userView {
	v := userView{
		User: u.JID.String(), State: u.State.String(), Clearance: u.Clearance, Catalogue: u.Catalogue,
		Created: u.Created, Changed: u.Changed,
	}
	for _, c := range u.Credentials {
		v.Passwords = append(v.Passwords, fmt.Sprintf("SCRAM-%s with %d iterations", c.Hash, c.Iterations))
	}
	return v
}

func (a *app) userList() *cobra.Command {
	var after string
	limit := account.MaxPage
	cmd := &cobra.Command{
		Use:   "list DOMAIN",
		Short: "List the accounts of a domain",
		Long:  fmt.Sprintf("List the accounts of a domain by name, up to %d at once.", account.MaxPage),
		Example: `  sallyport user list chat.example
  sallyport user list chat.example --after juliet --entries 50`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			domain, err := domainName(args[0])
			if err == nil && limit < 1 {
				err = errors.New("--entries is at least 1; sallyport domain list counts accounts")
			}
			if err != nil {
				return err
			}
			return a.withAccounts(cmd.Context(), func(ctx context.Context, x *accounts) error {
				all, err := x.Store.ListAccounts(ctx, domain, after, limit)
				if err != nil {
					return fmt.Errorf("list the accounts of %s: %w", domain, err)
				}
				return a.printUsers(domain, all, limit)
			})
		},
	}
	cmd.Flags().StringVar(&after, "after", "", "begin behind the account `NAME`")
	cmd.Flags().IntVar(&limit, "entries", limit, "list up to `N`")
	return cmd
}

func (a *app) printUsers(domain string, all []account.Account, limit int) error {
	if a.json {
		views := make([]userView, len(all))
		for i := range all {
			views[i] = viewOf(&all[i])
		}
		return a.printJSON(views)
	}
	if len(all) == 0 {
		fmt.Fprintf(a.out, "%s has no accounts.\n", domain)
		return nil
	}
	rows := [][]string{{"USER", "STATE", "CLEARANCE", "CREATED"}}
	for _, u := range all {
		rows = append(rows, []string{u.JID.String(), u.State.String(), u.Clearance, timeOf(u.Created)})
	}
	a.printTable(rows)
	if len(all) == min(limit, account.MaxPage) {
		fmt.Fprintf(a.out, "There may be more: --after %s\n", printable(all[len(all)-1].JID.Local()))
	}
	return nil
}

func (a *app) userShow() *cobra.Command {
	return &cobra.Command{
		Use:     "show USER",
		Short:   "Show an account",
		Long:    "Show an account, without anything that a password could be guessed from.",
		Example: `  sallyport user show juliet@chat.example`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.onUser(cmd, args[0], func(ctx context.Context, x *accounts, j jid.JID) error {
				u, err := x.Store.Account(ctx, j)
				if err != nil {
					return fmt.Errorf("%s: %w", j, err)
				}
				v := viewOf(&u)
				if v.Groups, err = x.Store.GroupsOf(ctx, j.Domain(), j); err != nil {
					return fmt.Errorf("groups of %s: %w", j, err)
				}
				if a.json {
					return a.printJSON(v)
				}
				a.printFacts([][]string{
					{"user", v.User},
					{"state", v.State},
					{"clearance", v.Clearance},
					{"catalogue", v.Catalogue},
					{"password", strings.Join(v.Passwords, ", ")},
					{"groups", strings.Join(v.Groups, ", ")},
					{"created", timeOf(v.Created)},
					{"changed", timeOf(v.Changed)},
				})
				return nil
			})
		},
	}
}

func (a *app) userClearance() *cobra.Command {
	return &cobra.Command{
		Use:   "clearance USER [NAME]",
		Short: "Say what an account is cleared for",
		Long: `Say what an account is cleared for: the name of a clearance under
server.clearance in the configuration. Without a name the account has none of
its own any more. It holds from the next stanza on. Needs the role policy.`,
		Example: `  sallyport user clearance juliet@chat.example staff`,
		Args:    cobra.RangeArgs(1, 2),
		RunE:    a.choose("user.clearance"),
	}
}

func (a *app) userCatalogue() *cobra.Command {
	return &cobra.Command{
		Use:   "catalogue USER [NAME]",
		Short: "Give an account a label catalogue of its own",
		Long: `Give an account a label catalogue of its own: the name of one under
server.catalogue in the configuration. Without a name it has that of everybody.`,
		Example: `  sallyport user catalogue juliet@chat.example staff`,
		Args:    cobra.RangeArgs(1, 2),
		RunE:    a.choose("user.catalogue"),
	}
}

// choose gives an account something that the configuration names.
func (a *app) choose(verb string) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		j, err := userAddress(args[0])
		if err != nil {
			return err
		}
		q := admin.Choice{User: j.String()}
		if len(args) > 1 {
			q.Name = args[1]
		}
		return a.change(cmd.Context(), verb, q)
	}
}
