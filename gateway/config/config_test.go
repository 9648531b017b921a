package config_test

import (
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sallyport/gateway/config"
)

const full = `
[node]
name = "gw1"
state = "state"
dialback-secret = "./dialback.secret"

[control]
socket = "c.sock"
view = ["uid:1000", "gid:2000"]
policy = ["user:root"]

[audit]
segment-bytes = "1 MiB"
max-bytes = 1073741824
head-sink = ["file:head", "syslog:[::1]:514"]

[side.outside]
listen = ["127.0.0.2:5269", "[::1]:0"]
listen-direct = ["127.0.0.2:5270"]
resolver = ["127.0.0.53:53"]
trust = ["ca.pem"]
crl = ["crl.pem"]
crl-required = true

[side.inside]
trust = ["ca.pem"]

[[certificate]]
cert = "gw.pem"
key = "gw.key"
domains = ["more.example"]

[peer.z]
side = "outside"
domains = ["OUT.example.", "*.out.example", "B\u00FCcher.example", "xn--mgb9awbf.example"]
speaks-for = ["*.relayed.example"]
authenticate = ["dialback", "external"]
min-tls = "1.3"
pins = ["spki-sha256:4NqzIJ3j2cXKR0wMk4EM5u4yOAOdRMEbFCLyTmlFq2Y="]
usage = "server"
route = ["[2001:db8::1]:5269", "xmpp.out.example:5223"]
tls = "direct"
bidi = false
stream-management = false
in-doubt = "resend"
confirm = "none"
idle = "1h"
queue-stanzas = 5
queue-bytes = "2 MiB"
queue-age = "2d"
max-stanza-bytes = "64 KiB"
unlabelled = "refuse"
label-syntaxes = ["nato4774"]
send-labels = "never"
kinds = { message = true, presence = true, muc = true, pubsub = true, iq = ["jabber:iq:version"] }
domain-map = { "out.example" = "Partner.Example" }

[peer.a]
side = "inside"
default = true
route = ["127.0.0.1:1"]

[[pair]]
between = ["a", "z"]
direction = "first-to-second"

[profile.ours]
mode = "strip"
messages = ["chat"]
limits.depth = 5

[[profile.ours.element]]
name = "body"
in = ["message"]

[policy]
profile = "ours"
expiry = "12h"
`

func load(t *testing.T, dir, text string) *config.Config {
	t.Helper()
	cfg, problems := config.Load(put(t, dir, "sallyport.toml", []byte(text)))
	if problems.Failed() {
		t.Fatal(problems.Err())
	}
	return cfg
}

// A syslog may listen on any datagram socket of the machine.
func TestSyslogSocket(t *testing.T) {
	t.Parallel()
	dir := house(t)
	path := filepath.Join(dir, "log")
	syslog, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Net: "unixgram", Name: path})
	if err != nil {
		t.Fatal(err)
	}
	defer syslog.Close()
	for _, written := range []string{"syslog:./log", "syslog:" + path} {
		cfg := load(t, dir, strings.Replace(full, `"file:head"`, `"`+written+`"`, 1))
		sink := cfg.Audit.HeadSinks[0]
		if socket, local := sink.Socket(); !local || socket != path || sink.String() != "syslog:"+path {
			t.Errorf("%s is %v, socket %q", written, sink, socket)
		}
		if _, local := cfg.Audit.HeadSinks[1].Socket(); local {
			t.Errorf("%v is held to be on this machine", cfg.Audit.HeadSinks[1])
		}
	}
	if socket, local := (config.HeadSink{Kind: config.SyslogSink}).Socket(); !local || socket != "/dev/log" {
		t.Errorf("the local syslog is at %q", socket)
	}
	if _, local := (config.HeadSink{Kind: config.FileSink, Target: path}).Socket(); local {
		t.Error("a file is held to be a socket")
	}
}

