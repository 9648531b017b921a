package config

import (
	"errors"
	"math"
	"net"
	"net/netip"
	"os/user"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"

	"sallyport/internal/tlsid"
	"sallyport/links"
	"sallyport/rules"
)

// isLeaf says whether a struct or slice is one value in the file.
func isLeaf(rv reflect.Value) bool {
	switch rv.Interface().(type) {
	case netip.AddrPort, Target, tlsid.Pin, HeadSink, Principal, Files, Network, Window, Budget:
		return true
	}
	return false
}

// leaf reads a value with a form of its own. It reports whether the type is such a one.
func (d *decoder) leaf(key string, v any, rv reflect.Value, f *field) bool {
	switch p := rv.Addr().Interface().(type) {
	case *File:
		d.path(key, v, (*string)(p))
	case *rules.File:
		d.path(key, v, (*string)(p))
	case *Files:
		d.paths(key, v, p)
	case *Path:
		d.path(key, v, (*string)(p))
	case *Dir:
		d.path(key, v, (*string)(p))
	case *SecretFile:
		d.secret(key, v, (*string)(p))
	case *NewSecret:
		d.secret(key, v, (*string)(p))
	case *Size:
		if n, ok := d.size(key, v); ok {
			*p = n
			d.bounds(key, int64(n), f, func(s string) (int64, error) { n, err := parseSize(s); return int64(n), err })
		}
	case *time.Duration:
		if t, ok := parsed(d, key, v, "a time such as \"30s\", \"5m\" or \"7d\"", parseDuration); ok {
			*p = t
			d.bounds(key, int64(t), f, func(s string) (int64, error) { t, err := parseDuration(s); return int64(t), err })
		}
	case *netip.AddrPort:
		*p, _ = parsed(d, key, v, `an IP address with a port, such as "127.0.0.1:5269" or "[::1]:5269"`, netip.ParseAddrPort)
	case *Pattern:
		*p, _ = parsed(d, key, v, `a domain such as "a.example", or "*.a.example" for all below it`, parsePattern)
	case *Target:
		*p, _ = parsed(d, key, v, `a host with a port, such as "xmpp.a.example:5269"`, parseTarget)
	case *tlsid.Pin:
		*p, _ = parsed(d, key, v, `"spki-sha256:" or "cert-sha256:" with a hash in base64 or hexadecimal`, tlsid.ParsePin)
	case *HeadSink:
		*p, _ = parsed(d, key, v, `"file:PATH", "syslog:", "syslog:/PATH" or "syslog:HOST:PORT"`, d.parseHeadSink)
	case *Network:
		*p, _ = parsed(d, key, v, `an address such as "192.0.2.7", or a range such as "192.0.2.0/24"`, parseNetwork)
	case *Window:
		*p, _ = parsed(d, key, v, `a part of the day such as "22:00-06:30"`, parseWindow)
	case *Budget:
		*p, _ = parsed(d, key, v, `bytes in a time such as "200 KiB/1h", or a share of the air time such as "20 %"`, parseBudget)
	case *Principal:
		*p, _ = parsed(d, key, v, `"user:NAME", "group:NAME", "uid:NUMBER" or "gid:NUMBER" of this machine`, parsePrincipal)
	default:
		return false
	}
	return true
}

var errForm = errors.New("not of the form")

// parsed reads text with parse and reports what it should have been.
func parsed[T any](d *decoder, key string, v any, wants string, parse func(string) (T, error)) (T, bool) {
	var zero T
	s, ok := v.(string)
	if !ok {
		d.mismatch(key, v, wants)
		return zero, false
	}
	t, err := parse(s)
	if err != nil {
		d.bad(key, shown(s)+" is not "+wants, "")
		return zero, false
	}
	return t, true
}

// bounds checks a number against the limits of its key.
func (d *decoder) bounds(key string, n int64, f *field, parse func(string) (int64, error)) {
	if least, err := parse(f.min); f.min != "" && err == nil && n < least {
		d.bad(key, "is too small", "the least is "+f.min)
	}
	if most, err := parse(f.max); f.max != "" && err == nil && n > most {
		d.bad(key, "is too large", "the most is "+f.max)
	}
}

func (d *decoder) path(key string, v any, p *string) {
	s, ok := v.(string)
	switch {
	case !ok:
		d.mismatch(key, v, "a path in quotes")
	case s == "" || strings.ContainsAny(s, "\x00\n\r"):
		d.bad(key, shown(s)+" is not a path", "write the name of a file")
	default:
		*p = d.absolute(s)
	}
}

// paths reads one path, or a list of them.
func (d *decoder) paths(key string, v any, p *Files) {
	*p = nil
	list, ok := v.([]any)
	if !ok {
		one := File("")
		d.path(key, v, (*string)(&one))
		*p = Files{one}
		return
	}
	for i, v := range list {
		one := File("")
		d.path(entryKey(key, i+1), v, (*string)(&one))
		*p = append(*p, one)
	}
}

