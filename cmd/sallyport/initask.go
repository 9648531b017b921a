package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"

	"sallyport/gateway/newnode"
	"sallyport/internal/xmpp/jid"
	"sallyport/server/account"
)

// questions asks on a terminal, or takes lines of the input for answers.
type questions struct {
	a     *app
	in    *bufio.Reader
	quiet bool // nothing is asked but passwords
}

// maxAnswer bounds one line.
const maxAnswer = 4096

func (a *app) newQuestions(quiet bool) *questions {
	return &questions{a: a, in: bufio.NewReaderSize(a.in, max(maxAnswer, 2*account.MaxPasswordBytes)), quiet: quiet}
}

// text asks for a line; an empty one is the default.
func (q *questions) text(prompt, def string) (string, error) {
	if q.quiet {
		return def, nil
	}
	if def != "" {
		prompt += " [" + def + "]"
	}
	fmt.Fprint(q.a.out, prompt+": ")
	line, err := q.in.ReadSlice('\n')
	if q.terminal() == nil {
		fmt.Fprintln(q.a.out) // as whoever types would have
	}
	switch {
	case errors.Is(err, io.EOF) && len(line) == 0:
		return "", errors.New("the answers end here; use flags and --yes to ask nothing")
	case err != nil && !errors.Is(err, io.EOF):
		return "", fmt.Errorf("read the answer: %w", err)
	}
	if answer := strings.TrimSpace(string(line)); answer != "" {
		return answer, nil
	}
	return def, nil
}

// list is text for several, with spaces or commas between them; "none" is none. On a terminal it asks again until each is good.
func (q *questions) list(prompt string, def []string, good func(string) error) ([]string, error) {
	shown := strings.Join(def, " ")
	if shown == "" && !q.needed(prompt) {
		shown = "none"
	}
	for {
		answer, err := q.text(prompt, shown)
		if err != nil || answer == "none" {
			return nil, err
		}
		list := strings.FieldsFunc(answer, func(r rune) bool { return r == ' ' || r == ',' })
		var wrong []error
		for i, s := range list {
			if wrong = append(wrong, good(s)); slices.Contains(list[:i], s) {
				wrong = append(wrong, fmt.Errorf("%q is there twice", s))
			}
		}
		if len(list) == 0 {
			wrong = append(wrong, errors.New("one is needed"))
		}
		err = errors.Join(wrong...)
		if err == nil || q.quiet || q.terminal() == nil {
			return list, err
		}
		fmt.Fprintln(q.a.out, indented(err.Error()))
	}
}

// domainPrompt asks for what has no default.
const domainPrompt = "Domain of the accounts, such as chat.example"

func (q *questions) needed(prompt string) bool { return prompt == domainPrompt && !q.quiet }

func indented(s string) string { return "  " + strings.ReplaceAll(printable(s), "\n", "\n  ") }

// terminal is where somebody sits, nil where the answers come otherwise.
func (q *questions) terminal() *os.File {
	if f, ok := q.a.in.(*os.File); ok && isTerminal(f) {
		return f
	}
	return nil
}

// passwordTries is how often somebody at a terminal is asked.
const passwordTries = 5

// password asks for that of a new account, twice on a terminal, and again while it cannot be used.
func (q *questions) password(who jid.JID, policy account.Policy) (string, error) {
	f := q.terminal()
	if f == nil {
		line, err := passwordLine(q.in)
		if err == nil {
			err = policy.Check(who, line)
		}
		if err != nil {
			return "", fmt.Errorf("password of %s: %w", who, err)
		}
		return line, nil
	}
	for range passwordTries {
		first, err := q.a.typedTwice(f, q.in, "Password of "+who.String()+", at least "+strconv.Itoa(policy.MinLength)+" characters: ")
		if err == nil {
			err = policy.Check(who, first)
		}
		if err == nil || !errors.Is(err, errDiffer) && !errors.Is(err, account.ErrPassword) {
			return first, err
		}
		fmt.Fprintln(q.a.err, indented(err.Error()))
	}
	return "", errors.New("no password was given that can be used; give one with sallyport user add")
}

// skip passes over the line of an account that has its password: the next one is not given it.
func (q *questions) skip() {
	if q.terminal() == nil {
		_, _ = passwordLine(q.in) // whoever needs a line that is not there says so
	}
}

