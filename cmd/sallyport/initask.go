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
	"strings"

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

// list is text for several, with spaces or commas between them; "none" is none.
func (q *questions) list(prompt string, def []string) ([]string, error) {
	shown := strings.Join(def, " ")
	if shown == "" {
		shown = "none"
	}
	answer, err := q.text(prompt, shown)
	if err != nil || answer == "none" {
		return nil, err
	}
	return strings.FieldsFunc(answer, func(r rune) bool { return r == ' ' || r == ',' }), nil
}

// password asks for that of a new account, twice on a terminal.
func (q *questions) password(who string) (string, error) {
	f, ok := q.a.in.(*os.File)
	if !ok || !isTerminal(f) {
		return passwordLine(q.in)
	}
	restore, err := hideInput(f)
	if err != nil {
		return "", fmt.Errorf("hide what is typed: %w", err)
	}
	defer restore()
	fmt.Fprintf(q.a.err, "Password of %s: ", who)
	first, err := passwordLine(q.in)
	fmt.Fprintln(q.a.err)
	if err != nil {
		return "", err
	}
	fmt.Fprint(q.a.err, "Once more: ")
	second, err := passwordLine(q.in)
	fmt.Fprintln(q.a.err)
	if err == nil && first != second {
		err = errors.New("the two passwords differ; nothing was changed")
	}
	return first, err
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
	for _, f := range []struct {
		flag, prompt string
		into         *[]string
		def          []string
	}{
		{"domain", "Domain of the accounts, such as chat.example", &w.plan.Domains, nil},
		{"listen", "Addresses where clients connect (STARTTLS)", &w.plan.Listen, []string{"0.0.0.0:5222"}},
		{"listen-direct", "Addresses where clients connect (TLS from the first byte)", &w.plan.ListenDirect, []string{"0.0.0.0:5223"}},
		{"user", "First accounts, such as juliet romeo", &w.users, nil},
		{"outside", "Domains elsewhere that they may talk to", &w.outside.Domains, nil},
	} {
		if w.given(f.flag) || len(*f.into) > 0 {
			continue
		}
		if *f.into, err = q.list(f.prompt, f.def); err != nil {
			return err
		}
	}
	if len(w.outside.Domains) == 0 {
		return nil
	}
	return w.askOutside(q)
}

func (w *initWishes) askOutside(q *questions) (err error) {
	o := &w.outside
	if !w.given("route") {
		if o.Route, err = q.list("Where their server is, as HOST:PORT (none: DNS is asked)", o.Route); err != nil {
			return err
		}
	}
	if len(o.Route) == 0 && len(o.Resolver) == 0 {
		if o.Resolver, err = q.list("DNS server to ask", systemResolver()); err != nil {
			return err
		}
	}
	if !w.given("listen-servers") {
		if o.Listen, err = q.list("Addresses where other servers connect", []string{"0.0.0.0:5269"}); err != nil {
			return err
		}
	}
	if len(o.Trust) == 0 {
		if o.Trust, err = q.list("File with the CA certificates that vouch for other servers", systemCAs()); err != nil {
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
