package config

import (
	"net"
	"strconv"
	"strings"
)

// File names a file that must exist and be readable. Absolute once loaded.
type File string

// Files names one file or several, each as a File.
type Files []File

// SecretFile names a file that must exist and that only its owner can read. Absolute
// once loaded.
type SecretFile string

// NewSecret names a file that only its owner can read, and that is created on first
// start. Absolute once loaded.
type NewSecret string

// Path names a file that need not exist. Absolute once loaded.
type Path string

// Dir names a directory that is created when it does not exist. Absolute once loaded.
type Dir string

// Size is a number of bytes, written as a number or with a unit: "512 KiB", "64 MiB".
type Size int64

// String gives the largest unit that divides the size.
func (s Size) String() string {
	for _, u := range sizeUnits {
		if s >= u.bytes && s%u.bytes == 0 {
			return strconv.FormatInt(int64(s/u.bytes), 10) + " " + u.name
		}
	}
	return strconv.FormatInt(int64(s), 10)
}

var sizeUnits = [...]struct {
	name  string
	bytes Size
}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}}

// Pattern names domains: one exactly ("a.example"), or all below one ("*.a.example").
// Canonical once loaded.
type Pattern string

// Base returns the domain and whether all below it are meant instead of it.
func (p Pattern) Base() (domain string, subdomains bool) {
	return strings.CutPrefix(string(p), "*.")
}

// Target is a host with a port. The host is a name or an IP address without brackets.
type Target struct {
	Host string
	Port uint16
}

// String is HOST:PORT.
func (t Target) String() string { return net.JoinHostPort(t.Host, strconv.Itoa(int(t.Port))) }

// HeadSink is a second place for the head of the audit log.
type HeadSink struct {
	Kind   HeadSinkKind
	Target string // absolute path of a file or socket; or HOST:PORT, empty for the local syslog
}

// Socket is the path of the datagram socket of a syslog on this machine, false for one that is elsewhere.
func (h HeadSink) Socket() (string, bool) {
	switch {
	case h.Kind != SyslogSink:
		return "", false
	case h.Target == "":
		return localSyslog, true
	}
	return h.Target, strings.HasPrefix(h.Target, "/")
}

// HeadSinkKind is a kind of second place. The zero value is none.
type HeadSinkKind uint8

// The kinds.
const (
	NoSink HeadSinkKind = iota
	FileSink
	SyslogSink
)

// String writes the sink as in the configuration.
func (h HeadSink) String() string {
	switch h.Kind {
	case FileSink:
		return "file:" + h.Target
	case SyslogSink:
		return "syslog:" + h.Target
	case NoSink:
	}
	return ""
}

// Principal is a Unix user or group that holds a role.
type Principal struct {
	Group bool
	ID    uint32
	Name  string // as written
}
