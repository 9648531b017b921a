package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"sallyport/server/account"
	"sallyport/server/admin"
)

func (a *app) groupCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "group",
		Short: "Keep groups of accounts",
		Long: `Keep groups of accounts, as explicit lists. A member may be of another domain.
Changes are done and recorded as those of accounts are: see
sallyport user --help.`,
		Example: `  sallyport group add chat.example crew --title "The crew"
  sallyport group join chat.example crew juliet@chat.example romeo@chat.example`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.groupAdd(), a.groupRemove(), a.groupList(), a.groupShow(), a.groupTitle(),
		a.groupMembers("join", "Make accounts members of a group"), a.groupMembers("leave", "Take members out of a group"))
	return cmd
}

// toGroup has something done to the group that the first two arguments name.
func (a *app) toGroup(cmd *cobra.Command, verb string, args []string, q admin.GroupQuestion) error {
	var err error
	if q.Domain, err = domainName(args[0]); err != nil {
		return err
	}
	q.Name = args[1]
	return a.change(cmd.Context(), verb, q)
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
			return a.toGroup(cmd, "group.add", args, admin.GroupQuestion{Title: title})
		},
	}
	cmd.Flags().StringVar(&title, "title", "", "`TEXT` that rosters show (default: the name)")
	return cmd
}

func (a *app) groupTitle() *cobra.Command {
	return &cobra.Command{
		Use:   "title DOMAIN NAME TEXT",
		Short: "Change what rosters show for a group",
		Long: `Change what rosters show for a group, where its members come in from then on:
a contact that is in a roster already is its owner's, and stays where it is. An
empty text stands for its name.`,
		Example: `  sallyport group title chat.example crew "The crew"`,
		Args:    cobra.ExactArgs(3),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.toGroup(cmd, "group.title", args, admin.GroupQuestion{Title: args[2]})
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
			return a.toGroup(cmd, "group.remove", args, admin.GroupQuestion{})
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
	if len(all) == account.MaxPage {
		fmt.Fprintf(a.out, "There may be more: --after %q\n", all[len(all)-1].Name)
	}
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
			domain, err := domainName(args[0])
			if err != nil {
				return err
			}
			name := args[1]
			return a.withAccounts(cmd.Context(), func(ctx context.Context, x *accounts) error {
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

func (a *app) groupMembers(verb, short string) *cobra.Command {
	return &cobra.Command{
		Use:   verb + " DOMAIN NAME USER...",
		Short: short,
		Long: short + `. Whoever is what he should be already stays so.
Members are in each other's rosters, those who are connected to a running node
at once. Who leaves stays in the rosters in which he is.`,
		Example: `  sallyport group ` + verb + ` chat.example crew juliet@chat.example`,
		Args:    cobra.MinimumNArgs(3),
		RunE: func(cmd *cobra.Command, args []string) error {
			var q admin.GroupQuestion
			for _, s := range args[2:] {
				j, err := userAddress(s)
				if err != nil {
					return err
				}
				q.Users = append(q.Users, j.String())
			}
			return a.toGroup(cmd, "group."+verb, args, q)
		},
	}
}
