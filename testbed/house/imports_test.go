package house_test

import (
	"os/exec"
	"strings"
	"testing"
)

const module = "sallyport"

// edge forbids an import, directly or through others.
type edge struct{ pkg, not, why string }

// forbidden is the one direction of the house: cmd, gateway, server and links, peering,
// rules, labels, internal/xmpp. Top may import what is below, never the reverse.
var forbidden = []edge{
	{"internal", "cmd", "internal packages are the floor everybody stands on"},
	{"internal", "gateway", "internal packages are the floor everybody stands on"},
	{"internal", "links", "internal packages are the floor everybody stands on"},
	{"internal", "peering", "internal packages are the floor everybody stands on"},
	{"internal", "rules", "internal packages are the floor everybody stands on"},
	{"internal", "labels", "internal packages are the floor everybody stands on"},
	{"labels", "rules", "a label means the same under every rule set"},
	{"labels", "peering", "a label means the same for every peer"},
	{"labels", "links", "a label never depends on what carries it"},
	{"labels", "gateway", "nothing below the gateway knows it"},
	{"rules", "peering", "rules judge a stanza, the engine decides what to do"},
	{"rules", "links", "a rule must give the same answer on a test bench"},
	{"rules", "gateway", "nothing below the gateway knows it"},
	{"rules", "net", "a rule must give the same answer on a test bench"},
	{"peering", "links", "the engine does no I/O"},
	{"peering", "gateway", "nothing below the gateway knows it"},
	{"peering", "go.uber.org/zap", "a judgement never logs"},
	{"rules", "go.uber.org/zap", "a judgement never logs"},
	{"labels", "go.uber.org/zap", "a judgement never logs"},
	{"links", "gateway", "nothing below the gateway knows it"},
	{"links", "cmd", "nothing but a main imports a main"},
	{"gateway", "cmd", "nothing but a main imports a main"},
	{"cmd", "testbed", "nobody imports the testbed"},
	{"gateway", "testbed", "nobody imports the testbed"},
	{"links", "testbed", "nobody imports the testbed"},
	{"peering", "testbed", "nobody imports the testbed"},
	{"labels", "github.com/beevik/etree", "only labels/spif reads documents; wire XML has one parser"},
	{"s5066", "links", "the radio stack carries bytes and has never heard of XMPP"},
	{"s5066", "peering", "the radio stack carries bytes and has never heard of XMPP"},
	{"s5066", "rules", "the radio stack carries bytes and has never heard of XMPP"},
	{"s5066", "labels", "the radio stack carries bytes and has never heard of XMPP"},
	{"s5066", "internal/xmpp", "the radio stack carries bytes and has never heard of XMPP"},
	{"s5066", "gateway", "nothing below the gateway knows it"},
	{"s5066", "cmd", "nothing but a main imports a main"},
	{"s5066", "testbed", "nobody imports the testbed"},
	{"s5066", "go.uber.org/zap", "its users log what its events say"},
	{"internal", "server", "internal packages are the floor everybody stands on"},
	{"labels", "server", "a label means the same in every conversation"},
	{"rules", "server", "rules judge a stanza, whoever it is for"},
	{"peering", "server", "the engine does no I/O"},
	{"links", "server", "what carries stanzas and what people log in to know each other by the engine alone"},
	{"server", "links", "what carries stanzas and what people log in to know each other by the engine alone"},
	{"server", "gateway", "nothing below the gateway knows it"},
	{"server", "cmd", "nothing but a main imports a main"},
	{"server", "testbed", "nobody imports the testbed"},
	{"server", "encoding/xml", "it accepts what others refuse"},
	{"server/account", "database/sql", "an account is the same in every database"},
	{"internal/xmpp", "encoding/xml", "it accepts what others refuse, and re-encodes namespaces wrongly"},
	{"internal/xmpp", "net", "protocols are steps, sockets are at the edge"},
	{"peering", "encoding/xml", "it accepts what others refuse"},
	{"rules", "encoding/xml", "it accepts what others refuse"},
	{"links", "encoding/xml", "it accepts what others refuse"},
}

// owner lists modules that exactly one package may import, so that replacing one is a
// change to one folder.
var owner = map[string]string{
	"github.com/miekg/dns":                       "internal/resolve",
	"github.com/BurntSushi/toml":                 "gateway/config",
	"github.com/prometheus/client_golang":        "gateway/prom",
	"github.com/beevik/etree":                    "labels/spif",
	"golang.org/x/net/idna":                      "internal/xmpp/jid",
	"golang.org/x/text/secure/precis":            "internal/xmpp/jid",
	"github.com/pion":                            "links/dtls",
	"github.com/spf13/cobra":                     "cmd/sallyport",
	"github.com/go-asn1-ber/asn1-ber":            "labels/ess",
	"github.com/coder/websocket":                 "server/c2s",
	"modernc.org/sqlite":                         "server/store",
	"github.com/jackc/pgx/v5":                    "server/store",
	"github.com/rogpeppe/go-internal/testscript": "cmd/sallyport",
}

type listed struct {
	path string // without the module, "" for the root
	deps []string
	imps []string
}

func list(t *testing.T) []listed {
	t.Helper()
	cmd := exec.Command("go", "list", "-f", "{{.ImportPath}}|{{join .Deps \" \"}}|{{join .Imports \" \"}}", "./...")
	cmd.Dir = "../.."
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []listed
	for line := range strings.Lines(string(out)) {
		f := strings.Split(strings.TrimSpace(line), "|")
		all = append(all, listed{strings.TrimPrefix(f[0], module+"/"), strings.Fields(f[1]), strings.Fields(f[2])})
	}
	if len(all) < 10 {
		t.Fatalf("go list found %d packages only", len(all))
	}
	return all
}

func under(path, room string) bool { return path == room || strings.HasPrefix(path, room+"/") }

func TestImportsGoOneWay(t *testing.T) {
	t.Parallel()
	for _, p := range list(t) {
		for _, e := range forbidden {
			if !under(p.path, e.pkg) || p.path == "labels/spif" && e.not == "github.com/beevik/etree" {
				continue
			}
			if !strings.Contains(e.not, ".") && e.not != "net" && !strings.HasPrefix(e.not, "encoding") && !strings.HasPrefix(e.not, "database") {
				checkEdge(t, p, p.deps, e, module+"/"+e.not)
				continue
			}
			checkEdge(t, p, p.imps, e, e.not)
		}
	}
}

func checkEdge(t *testing.T, p listed, deps []string, e edge, not string) {
	t.Helper()
	for _, d := range deps {
		if d == not || strings.HasPrefix(d, not+"/") && not != "net" {
			t.Errorf("%s imports %s: %s", p.path, strings.TrimPrefix(d, module+"/"), e.why)
			return
		}
	}
}

func TestRiskyModulesHaveOneOwner(t *testing.T) {
	t.Parallel()
	for _, p := range list(t) {
		if under(p.path, "testbed") {
			continue
		}
		for _, d := range p.imps {
			for mod, room := range owner {
				if under(d, mod) && !under(p.path, room) {
					t.Errorf("%s imports %s, which belongs to %s alone", p.path, d, room)
				}
			}
		}
	}
}
