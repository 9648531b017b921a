package peers

import (
	_ "embed"
	"os"
	"path/filepath"
)

// What it took to make Debian's Prosody 0.12.3 a child of ours:
//
//   - It refuses to run as root unless the configuration says run_as_root; as any other user it needs no
//     special right, since every file is in our directory.
//   - `prosody -F` stays in the foreground and says everything on standard output.
//   - Its built-in resolver cannot be given a port. With Debian's package lua-unbound it uses libunbound,
//     which can ("address@port" in unbound.forward), but only after three of its defaults are undone: it
//     answers "test." by itself (a zone of RFC 6761), refuses to ask a server on the loopback network, and
//     remembers names that did not exist. An empty `trusted` table makes lua-unbound 1.0.0 return that
//     table in place of its context: leave it out (no trust anchor is set by default).
//   - luasec 1.2 verifies against capath of the machine first; ssl.capath must be emptied and ssl.cafile set.
//   - mod_s2s_bidi and mod_smacks (for servers too) are in core since 0.12; no community modules are needed.
//   - Stream management between servers never resumes; what is unacknowledged is bounced
//     (smacks_s2s_resend stays false).
//   - "Dialback only" is mod_s2s_auth_certs disabled: nobody looks at the peer's certificate, so EXTERNAL is
//     not offered. It would still use EXTERNAL where the peer offers it; for a strict proof give it a
//     self-signed certificate too.
//   - It closes a stream on which more than s2s_stanza_size_limit bytes of a stanza have come without its end (one that comes in
//     one read passes). 0.12 does not tell others of the limit; mod_stream_limits.lua, which is ours, does in XEP-0478's words.
//   - The limits of the example configuration (30 kB/s for a server) are off, or they would be what is measured.
//
//go:embed prosody.cfg.lua.tmpl
var prosodyConfig string

//go:embed mod_stream_limits.lua
var prosodyLimits []byte

// NewProsody prepares a Prosody; Start runs it.
func NewProsody(s Settings) (*Server, error) {
	config := filepath.Join(s.Dir, "prosody.cfg.lua")
	if err := writeTemplate(config, prosodyConfig, prosodyView{s}); err != nil {
		return nil, err
	}
	modules := filepath.Join(s.Dir, "modules")
	if err := os.Mkdir(modules, 0o700); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(modules, "mod_stream_limits.lua"), prosodyLimits, 0o600); err != nil {
		return nil, err
	}
	return &Server{Settings: s, Name: "prosody", command: Command{
		Name: "prosody " + s.Domain,
		Argv: []string{"/usr/bin/prosody", "-F", "--config", config},
		Dir:  s.Dir, Log: s.Log(),
		Env: []string{"PATH=/usr/bin:/bin", "HOME=" + s.Dir, "LANG=C.UTF-8"},
	}}, nil
}

// prosodyView gives the template words for what it asks.
type prosodyView struct{ Settings }

func (v prosodyView) Dialback() bool     { return v.Auth != ExternalOnly }
func (v prosodyView) Certificates() bool { return v.Auth != DialbackOnly }
func (v prosodyView) SecureAuth() bool   { return v.Auth == ExternalOnly }
func (v prosodyView) Archives() bool     { return v.Archive != NoArchive }
func (v prosodyView) SQLite() bool       { return v.Archive == SQLiteArchive }