// ask completes the wishes.
func (w *initWishes) ask(q *questions) error {
	host, err := os.Hostname()
	if err != nil {
		host = "node1"
	}
	if w.plan.Node == "" {
		w.plan.Node, _, _ = strings.Cut(host, ".")
	}
	if q.terminal() != nil && !q.quiet {
		fmt.Fprintln(q.a.out, "Enter takes what stands in brackets. Nothing is written before the last answer.")
	}
	listening := func(s string) error {
		return errors.Join(newnode.CheckAddress(s), newnode.CheckFree(s, w.plan.Listen))
	}
	for _, f := range []struct {
		flag, prompt string
		into         *[]string
		def          []string
		good         func(string) error
	}{
		{"domain", domainPrompt, &w.plan.Domains, nil, newnode.CheckDomain},
		{"listen", "Addresses where clients connect (STARTTLS)", &w.plan.Listen, []string{"0.0.0.0:5222"}, newnode.CheckAddress},
		{"listen-direct", "Addresses where clients connect (TLS from the first byte)", &w.plan.ListenDirect, []string{"0.0.0.0:5223"}, listening},
		{"user", "First accounts, such as juliet romeo", &w.users, nil, w.goodUser},
		{"outside", "Domains elsewhere that they may talk to", &w.outside.Domains, nil, func(s string) error { return newnode.CheckOutside(s, w.plan.Domains) }},
	} {
		if w.given(f.flag) || len(*f.into) > 0 {
			continue
		}
		if *f.into, err = q.list(f.prompt, f.def, f.good); err != nil {
			return err
		}
	}
	if len(w.outside.Domains) == 0 {
		return nil
	}
	return w.askOutside(q)
}

// account is the address of a first account: of the first domain where it names none.
func (w *initWishes) account(name string) (jid.JID, error) {
	if !strings.Contains(name, "@") && len(w.plan.Domains) > 0 {
		name += "@" + w.plan.Domains[0]
	}
	return userAddress(name)
}

func (w *initWishes) goodUser(name string) error {
	j, err := w.account(name)
	if err != nil || len(w.plan.Domains) == 0 {
		return err
	}
	for _, d := range w.plan.Domains {
		if other, err := jid.ParseDomain(d); err == nil && other == j.DomainJID() {
			return nil
		}
	}
	return fmt.Errorf("%s has no accounts here", j.Domain())
}

func (w *initWishes) askOutside(q *questions) (err error) {
	o := &w.outside
	if !w.given("route") {
		if o.Route, err = q.list("Where their server is, as HOST:PORT (none: DNS is asked)", o.Route, newnode.CheckRoute); err != nil {
			return err
		}
	}
	if newnode.NeedsResolver(o.Route) && len(o.Resolver) == 0 {
		if o.Resolver, err = q.list("DNS server to ask", systemResolver(), newnode.CheckAddress); err != nil {
			return err
		}
	}
	if !w.given("listen-servers") {
		free := func(s string) error {
			return errors.Join(newnode.CheckAddress(s), newnode.CheckFree(s, slices.Concat(w.plan.Listen, w.plan.ListenDirect)))
		}
		if o.Listen, err = q.list("Addresses where other servers connect", []string{"0.0.0.0:5269"}, free); err != nil {
			return err
		}
	}
	if len(o.Trust) == 0 {
		if o.Trust, err = q.list("File with the CA certificates that vouch for other servers", systemCAs(), newnode.CheckTrust); err != nil {
			return err
		}
	}
	w.plan.Outside = o
	return nil
}

func systemCAs() []string {
	for _, f := range systemTrust {
		if _, err := os.Stat(f); err == nil {
			return []string{f}
		}
	}
	return nil
}

// systemResolver is the first DNS server of this machine.
func systemResolver() []string {
	b, err := os.ReadFile("/etc/resolv.conf")
	if err != nil {
		return nil
	}
	for line := range bytes.Lines(b) {
		f := strings.Fields(string(line))
		if len(f) < 2 || f[0] != "nameserver" {
			continue
		}
		if addr, err := netip.ParseAddr(f[1]); err == nil {
			return []string{net.JoinHostPort(addr.String(), "53")}
		}
	}
	return nil
}