func TestEveryKindOfValue(t *testing.T) {
	t.Parallel()
	dir := house(t)
	cfg := load(t, dir, full)
	in := func(name string) string { return filepath.Join(dir, name) }
	addr := netip.MustParseAddrPort

	if got := *cfg.Side("outside"); !cmp.Equal(got.Listen, []netip.AddrPort{addr("127.0.0.2:5269"), addr("[::1]:0")}, cmp.Comparer(equal[netip.AddrPort])) ||
		got.ListenDirect[0] != addr("127.0.0.2:5270") || got.Resolver[0] != addr("127.0.0.53:53") ||
		string(got.Trust[0]) != in("ca.pem") || string(got.CRL[0]) != in("crl.pem") || !got.CRLRequired {
		t.Errorf("side %+v", got)
	}
	p := cfg.Peer("z")
	wantDomains := []config.Pattern{"out.example", "*.out.example", "bücher.example", "عمان.example"}
	if diff := cmp.Diff(wantDomains, p.Domains); diff != "" {
		t.Errorf("domains (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]config.Target{{"2001:db8::1", 5269}, {"xmpp.out.example", 5223}}, p.Route); diff != "" {
		t.Errorf("route (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]config.Mapping{{"out.example", "partner.example"}}, p.DomainMap); diff != "" {
		t.Errorf("domain-map (-want +got):\n%s", diff)
	}
	if p.MinTLS != config.TLS13 || len(p.Pins) != 1 || p.Bidi || p.StreamManagement || p.InDoubt != config.Resend || p.Confirm != config.ConfirmNone ||
		p.Idle != time.Hour || p.QueueStanzas != 5 || p.QueueBytes != 2<<20 || p.QueueAge != 48*time.Hour || p.MaxStanzaBytes != 64<<10 ||
		p.TLS != config.DirectTLS || p.SendLabels != config.SendNever || p.Usage != config.UsageServer || !p.Kinds.Any() || p.Kinds.IQ[0] != "jabber:iq:version" {
		t.Errorf("peer %+v", p)
	}
	if diff := cmp.Diff([]config.HeadSink{{config.FileSink, in("head")}, {config.SyslogSink, "[::1]:514"}}, cfg.Audit.HeadSinks); diff != "" {
		t.Errorf("head-sink (-want +got):\n%s", diff)
	}
	wantView := []config.Principal{{ID: 1000, Name: "uid:1000"}, {Group: true, ID: 2000, Name: "gid:2000"}}
	if diff := cmp.Diff(wantView, cfg.Control.View); diff != "" {
		t.Errorf("view (-want +got):\n%s", diff)
	}
	if pair := cfg.Pairs[0]; pair.First() != "a" || pair.Second() != "z" || pair.Direction != config.FirstToSecond {
		t.Errorf("pair %+v", pair)
	}
	if prof := cfg.Profiles[0]; prof.Name != "ours" || prof.Limits.Depth != 5 || prof.Elements[0].In[0] != "message" {
		t.Errorf("profile %+v", prof)
	}
	if cfg.Node.DialbackSecret != config.NewSecret(in("dialback.secret")) || cfg.Audit.Dir != config.Dir(in("state/audit")) || cfg.Source.Path != in("sallyport.toml") {
		t.Errorf("paths %+v %+v %+v", cfg.Node, cfg.Audit, cfg.Source)
	}
}

func equal[T comparable](a, b T) bool { return a == b }

// TestOrderOfTheFile: peers and sides are in the order in which they were written.
func TestOrderOfTheFile(t *testing.T) {
	t.Parallel()
	dir := house(t)
	for range 20 {
		cfg := load(t, dir, full)
		if cfg.Sides[0].Name != "outside" || cfg.Peers[0].Name != "z" || cfg.Peers[1].Name != "a" {
			t.Fatalf("sides %+v, peers %+v", cfg.Sides, cfg.Peers)
		}
	}
}

func TestDefaultsHoldWhereNothingIsSaid(t *testing.T) {
	t.Parallel()
	dir := house(t)
	cfg := load(t, dir, full)
	want := config.DefaultPeer()
	want.Name, want.Side, want.Default, want.Route = "a", "inside", true, []config.Target{{"127.0.0.1", 1}}
	if diff := cmp.Diff(want, *cfg.Peer("a")); diff != "" {
		t.Errorf("peer a (-want +got):\n%s", diff)
	}
	if cfg.Limits != config.Defaults().Limits || cfg.Log != config.Defaults().Log {
		t.Errorf("limits %+v, log %+v", cfg.Limits, cfg.Log)
	}
	if cfg.Peer("nobody") != nil || cfg.Side("nowhere") != nil {
		t.Error("a name that is not there was found")
	}
}

// TestP15Large: a file of 10 MiB is refused without being read.
func TestP15Large(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := put(t, dir, "large.toml", []byte(strings.Repeat("# ten mebibytes\n", 10<<20/16)))
	cfg, problems := config.Load(path)
	if want := "DIR/large.toml:1: error: is larger than 1 MiB; this is not a configuration of sallyport\n"; cfg != nil || text(problems, dir) != want {
		t.Errorf("got %s want %s", text(problems, dir), want)
	}
}

func TestFilesThatAreNone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	tests := []struct{ path, want string }{
		{filepath.Join(dir, "absent.toml"), "DIR/absent.toml: error: cannot be read: no such file or directory; name the configuration file\n"},
		{dir, "DIR: error: cannot be read: is a directory; name the configuration file\n"},
	}
	for _, tt := range tests {
		if cfg, problems := config.Load(tt.path); cfg != nil || text(problems, dir) != tt.want {
			t.Errorf("got %s want %s", text(problems, dir), tt.want)
		}
	}
}

func TestOthersCanWriteTheFile(t *testing.T) {
	t.Parallel()
	dir := house(t)
	path := put(t, dir, "sallyport.toml", []byte(full))
	if err := os.Chmod(path, 0o664); err != nil { //nolint:gosec // that is the case
		t.Fatal(err)
	}
	cfg, problems := config.Load(path)
	if cfg == nil || !strings.Contains(text(problems, dir), "others can write this file") {
		t.Errorf("got %s", text(problems, dir))
	}
}

// TestPoliciesTogether: a policy that adds a category to labels of another, which the other does not have, is an error with the line of
// its file; what only makes fewer labels translatable is none.
func TestPoliciesTogether(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, old, next, want string }{
		{"as they are", "", "", ""},
		{"fewer labels to translate", `lacv="4" applied="encrypt"`, `lacv="44" applied="encrypt"`, ""},
		{
			"a required value that is not there", `tagSetRef="Origin" tagType="tagType7" lacv="0"`, `tagSetRef="Origin" tagType="tagType7" lacv="9"`,
			`DIR/guard.spif.xml:13: error: policy.spif[1]: in policy "PARTNER": `,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := house(t)
			b, err := os.ReadFile("testdata/labels/guard.spif.xml")
			if err != nil {
				t.Fatal(err)
			}
			put(t, dir, "guard.spif.xml", []byte(strings.Replace(string(b), tt.old, tt.next, 1)))
			path := put(t, dir, "sallyport.toml", []byte(strings.Replace(full, "[policy]\n", "[policy]\nspif = [\"guard.spif.xml\", \"partner.spif.xml\"]\n", 1)))
			cfg, problems := config.Load(path)
			if got := text(problems, dir); (cfg == nil) != (tt.want != "") || !strings.Contains(got, tt.want) {
				t.Errorf("got %s want %s", got, tt.want)
			}
		})
	}
}

