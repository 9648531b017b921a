package webclient

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// Chromium is Debian's.
const Chromium = "/usr/bin/chromium"

// Person is somebody with an account.
type Person struct {
	JID      string `json:"jid"`
	Password string `json:"password"`
}

// Talk is what two people do: the first writes Texts[0], the second reads it and writes Texts[1], which the first reads.
type Talk struct {
	// Service is where to connect: ws://…, wss://…, or by BOSH at https://…; for XMPPJS also xmpp://… and xmpps://….
	// Empty: the client looks for it in the host-meta of Domain (XEP-0156); XMPPJS does not.
	Service string    `json:"service"`
	People  [2]Person `json:"people"`
	Texts   [2]string `json:"texts"`
	// Domain is what xmpp.js connects for, and whose host-meta is read.
	Domain string `json:"domain"`
	// At is where port 443 of Domain is, and Direct where 5223 is, for all but XMPPJS: nobody asks a name server.
	At     string `json:"at"`
	Direct string `json:"direct"`
	// Transport is what StanzaJS may use of what it finds: "websocket" or "bosh".
	Transport string `json:"transport"`
	// Authority is a file with the certificate authority that xmpp.js and StanzaJS believe, beside the usual ones.
	Authority string `json:"-"`
	// Silent is for how many seconds the second one thinks with StanzaJS.
	Silent int `json:"silent"`
	// Pictures is the directory for one picture of each window of a browser.
	Pictures string `json:"pictures"`
}

// Seen is what the programs told.
type Seen struct {
	LoggedIn []string       // full addresses, in order
	Services []string       // that they are connected to, in order, where the program tells
	Read     map[string]int // text, and how often it stood there
	Logins   []Login        // attempts with tokens.mjs, in order
	Resumed  string         // address of the session that was, with tokens.mjs
	Errors   []string       // that a client has found beside
	Told     []string       // everything, for the log of a failed test
}

// Login is one attempt by SASL2 (XEP-0388).
type Login struct {
	Mechanism string // "old" stands before one of RFC 6120 §6
	Asks      string // names of what stood in the request
	Success   string // names of what stood in the answer, empty where it was a failure
	Address   string
	Refused   string // condition
}

// Converse lets both people use Converse.js, each in a browser of his own. What the certificate says is not looked at.
func Converse(ctx context.Context, talk Talk) (Seen, error) {
	page, stop, err := servePage()
	if err != nil {
		return Seen{}, err
	}
	defer stop()
	return run(ctx, "converse.mjs", nil, struct {
		Talk
		Page     string `json:"page"`
		Chromium string `json:"chromium"`
	}{talk, page, Chromium})
}

// XMPPJS lets both use xmpp.js.
func XMPPJS(ctx context.Context, talk Talk) (Seen, error) {
	return run(ctx, "xmppjs.mjs", talk.believed(), talk)
}

// StanzaJS lets both use StanzaJS.
func StanzaJS(ctx context.Context, talk Talk) (Seen, error) {
	return run(ctx, "stanzajs.mjs", talk.believed(), talk)
}

// Tokens lets the first of them use xmpp.js with tokens, and the second say something meanwhile.
func Tokens(ctx context.Context, talk Talk) (Seen, error) {
	return run(ctx, "tokens.mjs", talk.believed(), talk)
}

func (t Talk) believed() []string {
	if t.Authority == "" {
		return nil
	}
	return []string{"NODE_EXTRA_CA_CERTS=" + t.Authority}
}

// run starts a program with its job as input, and reads what it tells, a line of JSON for each thing.
func run(ctx context.Context, program string, env []string, job any) (seen Seen, err error) {
	input, err := json.Marshal(job)
	if err != nil {
		return seen, err
	}
	cmd := exec.CommandContext(ctx, "node", filepath.Join(dir(), program))
	cmd.Stdin, cmd.Env, cmd.WaitDelay = bytes.NewReader(input), append(os.Environ(), env...), 5*time.Second
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	seen.Read = make(map[string]int)
	done := false
	for line := range strings.Lines(string(out)) {
		var told struct {
			LoggedIn, Service, Read, Failed            string
			Mechanism, Asks, Success, Address, Refused string
			Resumed, Error                             string
			Times                                      int
			Done                                       bool
		}
		seen.Told = append(seen.Told, strings.TrimSpace(line))
		if bad := json.Unmarshal([]byte(line), &told); bad != nil {
			return seen, fmt.Errorf("what %s told: %w", program, bad)
		}
		if told.LoggedIn != "" {
			seen.LoggedIn, seen.Services = append(seen.LoggedIn, told.LoggedIn), append(seen.Services, told.Service)
		}
		if told.Read != "" {
			seen.Read[told.Read] = told.Times
		}
		if told.Error != "" {
			seen.Errors = append(seen.Errors, told.Error)
		}
		seen.Resumed += told.Resumed
		if told.Mechanism != "" {
			seen.Logins = append(seen.Logins, Login{Mechanism: told.Mechanism, Asks: told.Asks})
		}
		if n := len(seen.Logins); n > 0 && told.Success+told.Refused != "" {
			last := &seen.Logins[n-1]
			last.Success, last.Address, last.Refused = told.Success, told.Address, told.Refused
		}
		done = done || told.Done
	}
	if err == nil && !done {
		err = errors.New("it ended early")
	}
	if err != nil {
		return seen, fmt.Errorf("%s: %w\n%s\n%s", program, err, strings.Join(seen.Told, "\n"), complaints.String())
	}
	return seen, nil
}

// dir is where the programs are.
func dir() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Dir(file)
}

// servePage serves page.html, and the client from its package.
func servePage() (url string, stop func(), err error) {
	client := filepath.Join(dir(), "node_modules", "converse.js", "dist")
	if _, err := os.Stat(client); err != nil {
		return "", nil, fmt.Errorf("the client is not installed, run 'make webclient': %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle("/dist/", http.StripPrefix("/dist/", http.FileServer(http.Dir(client))))
	mux.HandleFunc("/{$}", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, filepath.Join(dir(), "page.html")) })
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	server := &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = server.Serve(ln) // ends when it is closed
	}()
	return "http://" + ln.Addr().String() + "/", func() { _ = server.Close(); <-ended }, nil
}
