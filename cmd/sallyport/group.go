package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"sallyport/internal/xmpp/jid"
	"sallyport/server/account"
)

func (a *app) groupCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "group",
		Short: "Keep groups of accounts",
		Long: `Keep groups of accounts, as explicit lists. A member may be of another domain.
The commands work on the store that the configuration names, whether a node runs
or not.`,
		Example: `  sallyport group add chat.example crew --title "The crew"
  sallyport group join chat.example crew juliet@chat.example romeo@chat.example`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.groupAdd(), a.groupRemove(), a.groupList(), a.groupShow(), a.groupTitle(),
		a.groupMembers("join", "Make accounts members of a group", join),
		a.groupMembers("leave", "Take members out of a group", leave))
	return cmd
}

// groupName bounds what stands in tables and rosters.
func groupName(s string) (string, error) {
	if s == "" || len(s) > 128 || printable(s) != s || strings.TrimSpace(s) != s || strings.Contains(s, "\n") {
		return "", fmt.Errorf("%q is not the name of a group: up to 128 bytes of text without spaces around it", s)
	}
	return s, nil
}

// onGroup opens the store for a command about one group.
func (a *app) onGroup(cmd *cobra.Command, args []string, do func(ctx context.Context, x *accounts, domain, name string) error) error {
	domain, err := domainName(args[0])
	if err != nil {
		return err
	}
	name, err := groupName(args[1])
	if err != nil {
		return err
	}
	return a.withAccounts(cmd.Context(), func(ctx context.Context, x *accounts) error { return do(ctx, x, domain, name) })
}

func (a *app) groupAdd() *cobra.Command {
	var title string
	cmd := &cobra.Command{
		Use:     "add DOMAIN NAME",
		Short:   "Add an empty group",
		Long:    "Add an empty group to a domain.",
		Example: `  sallyport group add chat.example crew --title "The crew"`,
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.onGroup(cmd, args, func(ctx context.Context, x *accounts, domain, name string) error {
				if err := x.served(domain); err != nil {
					return err
				}
				return x.AddGroup(ctx, domain, name, title)
			})
		},
	}
	cmd.Flags().StringVar(&title, "title", "", "`TEXT` that rosters show (default: the name)")
	return cmd
}

func (a *app) groupTitle() *cobra.Command {
	return &cobra.Command{
		Use:     "title DOMAIN NAME TEXT",
		Short:   "Change what rosters show for a group",
		Long:    "Change what rosters show for a group. An empty text stands for its name.",
		Example: `  sallyport group title chat.example crew "The crew"`,
		Args:    cobra.ExactArgs(3),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.onGroup(cmd, args, func(ctx context.Context, x *accounts, domain, name string) error {
				return x.ChangeGroup(ctx, domain, name, func(g *account.Group) error {
					g.Title = args[2]
					return nil
				})
			})
		},
	}
}

func (a *app) groupRemove() *cobra.Command {
	return &cobra.Command{
		Use:     "remove DOMAIN NAME",
		Short:   "Remove a group",
		Long:    "Remove a group. Its members stay.",
		Example: `  sallyport group remove chat.example crew`,
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.onGroup(cmd, args, func(ctx context.Context, x *accounts, domain, name string) error {
				if err := x.Store.RemoveGroup(ctx, domain, name); err != nil {
					return fmt.Errorf("group %q of %s: %w", name, domain, err)
				}
				return nil
			})
		},
	}
}

func (a *app) groupList() *cobra.Command {
	var after string
	cmd := &cobra.Command{
		Use:     "list DOMAIN",
		Short:   "List the groups of a domain",
		Long:    fmt.Sprintf("List the groups of a domain by name, up to %d at once.", account.MaxPage),
		Example: `  sallyport group list chat.example`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			domain, err := domainName(args[0])
			if err != nil {
				return err
			}
			return a.withAccounts(cmd.Context(), func(ctx context.Context, x *accounts) error {
				all, err := x.Store.ListGroups(ctx, domain, after, account.MaxPage)
				if err != nil {
					return fmt.Errorf("list the groups of %s: %w", domain, err)
				}
				return a.printGroups(domain, all)
			})
		},
	}
	cmd.Flags().StringVar(&after, "after", "", "begin behind the group `NAME`")
	return cmd
}

// groupView is a group as it is shown.
type groupView struct {
	Domain  string   `json:"domain"`
	Name    string   `json:"name"`
	Title   string   `json:"title,omitempty"`
	Members []string `json:"members,omitempty"`
}

func (a *app) printGroups(domain string, all []account.Group) error {
	if a.json {
		views := make([]groupView, len(all))
		for i, g := range all {
			views[i] = groupView{Domain: g.Domain, Name: g.Name, Title: g.Title}
		}
		return a.printJSON(views)
	}
	if len(all) == 0 {
		fmt.Fprintf(a.out, "%s has no groups.\n", domain)
		return nil
	}
	rows := [][]string{{"GROUP", "TITLE"}}
	for _, g := range all {
		rows = append(rows, []string{g.Name, g.Title})
	}
	a.printTable(rows)
	return nil
}

func (a *app) groupShow() *cobra.Command {
	return &cobra.Command{
		Use:     "show DOMAIN NAME",
		Short:   "Show a group with its members",
		Long:    "Show a group with its members.",
		Example: `  sallyport group show chat.example crew`,
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.onGroup(cmd, args, func(ctx context.Context, x *accounts, domain, name string) error {
				g, err := x.Store.Group(ctx, domain, name)
				if err != nil {
					return fmt.Errorf("group %q of %s: %w", name, domain, err)
				}
				v := groupView{Domain: domain, Name: name, Title: g.Title}
				for _, m := range g.Members {
					v.Members = append(v.Members, m.String())
				}
				if a.json {
					return a.printJSON(v)
				}
				a.printFacts([][]string{
					{"group", name + " of " + domain},
					{"title", g.Title},
					{"members", fmt.Sprintf("%d: %s", len(v.Members), strings.Join(v.Members, " "))},
				})
				return nil
			})
		},
	}
}

func (a *app) groupMembers(use, short string, change func(g *account.Group, members []jid.JID)) *cobra.Command {
	return &cobra.Command{
		Use:   use + " DOMAIN NAME USER...",
		Short: short,
		Long: short + `. Whoever is what he should be already stays so.
Members are in each other's rosters, those who are connected to a running node at
once. Who leaves stays in the rosters in which he is.`,
		Example: `  sallyport group ` + use + ` chat.example crew juliet@chat.example`,
		Args:    cobra.MinimumNArgs(3),
		RunE: func(cmd *cobra.Command, args []string) error {
			var members []jid.JID
			for _, s := range args[2:] {
				j, err := userAddress(s)
				if err != nil {
					return err
				}
				members = append(members, j)
			}
			return a.onGroup(cmd, args, func(ctx context.Context, x *accounts, domain, name string) error {
				err := x.ChangeGroup(ctx, domain, name, func(g *account.Group) error {
					change(g, members)
					return nil
				})
				if err == nil {
					a.regroup(ctx, domain)
				}
				return err
			})
		},
	}
}

func join(g *account.Group, members []jid.JID) {
	for _, m := range members {
		if !slices.Contains(g.Members, m) {
			g.Members = append(g.Members, m)
		}
	}
}

func leave(g *account.Group, members []jid.JID) {
	g.Members = slices.DeleteFunc(g.Members, func(m jid.JID) bool { return slices.Contains(members, m) })
}
