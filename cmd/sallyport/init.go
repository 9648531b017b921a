package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sallyport/gateway/config"
	"sallyport/gateway/newnode"
	"sallyport/internal/xmpp/jid"
	"sallyport/server/account"
	"sallyport/server/admin"
	"sallyport/server/store"
)

// systemTrust are files in which systems keep the CA certificates that they trust.
var systemTrust = []string{"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"}

// initWishes are the flags of init. What has a default and was not said is asked for, unless yes.
type initWishes struct {
	plan    newnode.Plan
	outside newnode.Outside
	users   []string
	chosen  map[jid.JID]string // passwords of users that were asked for before anything is written
	yes     bool
	given   func(flag string) bool
}

func (a *app) initCommand() *cobra.Command {
	w := &initWishes{}
	cmd := &cobra.Command{
		Use:   "init [DIR]",
		Short: "Make the configuration of a new server",
		Long: `Make a folder from which a new server can run: a configuration that says why,
a first security policy, certificates, and accounts. What the flags do not say
is asked for; --yes takes the defaults instead: all addresses of the machine
with the usual ports and, for other servers, its DNS and the CAs that it trusts.

Where --state lies elsewhere, its owner is who will run the server: run by root,
init gives him the key of the server.

Nothing that exists is changed: a second init adds what is missing. Passwords
are asked for, or with --yes read from the input, one line for each --user;
they are never arguments.`,
		Example: `  sallyport init
  sallyport init /etc/sallyport --domain chat.example --user juliet --user romeo
  sallyport init --domain chat.example --outside partner.example --yes`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir := "."
			if len(args) > 0 {
				dir = args[0]
			}
			w.given = cmd.Flags().Changed
			return a.initialise(cmd.Context(), dir, w)
		},
	}
	f := cmd.Flags()
	f.StringSliceVar(&w.plan.Domains, "domain", nil, "`DOMAIN` of the accounts")
	f.StringVar(&w.plan.Node, "name", "", "`NAME` of the node in logs")
	f.StringVar(&w.plan.State, "state", "", "`DIR` of what it keeps (default: state, beside)")
	f.StringVar(&w.plan.Side, "side", "inside", "`NAME` of the accounts' side")
	f.StringSliceVar(&w.plan.Listen, "listen", nil, "`ADDR` for clients with STARTTLS")
	f.StringSliceVar(&w.plan.ListenDirect, "listen-direct", nil, "`ADDR` for clients with direct TLS")
	f.BoolVar(&w.plan.Request, "csr", false, "also make a request to take to a CA")
	f.StringSliceVar(&w.users, "user", nil, "add the account `NAME`")
	f.StringSliceVar(&w.outside.Domains, "outside", nil, "`DOMAIN` elsewhere that is talked to")
	f.StringSliceVar(&w.outside.Route, "route", nil, "`HOST:PORT` of the server of these")
	f.StringSliceVar(&w.outside.Resolver, "resolver", nil, "`ADDR` of a DNS server that finds it")
	f.StringSliceVar(&w.outside.Listen, "listen-servers", nil, "`ADDR` for other servers")
	f.StringSliceVar(&w.outside.Trust, "trust", nil, "`FILE` of CAs that vouch for servers")
	f.BoolVar(&w.yes, "yes", false, "ask nothing")
	return cmd
}

func (a *app) initialise(ctx context.Context, dir string, w *initWishes) error {
	conf := filepath.Join(dir, newnode.ConfigFile)
	_, err := os.Stat(conf)
	fresh := errors.Is(err, os.ErrNotExist)
	if err == nil {
		err = w.follow(conf)
	} else if fresh {
		err = nil
	}
	if err != nil {
		return err
	}
	a.fresh = fresh
	if vain := w.inVain(fresh); len(vain) > 0 {
		fmt.Fprintf(a.err, "%s is there and stays as it is, whatever is said by %s: edit it.\n", printable(conf), strings.Join(vain, ", "))
	}
	q := a.newQuestions(w.yes)
	err = w.ask(q)
	if err == nil && fresh {
		err = w.choose(q)
	}
	if err != nil {
		return err
	}
	if w.plan.State != "" {
		if w.plan.State, err = filepath.Abs(w.plan.State); err != nil {
			return err
		}
	}
	for i, f := range w.outside.Trust { // paths in the configuration begin at its folder
		if fresh {
			err = newnode.CheckTrust(f)
		}
		if err == nil {
			w.outside.Trust[i], err = filepath.Abs(f)
		}
		if err != nil {
			return err
		}
	}
	w.plan.Now = time.Now()
	done, err := newnode.Write(dir, w.plan)
	rows := [][]string{}
	for _, d := range done {
		verb := "made"
		if d.Kept {
			verb = "kept"
		}
		rows = append(rows, []string{verb, printable(filepath.Join(dir, d.Path)), d.What})
	}
	if len(rows) > 0 {
		a.printTable(rows)
	}
	if err != nil {
		return err
	}
	if _, problems := config.Load(conf); problems.Failed() {
		return fmt.Errorf("the configuration does not load; correct it, or begin in another folder:\n%w", problems.Err())
	}
	a.config = conf
	if err := a.firstUsers(ctx, q, w); err != nil {
		return err
	}
	a.sayWhatNext(dir, conf, w)
	return nil
}

