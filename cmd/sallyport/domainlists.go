package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"sallyport/server/admin"
)

// domainOutsiders is one list of who may, or may not, have to do with a domain from beyond the node: blacklist or whitelist.
func (a *app) domainOutsiders(list, short, long string, of func(*admin.Lists) []string) *cobra.Command {
	q := admin.ListChange{}
	empty := false
	cmd := &cobra.Command{
		Use:   list + " DOMAIN",
		Short: short,
		Long: long + `
An address stands for itself and all below it: a domain for everybody there.
What is refused by it is in the audit log. Lists take away from what the policy
lets cross, and never add to it. Without a flag the list is shown. To look needs
the role view, to change operate.`,
		Example: `  sallyport domain ` + list + ` chat.example
  sallyport domain ` + list + ` chat.example --add far.example --add bob@b.example
  sallyport domain ` + list + ` chat.example --remove far.example`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if q.Domain, err = domainName(args[0]); err != nil {
				return err
			}
			q.Exactly = empty
			switch changes := len(q.Add)+len(q.Remove) > 0; {
			case empty && changes:
				return errors.New("--empty goes with neither --add nor --remove")
			case empty, changes:
				done, err := a.operate(cmd.Context(), "domain."+list, q)
				if err == nil && !a.json {
					fmt.Fprintf(a.out, "%s on the list.\n", count(done.Count, "name"))
				}
				return err
			}
			return a.showOutsiders(cmd.Context(), q.Domain, of)
		},
	}
	cmd.Flags().StringArrayVar(&q.Add, "add", nil, "put `ADDRESS` on it (can be repeated)")
	cmd.Flags().StringArrayVar(&q.Remove, "remove", nil, "take `ADDRESS` off it (can be repeated)")
	cmd.Flags().BoolVar(&empty, "empty", false, "take all off it")
	return cmd
}

func (a *app) showOutsiders(ctx context.Context, domain string, of func(*admin.Lists) []string) error {
	const verb = "domain.lists"
	q := admin.DomainQuestion{Domain: domain}
	var lists admin.Lists
	if err := a.liveOrStopped(ctx, verb, q, &lists, func(ctx context.Context) error { return a.operateStopped(ctx, verb, q, &lists) }); err != nil {
		return err
	}
	list := of(&lists)
	if a.json {
		return a.printJSON(list)
	}
	if len(list) == 0 {
		fmt.Fprintln(a.out, "Nobody is on it.")
	}
	for _, who := range list {
		fmt.Fprintln(a.out, printable(who))
	}
	return nil
}
