package audit

import (
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"sallyport/internal/disk"
)

// HeadSink keeps copies of the head where whoever can change the log cannot change them. Put is called with one line of
// JSON by one goroutine at a time; it should not take longer than the interval between heads.
type HeadSink interface {
	Put(line []byte) error
	Close() error
}

// FileSink keeps the newest head in a file of another directory, best on another disk or machine.
type FileSink struct {
	dir  *disk.Dir
	name string
}

// OpenFileSink opens a sink that replaces the file name in the directory dir.
func OpenFileSink(dir, name string) (*FileSink, error) {
	d, err := disk.MakeDir(dir)
	if err != nil {
		return nil, fmt.Errorf("head file: %w", err)
	}
	return &FileSink{d, name}, nil
}

// Put implements HeadSink.
func (s *FileSink) Put(line []byte) error {
	return disk.Replace(s.dir, s.name, append(line[:len(line):len(line)], '\n'))
}

// Close implements HeadSink.
func (s *FileSink) Close() error { return s.dir.Close() }

const (
	// syslogPriority is facility 13 (log audit), severity 5 (notice), RFC 5424 §6.2.1.
	syslogPriority = 13*8 + 5
	// syslogPatience bounds how long a full socket may hold up the heads.
	syslogPatience = 200 * time.Millisecond
)

// SyslogSink sends each head as one RFC 5424 line to a datagram socket. A daemon that restarts is found again with the next head.
type SyslogSink struct {
	network, address string
	host             string
	clock            func() time.Time
	conn             net.Conn
}

// DialSyslog makes a sink for network "unixgram" (such as /dev/log) or "udp"; host names this machine in the lines.
func DialSyslog(network, address, host string) (*SyslogSink, error) {
	if network != "unixgram" && network != "udp" {
		return nil, fmt.Errorf("syslog: network %q is neither unixgram nor udp", network)
	}
	s := &SyslogSink{network: network, address: address, host: syslogName(host), clock: time.Now}
	if err := s.dial(); err != nil {
		return nil, fmt.Errorf("syslog: %w", err)
	}
	return s, nil
}

func (s *SyslogSink) dial() error {
	conn, err := net.DialTimeout(s.network, s.address, syslogPatience)
	if err != nil {
		return err
	}
	s.conn = conn
	return nil
}

// Put implements HeadSink.
func (s *SyslogSink) Put(line []byte) error {
	if s.conn == nil {
		if err := s.dial(); err != nil {
			return fmt.Errorf("syslog: %w", err)
		}
	}
	// RFC 5424 §6: PRI VERSION TIMESTAMP HOSTNAME APP-NAME PROCID MSGID STRUCTURED-DATA MSG
	message := fmt.Appendf(nil, "<%d>1 %s %s sallyport %d audit-head - %s", syslogPriority,
		s.clock().UTC().Format("2006-01-02T15:04:05.000000Z"), s.host, os.Getpid(), line)
	err := s.conn.SetWriteDeadline(time.Now().Add(syslogPatience))
	if err == nil {
		_, err = s.conn.Write(message)
	}
	if err != nil {
		err = errors.Join(fmt.Errorf("syslog: %w", err), s.conn.Close())
		s.conn = nil
	}
	return err
}

// Close implements HeadSink.
func (s *SyslogSink) Close() error {
	if s.conn == nil {
		return nil
	}
	return s.conn.Close()
}

// syslogName keeps what RFC 5424 §6.2.4 allows in a name: at most 255 visible ASCII characters, "-" for none.
func syslogName(host string) string {
	b := make([]byte, 0, len(host))
	for i := 0; i < len(host) && len(b) < 255; i++ {
		if c := host[i]; c > ' ' && c < 0x7f {
			b = append(b, c)
		}
	}
	if len(b) == 0 {
		return "-"
	}
	return string(b)
}
