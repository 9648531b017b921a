package config

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// checker looks for what single values cannot show: names that nothing defines, files,
// contradictions and risks. Keys that the decoder refused are empty and passed over.
type checker struct {
	*report
	cfg    *Config
	now    time.Time
	peer   map[string]*Peer
	paired map[string]int // number of a pair that names the peer, from 1
}

func check(cfg *Config, r *report) {
	c := &checker{report: r, cfg: cfg, now: time.Now(), peer: map[string]*Peer{}, paired: map[string]int{}}
	for i := range cfg.Peers {
		c.peer[cfg.Peers[i].Name] = &cfg.Peers[i]
	}
	for i := range cfg.Pairs {
		for _, name := range cfg.Pairs[i].Between {
			if c.paired[name] == 0 {
				c.paired[name] = i + 1
			}
		}
	}
	c.files()
	c.node()
	c.control()
	c.metrics()
	c.audit()
	c.addresses()
	c.sides()
	c.peers()
	c.owners()
	c.pairs()
	c.links()
	c.certificates()
	c.policy()
	c.clearances()
	c.server()
}

var nameForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// name checks what will stand in logs, tables and metrics.
func (c *checker) name(key, name string) {
	if !nameForm.MatchString(name) {
		c.bad(key, shown(name)+" is not a name", "use up to 64 letters, digits, dots, dashes and underscores")
	}
}

func (c *checker) node() {
	if c.cfg.Node.Name != "" {
		c.name("node.name", c.cfg.Node.Name)
	}
}

// maxSocketPath is what fits a Unix socket address, with room for the name it is made under.
const maxSocketPath = 100

func (c *checker) control() {
	ctl := &c.cfg.Control
	if len(ctl.Socket) > maxSocketPath {
		c.bad("control.socket", fmt.Sprintf("the path is longer than the %d bytes that a Unix socket takes", maxSocketPath),
			"set control.socket to a shorter path")
	}
	if ctl.Group != "" {
		if _, err := parsePrincipal("group:" + ctl.Group); err != nil {
			c.bad("control.group", shown(ctl.Group)+" is not a group of this machine", "see getent group")
		}
	}
	roles := map[string][]Principal{"view": ctl.View, "operate": ctl.Operate, "policy": ctl.Policy}
	for role, principals := range roles {
		if len(principals) > 0 && ctl.Group == "" {
			c.risk("control."+role, "the socket has mode 0600, so that only the gateway's own user and root can use the role",
				"set control.group to a group they are in")
		}
	}
}

func (c *checker) metrics() {
	m := &c.cfg.Metrics
	switch {
	case !m.Listen.IsValid() || m.Listen.Addr().IsLoopback():
	case !m.AllowRemote:
		c.bad("metrics.listen", m.Listen.String()+" can be reached from other machines",
			"listen on 127.0.0.1 or ::1, or say allow-remote = true")
	default:
		c.risk("metrics.listen", "whoever reaches "+m.Listen.String()+" can see peers and traffic",
			"listen on loopback and let a proxy ask for a password")
	}
}

func (c *checker) audit() {
	a := &c.cfg.Audit
	if a.MaxBytes != 0 && a.MaxBytes < 2*a.SegmentBytes && !c.errorAt("audit") {
		c.bad("audit.max-bytes", "holds less than two segments", "raise it, or lower audit.segment-bytes")
	}
	if len(a.HeadSinks) == 0 && !c.errorAt("audit.head-sink") {
		c.risk("audit.head-sink", "the head of the audit log has no second place; whoever can write the log can cut its end unseen",
			`set head-sink = ["syslog:"] or a file on another disk`)
	}
	for i := range a.HeadSinks {
		c.headSink(entryKey("audit.head-sink", i+1), &a.HeadSinks[i])
	}
	if a.Content {
		c.risk("audit.content", "whoever can read the audit log can read every message", "switch it off when it is no longer needed")
	}
}

// localSyslog is where the syslog of this machine listens.
const localSyslog = "/dev/log"

func (c *checker) headSink(key string, sink *HeadSink) {
	dir := filepath.Dir(sink.Target)
	socket, local := sink.Socket()
	switch {
	case local:
		if info, err := os.Stat(socket); err != nil || info.Mode().Type() != fs.ModeSocket {
			c.bad(key, "this machine has no syslog at "+socket, `start it, or use "file:PATH" or "syslog:HOST:PORT"`)
		}
	case sink.Kind != FileSink:
	case !isDir(dir) && !isDir(filepath.Dir(dir)): // one level is made
		c.bad(key, fmt.Sprintf("there is no directory %s", shown(dir)), "mkdir -p "+dir)
	case c.cfg.Audit.Dir != "" && strings.HasPrefix(sink.Target, string(c.cfg.Audit.Dir)+"/"):
		c.risk(key, "lies beside the log it vouches for", "use another disk, or syslog")
	}
}
