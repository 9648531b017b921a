package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"sallyport/server/account"
	"sallyport/server/admin"
)

func (a *app) domainCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "domain",
		Short: "Look after the domains that have accounts here",
		Long: `Look after the domains that have accounts here. Which are served is said by
server.domains in the configuration; the store keeps what belongs to a domain
from its first account on, until it is removed.`,
		Example: `  sallyport domain list`,
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.domainList(), a.domainDNS(), a.domainRemove(), a.domainAnnounce(),
		a.domainOutsiders("blacklist", "Show or change who has nothing to do with a domain",
			"Show or change which others have nothing to do with the people of a domain.",
			func(l *admin.Lists) []string { return l.Blacklist }),
		a.domainOutsiders("whitelist", "Show or change who alone has to do with a domain",
			`Show or change which others alone have to do with the people of a domain. With
an empty list all do that the policy lets; other domains and components of the
node always do.`,
			func(l *admin.Lists) []string { return l.Whitelist }),
		a.domainWord("motd", "Show or change the message of the day", "What everybody of a domain is told once, when he comes next."),
		a.domainWord("welcome", "Show or change what new accounts are told", "What accounts that are made from now on are told when they come first."))
	return cmd
}

// domainView is a domain as it is shown.
type domainView struct {
	Domain   string `json:"domain"`
	Served   bool   `json:"served"`
	Accounts int64  `json:"accounts"`
	Groups   int64  `json:"groups"`
}

func (a *app) domainList() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List domains with their accounts",
		Long: `List the domains of the configuration, and those that are in the store. One that
is not served has accounts that nobody can log in to.`,
		Example: `  sallyport domain list`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withAccounts(cmd.Context(), func(ctx context.Context, x *accounts) error {
				views, err := x.domains(ctx)
				if err != nil {
					return fmt.Errorf("list domains: %w", err)
				}
				if a.json {
					return a.printJSON(views)
				}
				rows := [][]string{{"DOMAIN", "SERVED", "ACCOUNTS", "GROUPS"}}
				for _, v := range views {
					rows = append(rows, append([]string{v.Domain, yesNo(v.Served)}, numbers(v.Accounts, v.Groups)...))
				}
				a.printTable(rows)
				return nil
			})
		},
	}
}

// domains are those of the configuration and of the store, by name.
func (x *accounts) domains(ctx context.Context) ([]domainView, error) {
	var names []string
	for _, d := range x.server.Domains {
		names = append(names, string(d))
	}
	for after := ""; ; {
		stored, err := x.Store.ListDomains(ctx, after)
		if err != nil {
			return nil, err
		}
		for _, d := range stored {
			names, after = append(names, d.Name), d.Name
		}
		if len(stored) < account.MaxPage {
			break
		}
	}
	slices.Sort(names)
	views := []domainView{}
	for _, name := range slices.Compact(names) {
		accounts, groups, err := x.Store.CountAccounts(ctx, name)
		if err != nil {
			return nil, err
		}
		views = append(views, domainView{name, x.server.Serves(name), accounts, groups})
	}
	return views, nil
}

func (a *app) domainRemove() *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:   "remove DOMAIN",
		Short: "Remove all that is kept for a domain",
		Long: `Remove all that is kept for a domain that the configuration does not serve any
more. Without --with-accounts only a domain that has neither accounts nor groups
is removed. There is no way back but a backup.`,
		Example: `  sallyport domain remove old.example --with-accounts`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			domain, err := domainName(args[0])
			if err != nil {
				return err
			}
			return a.change(cmd.Context(), "domain.remove", admin.OldDomain{Domain: domain, WithAccounts: all})
		},
	}
	cmd.Flags().BoolVar(&all, "with-accounts", false, "also when it has accounts or groups")
	return cmd
}
