// Command xmppload loads any XMPP server or S2S gateway and checks that every
// message arrives exactly once and in order. It prints one JSON object.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

const usage = `xmppload MODE flags
  register  make accounts in-band (XEP-0077)
  idle      log N sessions in, hold them: login rate, memory a session
  msg       1:1 messages from senders to receivers (same or another server)
  muc       one room, N occupants, one or more senders: fan-out
  presence  one user with N contacts, who are told of each change
  s2sin     play remote servers whose users write to users of a server
  s2s       play both XMPP server domains around a gateway
  s2ssetup  open S2S streams to a server or gateway again and again: set-up cost
See README.md, or xmppload MODE -h.`

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, usage)
		os.Exit(2)
	}
	mode := os.Args[1]
	fs := flag.NewFlagSet(mode, flag.ExitOnError)
	var run func() (map[string]any, error)
	switch mode {
	case "register":
		run = registerMode(fs)
	case "idle":
		run = idleMode(fs)
	case "msg":
		run = msgMode(fs)
	case "muc":
		run = mucMode(fs)
	case "presence":
		run = presenceMode(fs)
	case "s2sin":
		run = s2sInMode(fs)
	case "s2s":
		run = s2sMode(fs)
	case "s2ssetup":
		run = s2sSetupMode(fs)
	default:
		fmt.Fprintln(os.Stderr, usage)
		os.Exit(2)
	}
	fs.Parse(os.Args[2:])
	out, err := run()
	if out == nil {
		out = map[string]any{}
	}
	out["mode"] = mode
	if err != nil {
		out["error"] = err.Error()
	}
	j := json.NewEncoder(os.Stdout)
	j.SetEscapeHTML(false)
	j.Encode(out)
	if err != nil {
		os.Exit(1)
	}
	if ok, has := out["exactly_once_in_order"].(bool); has && !ok {
		os.Exit(3)
	}
}

func tlsConfig(ca string) *tls.Config {
	cfg := &tls.Config{InsecureSkipVerify: true, ClientSessionCache: nil}
	if ca != "" {
		b, err := os.ReadFile(ca)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		cfg.RootCAs = x509.NewCertPool()
		cfg.RootCAs.AppendCertsFromPEM(b)
		cfg.InsecureSkipVerify = false
	}
	return cfg
}

// side is the flags of one server.
type side struct {
	host, domain, tls, auth, ca, prefix, pw, res string
	from                                         int
}

func sideFlags(fs *flag.FlagSet, p, defaults string) *side {
	s := &side{}
	d := func(v string) string {
		if defaults != "" {
			return ""
		}
		return v
	}
	fs.StringVar(&s.host, p+"host", d("127.0.0.1:5222"), "address and port"+defaults)
	fs.StringVar(&s.domain, p+"domain", d("localhost"), "XMPP domain"+defaults)
	fs.StringVar(&s.tls, p+"tls", d("starttls"), "starttls, direct or none"+defaults)
	fs.StringVar(&s.auth, p+"auth", d("plain"), "plain, scram-sha-1 or scram-sha-256"+defaults)
	fs.StringVar(&s.ca, p+"ca", "", "CA file to check the server's certificate with (none: not checked)")
	fs.StringVar(&s.prefix, p+"user", d("load"), "user name prefix; a number follows"+defaults)
	fs.StringVar(&s.pw, p+"password", d("pw"), "password of all"+defaults)
	fs.IntVar(&s.from, p+"first", 0, "number of the first user")
	s.res = "load"
	return s
}

func (s *side) or(o *side) *side {
	c := *s
	pick := func(a *string, b string) {
		if *a == "" {
			*a = b
		}
	}
	pick(&c.host, o.host)
	pick(&c.domain, o.domain)
	pick(&c.tls, o.tls)
	pick(&c.auth, o.auth)
	pick(&c.ca, o.ca)
	pick(&c.prefix, o.prefix)
	pick(&c.pw, o.pw)
	return &c
}

func (s *side) client(i int) *client {
	return &client{
		t:    target{addr: s.host, domain: s.domain, tlsMode: s.tls, auth: s.auth, tlsCfg: tlsConfig(s.ca), timeout: 60 * time.Second},
		user: fmt.Sprintf("%s%d", s.prefix, s.from+i), pw: s.pw, res: s.res,
	}
}

// parallel runs f(0..n-1) on k workers and returns the first error.
func parallel(n, k int, f func(i int) error) error {
	var wg sync.WaitGroup
	var next atomic.Int64
	var mu sync.Mutex
	var first error
	for range k {
		wg.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				mu.Lock()
				stop := first != nil
				mu.Unlock()
				if i >= n || stop {
					return
				}
				if err := f(i); err != nil {
					mu.Lock()
					if first == nil {
						first = fmt.Errorf("%d: %w", i, err)
					}
					mu.Unlock()
					return
				}
			}
		})
	}
	wg.Wait()
	return first
}