// follow takes what a configuration says that is there already: only what is missing beside it is made.
func (w *initWishes) follow(path string) error {
	s, err := config.LoadServer(path)
	if err != nil {
		return err
	}
	if len(w.plan.Domains) == 0 {
		for _, d := range s.Domains {
			w.plan.Domains = append(w.plan.Domains, string(d))
		}
	}
	w.yes = true // the questions have been answered
	return nil
}

// inVain are the flags that were given and say what a configuration that is there says already.
func (w *initWishes) inVain(fresh bool) (flags []string) {
	for _, f := range []string{"name", "domain", "side", "state", "listen", "listen-direct", "outside", "route", "resolver", "listen-servers", "trust"} {
		if !fresh && w.given(f) {
			flags = append(flags, "--"+f)
		}
	}
	return flags
}

// choose asks for passwords before anything is written, so that who gives up leaves nothing behind.
func (w *initWishes) choose(q *questions) error {
	w.chosen = make(map[jid.JID]string)
	if len(w.plan.Domains) == 0 {
		return nil // which is told
	}
	for _, name := range w.users {
		if err := w.goodUser(name); err != nil {
			return err
		}
	}
	for _, name := range w.users {
		j, err := w.account(name)
		if err != nil {
			return err
		}
		if _, twice := w.chosen[j]; twice {
			return fmt.Errorf("%s is named twice", j)
		}
		if w.chosen[j], err = q.password(j, passwordPolicy(config.DefaultServer())); err != nil {
			return err
		}
	}
	return nil
}

func passwordPolicy(s config.Server) account.Policy {
	return account.Policy{MinLength: s.Passwords.MinLength, Iterations: s.Passwords.Iterations}
}

// passwordPolicy is what the configuration wants of passwords.
func (a *app) passwordPolicy() (account.Policy, error) {
	server, err := config.LoadServer(a.config)
	if err != nil {
		return account.Policy{}, err
	}
	return passwordPolicy(*server), nil
}

// firstUsers adds accounts. Those there are keep their passwords.
func (a *app) firstUsers(ctx context.Context, q *questions, w *initWishes) error {
	for _, name := range w.users {
		j, err := w.account(name)
		if err != nil {
			return err
		}
		if err := a.servedHere(j.Domain()); err != nil {
			return err
		}
		there, policy := false, account.Policy{}
		err = a.withAccounts(ctx, func(ctx context.Context, x *accounts) error {
			_, err := x.Store.Account(ctx, j)
			there, policy = err == nil, x.Policy
			if errors.Is(err, account.ErrNotFound) {
				err = nil
			}
			return err
		})
		if errors.Is(err, store.ErrNone) {
			policy, err = a.passwordPolicy()
		}
		if err != nil {
			return err
		}
		if there {
			if _, chosen := w.chosen[j]; !chosen {
				q.skip()
			}
			fmt.Fprintf(a.out, "%s has an account already\n", j)
			continue
		}
		password, chosen := w.chosen[j]
		if !chosen {
			if password, err = q.password(j, policy); err != nil {
				return err
			}
		}
		if _, err := a.operate(ctx, "user.add", admin.NewUser{User: j.String(), Password: password}); err != nil {
			return err
		}
		fmt.Fprintf(a.out, "%s can log in\n", j)
	}
	return nil
}

// sayWhatNext tells what is left to do.
func (a *app) sayWhatNext(dir, conf string, w *initWishes) {
	conf = printable(conf)
	fmt.Fprintf(a.out, "\nNext:\n  sallyport check -c %s\n  sallyport run -c %s\n", conf, conf)
	if len(w.users) == 0 {
		fmt.Fprintf(a.out, "  sallyport user add -c %s NAME@%s\n", conf, w.plan.Domains[0])
	}
	fmt.Fprintf(a.out, "  sallyport domain dns -c %s   what others need to find it\n", conf)
	fmt.Fprintf(a.out, "Clients have to trust %s, unless you put a certificate of a CA that they know\ninto %s", printable(filepath.Join(dir, "certs/ca.pem")), printable(filepath.Join(dir, "certs/server.pem")))
	if w.plan.Request {
		fmt.Fprintf(a.out, ": %s is the request for it", printable(filepath.Join(dir, "certs/server.csr")))
	}
	fmt.Fprintln(a.out, ".")
}
