package newnode

import (
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"sallyport/internal/xmpp/jid"
)

// Plan says what a node is to be.
type Plan struct {
	Node         string   // its name
	Domains      []string // that have accounts
	Side         string   // that the accounts are on
	State        string   // absolute path of the folder for accounts, audit log and keys ["state" beside the configuration]
	Listen       []string // addresses where clients connect, with STARTTLS
	ListenDirect []string // and with TLS from the first byte
	Outside      *Outside // nil: no other server is talked to
	Request      bool     // also makes a request for a certificate, to take to a CA
	Now          time.Time
}

// Outside is who is talked to beside the accounts.
type Outside struct {
	Domains  []string // "a.example", or "*.a.example" for all below it
	Route    []string // HOST:PORT where to connect; none: Resolver finds them
	Resolver []string // address and port of a DNS server; needed where Route has names
	Listen   []string // addresses where other servers connect
	Trust    []string // files with CA certificates
}

// pathForm is what can stand between quotes as it is.
var pathForm = regexp.MustCompile(`^[^"\\\x00-\x1f\x7f]+$`)

var nameForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// outsideName is what the other side and its peer are called.
const outsideName = "outside"

// check brings a plan into its canonical form, or says everything that is wrong with it.
func (p *Plan) check() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if !nameForm.MatchString(p.Node) {
		bad("%q is not a name for a node: up to 64 letters, digits, dots, dashes and underscores", p.Node)
	}
	if !nameForm.MatchString(p.Side) || p.Side == outsideName {
		bad("%q is not a name for the side of the accounts", p.Side)
	}
	if len(p.Domains) == 0 {
		bad("there is no domain for accounts")
	}
	if len(p.Listen)+len(p.ListenDirect) == 0 {
		bad("there is no address where clients connect")
	}
	p.Domains = slices.Clone(p.Domains)
	for i, d := range p.Domains {
		if err := CheckDomain(d); err != nil {
			errs = append(errs, err)
			continue
		}
		p.Domains[i] = jid.MustParse(d).Domain()
	}
	if p.State != "" && (!filepath.IsAbs(p.State) || !pathForm.MatchString(p.State)) {
		bad("the folder for the state, %q, is not an absolute path without quotes and the like", p.State)
	}
	all := slices.Concat(p.Listen, p.ListenDirect)
	if p.Outside != nil {
		errs = append(errs, p.Outside.check(p.Domains))
		all = append(all, p.Outside.Listen...)
	}
	for i, a := range all {
		errs = append(errs, CheckAddress(a), CheckFree(a, all[:i]))
	}
	return errors.Join(errs...)
}

// CheckFree wants an address to listen on that none of the others takes.
func CheckFree(s string, others []string) error {
	a, err := netip.ParseAddrPort(s)
	if err != nil || a.Port() == 0 {
		return nil // any free port, or no address, which is told
	}
	for _, o := range others {
		b, err := netip.ParseAddrPort(o)
		if err == nil && a.Port() == b.Port() && (a.Addr() == b.Addr() || a.Addr().IsUnspecified() || b.Addr().IsUnspecified()) {
			return fmt.Errorf("%s is taken by %s; use another address or port", s, o)
		}
	}
	return nil
}

// CheckDomain wants a domain that can have accounts.
func CheckDomain(s string) error {
	if j, err := jid.ParseDomain(s); err != nil || net.ParseIP(j.Domain()) != nil {
		return fmt.Errorf("%q is not a domain", s)
	}
	return nil
}

// CheckOutside wants a domain elsewhere than ours, or all below one.
func CheckOutside(s string, ours []string) error {
	d, err := jid.ParseDomain(strings.TrimPrefix(s, "*."))
	if err != nil {
		return fmt.Errorf("%q is not a domain", s)
	}
	for _, o := range ours {
		if own, err := jid.ParseDomain(o); err == nil && own == d && !strings.HasPrefix(s, "*.") {
			return fmt.Errorf("%s has accounts here: a domain is on one side", d)
		}
	}
	return nil
}

// CheckTrust wants a file with certificates in it.
func CheckTrust(file string) error {
	b, err := os.ReadFile(file)
	if err == nil && !x509.NewCertPool().AppendCertsFromPEM(b) {
		err = fmt.Errorf("%s: no PEM certificate in the file", file)
	}
	return err
}

// CheckAddress wants an address to listen on or to ask.
func CheckAddress(s string) error {
	if _, err := netip.ParseAddrPort(s); err != nil {
		return fmt.Errorf("%q is not an IP address with a port", s)
	}
	return nil
}

// CheckRoute wants a server that is connected to.
func CheckRoute(s string) error {
	if _, port, err := net.SplitHostPort(s); err != nil || port == "" {
		return fmt.Errorf("%q is not HOST:PORT", s)
	}
	return nil
}

// NeedsResolver reports whether something has to be asked of the DNS: there is no route, or one that is a name.
func NeedsResolver(route []string) bool {
	named := func(s string) bool { _, err := netip.ParseAddrPort(s); return err != nil }
	return len(route) == 0 || slices.ContainsFunc(route, named)
}

func (o *Outside) check(ours []string) error {
	var errs []error
	bad := func(text string) { errs = append(errs, errors.New(text)) }
	if len(o.Domains) == 0 {
		bad("there is no domain outside")
	}
	if len(o.Trust) == 0 {
		bad("nobody vouches for servers outside: name a file with CA certificates")
	}
	if len(o.Route)+len(o.Resolver) == 0 {
		bad("nothing says where servers outside are: give a route or a resolver")
	} else if len(o.Resolver) == 0 && NeedsResolver(o.Route) {
		bad("the route outside is a name: give a resolver that finds it, or an IP address")
	}
	for _, d := range o.Domains {
		errs = append(errs, CheckOutside(d, ours))
	}
	for _, a := range o.Resolver {
		errs = append(errs, CheckAddress(a))
	}
	for _, r := range o.Route {
		errs = append(errs, CheckRoute(r))
	}
	return errors.Join(errs...)
}

// drawID draws the object identifier of a security policy; see doc.go.
func drawID() (string, error) {
	arc := make([]string, 2)
	for i := range arc {
		n, err := rand.Int(rand.Reader, big.NewInt(1<<62))
		if err != nil {
			return "", err
		}
		arc[i] = n.String()
	}
	return "2.999." + strings.Join(arc, "."), nil
}