// TestControlSocket: the socket is found in a file whose keys the caller cannot read.
func TestControlSocket(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	tests := []struct{ name, text, want, problem string }{
		{"named", "[control]\nsocket = \"x/c.sock\"\n[node]\nstate = \"s\"", "DIR/x/c.sock", ""},
		{"by state", "[node]\nstate = \"s\"\n[[certificate]]\nkey = \"/root/secret\"", "DIR/s/control.sock", ""},
		{"by neither", "[node]\nname = \"x\"", "", "names no control.socket"},
		{"not TOML", "[node", "", "is not TOML"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := config.ControlSocket(put(t, dir, "c.toml", []byte(tt.text)))
			if strings.ReplaceAll(got, dir, "DIR") != tt.want || (err != nil) != (tt.problem != "") || err != nil && !strings.Contains(err.Error(), tt.problem) {
				t.Errorf("got %q, %v, want %q, %q", got, err, tt.want, tt.problem)
			}
		})
	}
}

// TestHostileShapes: as large as a file may be, and refused with a bounded list.
func TestHostileShapes(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, text string }{
		{"open brackets", strings.Repeat("[", 1<<20)},
		{"inline tables", "a=" + strings.Repeat("{a=", 1<<18)},
		{"lists", "a=" + strings.Repeat("[", 1<<19)},
		{"parts of a key", strings.Repeat("a.", 1<<19) + "a=1"},
		{"duplicates", strings.Repeat("a=1\n", 1<<18)},
		{"wrong values", "[side.a]\nlisten=[" + strings.Repeat(`"x",`, 1<<17) + "]"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cfg, problems := config.Parse("x.toml", []byte(tt.text))
			if cfg != nil || !problems.Failed() || len(problems) > 1001 {
				t.Errorf("configuration %v, %d problems", cfg != nil, len(problems))
			}
		})
	}
}