// absolute resolves a path against the folder of the configuration.
func (d *decoder) absolute(s string) string {
	if !filepath.IsAbs(s) {
		s = filepath.Join(d.dir, s)
	}
	return filepath.Clean(s)
}

// pathLike is what a name of a file with a secret looks like. It keeps a secret that
// was written in its place from becoming the name of a new file, or part of a message.
var pathLike = regexp.MustCompile(`^((/|\./|\.\./)[^\s]+|[^\s]+\.(pem|key|der|secret|bin))$`)

func (d *decoder) secret(key string, v any, p *string) {
	s, ok := v.(string)
	switch {
	case !ok:
		d.mismatch(key, v, "the path of a file in quotes")
	case len(s) > 1024 || !pathLike.MatchString(s):
		d.bad(key, "is not the path of a file (it is not shown, it could be the secret itself)",
			"put the secret into a file with mode 0600 and write its path here, beginning with / or ./")
	default:
		*p = d.absolute(s)
	}
}

func (d *decoder) size(key string, v any) (Size, bool) {
	if n, ok := v.(int64); ok {
		if n < 0 {
			d.bad(key, "is below zero", "write a number of bytes")
			return 0, false
		}
		return Size(n), true
	}
	return parsed(d, key, v, `a size such as 65536, "64 KiB", "64 MiB" or "1 GiB"`, parseSize)
}

var sizeForm = regexp.MustCompile(`^([0-9]{1,18}) ?(KiB|MiB|GiB|)$`)

func parseSize(s string) (Size, error) {
	m := sizeForm.FindStringSubmatch(s)
	if m == nil {
		return 0, errForm
	}
	n, err := parseWhole(m[1])
	unit := Size(1)
	for _, u := range sizeUnits {
		if u.name == m[2] {
			unit = u.bytes
		}
	}
	if err != nil || n > math.MaxInt64/int64(unit) {
		return 0, errForm
	}
	return Size(n) * unit, nil
}

func parseWhole(s string) (int64, error) { return strconv.ParseInt(s, 10, 64) }

// parseDuration is time.ParseDuration with whole days, too, and nothing below zero.
func parseDuration(s string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(s, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 16)
		return time.Duration(n) * 24 * time.Hour, err
	}
	t, err := time.ParseDuration(s)
	if err == nil && t < 0 {
		err = errForm
	}
	return t, err
}

var hostForm = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_.-]{0,252}[A-Za-z0-9.])?$`)

func parseTarget(s string) (Target, error) {
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		return Target{}, err
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 {
		return Target{}, errForm
	}
	if _, err := netip.ParseAddr(host); err != nil && !hostForm.MatchString(host) {
		return Target{}, errForm
	}
	return Target{Host: host, Port: uint16(n)}, nil
}

func (d *decoder) parseHeadSink(s string) (HeadSink, error) {
	kind, target, ok := strings.Cut(s, ":")
	switch {
	case ok && kind == "file" && target != "":
		return HeadSink{Kind: FileSink, Target: d.absolute(target)}, nil
	case ok && kind == "syslog" && target == "":
		return HeadSink{Kind: SyslogSink}, nil
	case ok && kind == "syslog" && strings.Contains(target, "/"):
		return HeadSink{Kind: SyslogSink, Target: d.absolute(target)}, nil
	case ok && kind == "syslog":
		t, err := parseTarget(target)
		return HeadSink{Kind: SyslogSink, Target: t.String()}, err
	}
	return HeadSink{}, errForm
}

func parseNetwork(s string) (Network, error) {
	if p, err := netip.ParsePrefix(s); err == nil {
		return Network{p.Masked()}, nil
	}
	a, err := netip.ParseAddr(s)
	if err != nil || a.Zone() != "" {
		return Network{}, errForm
	}
	return Network{netip.PrefixFrom(a, a.BitLen())}, nil
}

func parseWindow(s string) (Window, error) {
	w, err := links.ParseWindow(s)
	return Window(w), err
}

func parsePrincipal(s string) (Principal, error) {
	kind, name, _ := strings.Cut(s, ":")
	p := Principal{Name: s, Group: kind == "group" || kind == "gid"}
	number := name
	switch kind {
	case "uid", "gid":
	case "user":
		u, err := user.Lookup(name)
		if err != nil {
			return Principal{}, err
		}
		number = u.Uid
	case "group":
		g, err := user.LookupGroup(name)
		if err != nil {
			return Principal{}, err
		}
		number = g.Gid
	default:
		return Principal{}, errForm
	}
	n, err := strconv.ParseUint(number, 10, 32)
	p.ID = uint32(n)
	return p, err
}
