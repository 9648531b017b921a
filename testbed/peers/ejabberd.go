package peers

import (
	_ "embed"
	"fmt"
	"path/filepath"
	"strings"
)

// What it took to make Debian's ejabberd 23.01 a child of ours:
//
//   - ejabberdctl insists on the user "ejabberd" and on epmd. The Erlang machine itself does neither, so we
//     start `erl` directly with the arguments that ejabberdctl would give it. Without -sname the node is not
//     distributed: no epmd, no cookie, no port, nothing left behind; accounts are made in-band instead of
//     through ejabberdctl. Mnesia is content with nonode@nohost.
//   - `erl` is a chain of exec calls, so our child is the machine itself and the parent-death signal holds;
//     its helper erl_child_setup ends when the machine does.
//   - SIGTERM makes it stop in good order (init:stop), but one that comes before the machine has finished booting,
//     which is after the ports are open, sometimes takes 13 seconds. So the last thing it evaluates while booting is
//     to say so, and Start waits for that.
//   - The resolver is told by ERL_INETRC: {nameserver, Address, Port}, lookups by DNS alone, so that neither
//     /etc/hosts nor the machine's resolver is asked. Only the SRV record is asked for that way, though: the
//     target's address comes from the C library (net:getaddrinfo), which can be told neither a port nor, without
//     a mount namespace, another resolv.conf. So our name server gives it targets that are addresses already
//     (Names.LiteralTargets), and the C library asks nobody.
//   - ca_file is the only authority that it checks others with; EXTERNAL is offered when the caller's
//     certificate verified. "Dialback only" is therefore an empty authority (the server's own certificate);
//     "EXTERNAL only" is mod_s2s_dialback left out.
//   - A failed connection makes it wait a random time up to s2s_max_retry_delay (default 300 s) before it tries
//     the peer again; 1 s here, or a restarted peer would not be seen within a test.
//   - The shapers of the example configuration are off, or they would be what is measured.
//   - COMPAT(ejabberd, 23.01): a certificate with an XmppAddr crashes its SASL EXTERNAL, see ca.go.
//   - The log goes to standard output and also to a file that it rotates itself (rotation off).
//
//go:embed ejabberd.yml.tmpl
var ejabberdConfig string

//go:embed ejabberd.inetrc.tmpl
var ejabberdResolver string

// ejabberdBooted is what our ejabberd says when it has booted.
const ejabberdBooted = "testbed: booted"

// NewEjabberd prepares an ejabberd; Start runs it.
func NewEjabberd(s Settings) (*Server, error) {
	config := filepath.Join(s.Dir, "ejabberd.yml")
	inetrc := filepath.Join(s.Dir, "inetrc")
	if err := writeTemplate(config, ejabberdConfig, ejabberdView{s}); err != nil {
		return nil, err
	}
	if err := writeTemplate(inetrc, ejabberdResolver, ejabberdView{s}); err != nil {
		return nil, err
	}
	libraries, err := erlangLibraries()
	if err != nil {
		return nil, err
	}
	return &Server{Settings: s, Name: "ejabberd", booted: ejabberdBooted, command: Command{
		Name: "ejabberd " + s.Domain,
		Argv: []string{
			"/usr/bin/erl", "+K", "true", "+sbwt", "none", "-noinput", "-boot", "start_clean",
			"-mnesia", "dir", fmt.Sprintf("%q", filepath.Join(s.Dir, "mnesia")), "-s", "ejabberd",
			"-eval", `io:format("` + ejabberdBooted + `~n").`,
		},
		Dir: s.Dir, Log: s.Log(),
		Env: []string{
			"PATH=/usr/bin:/bin", "HOME=" + s.Dir, "LANG=C.UTF-8",
			"ERL_LIBS=" + libraries, "ERL_INETRC=" + inetrc, "ERL_CRASH_DUMP_BYTES=0",
			"EJABBERD_CONFIG_PATH=" + config, "EJABBERD_LOG_PATH=" + filepath.Join(s.Dir, "ejabberd.log"),
			"CONTRIB_MODULES_PATH=" + filepath.Join(s.Dir, "none"), "CONTRIB_MODULES_CONF_DIR=" + filepath.Join(s.Dir, "none"),
		},
	}}, nil
}

// erlangLibraries finds Debian's directory of Erlang applications, which has the machine's name in it.
func erlangLibraries() (string, error) {
	found, err := filepath.Glob("/usr/lib/*/ejabberd-*/ebin/ejabberd.app")
	if err != nil || len(found) == 0 {
		return "", fmt.Errorf("ejabberd is not installed: run testbed/install-peers.sh")
	}
	dir, _, _ := strings.Cut(found[0], "/ejabberd-")
	return dir, nil
}

// ejabberdView gives the template words for what it asks.
type ejabberdView struct{ Settings }

func (v ejabberdView) Dialback() bool { return v.Auth != ExternalOnly }

func (v ejabberdView) Authorities() string {
	if v.Auth == DialbackOnly {
		return v.Pair.Cert
	}
	return v.CA
}

// Nameserver is the address in Erlang's notation.
func (v ejabberdView) Nameserver() string {
	return "{" + strings.ReplaceAll(v.Resolver.Addr().String(), ".", ",") + "}"
}

func (v ejabberdView) Archives() bool { return v.Archive != NoArchive }
func (v ejabberdView) SQLite() bool   { return v.Archive == SQLiteArchive }
