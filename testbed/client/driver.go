package client

import (
	"bufio"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"
)

//go:embed driver.py
var program string

// python is Debian's, which has slixmpp; another one earlier in the path may not.
const python = "/usr/bin/python3"

const (
	maxLine      = 16 << 20        // bytes of one event
	commandLimit = 3 * time.Minute // longer than any limit inside the driver
	stopGrace    = 30 * time.Second
)

// Driver is the Python process. Safe for use by several goroutines.
type Driver struct {
	cmd   *exec.Cmd
	stdin io.WriteCloser
	done  chan struct{}
	err   error // valid after done

	writing sync.Mutex

	mu       sync.Mutex
	next     int
	answers  map[int]chan reply
	sessions map[string]*Client
}

// command is one line to the driver; see driver.py for what each verb reads.
type command struct {
	ID      int    `json:"id"`
	Do      string `json:"do"`
	Session string `json:"session,omitempty"`

	JID       string   `json:"jid,omitempty"`
	Password  string   `json:"password,omitempty"`
	Host      string   `json:"host,omitempty"`
	Port      uint16   `json:"port,omitempty"`
	CA        string   `json:"ca,omitempty"`
	Cert      string   `json:"cert,omitempty"`
	Key       string   `json:"key,omitempty"`
	Component bool     `json:"component,omitempty"`
	Register  bool     `json:"register,omitempty"`
	Interests []string `json:"interests,omitempty"`

	To        string   `json:"to,omitempty"`
	Type      string   `json:"type,omitempty"`
	MessageID string   `json:"message_id,omitempty"`
	Body      string   `json:"body,omitempty"`
	Nick      string   `json:"nick,omitempty"`
	Node      string   `json:"node,omitempty"`
	Item      string   `json:"item,omitempty"`
	XML       string   `json:"xml,omitempty"`
	Extra     []string `json:"extra,omitempty"`
}

// reply is one line from the driver: the answer to a command or an event.
type reply struct {
	ID     int    `json:"id"`
	Result string `json:"result"`
	Error  string `json:"error"`

	Session string `json:"session"`
	Event
}

// Refused is the answer of somebody who would not: an error stanza instead of a result.
type Refused struct {
	Condition string // of RFC 6120 §8.3.3, or "timeout"
	Text      string
}

func (r *Refused) Error() string { return r.Text }

// StartDriver runs the Python program. Its complaints go to stderr.
func StartDriver() (*Driver, error) {
	cmd := exec.Command(python, "-u", "-c", program)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	d := &Driver{cmd: cmd, stdin: stdin, done: make(chan struct{}), answers: map[int]chan reply{}, sessions: map[string]*Client{}}
	started := make(chan error)
	go d.run(stdout, started)
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start slixmpp (install it with testbed/install-peers.sh): %w", err)
	}
	return d, nil
}

// run owns the process; it keeps its thread because the parent-death signal belongs to the thread.
func (d *Driver) run(stdout io.Reader, started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := d.cmd.Start()
	if err != nil {
		started <- err
		return
	}
	lines := bufio.NewScanner(stdout)
	lines.Buffer(make([]byte, 64<<10), maxLine)
	if !lines.Scan() {
		_ = d.stdin.Close()
		started <- fmt.Errorf("ended at once: %w", d.cmd.Wait())
		return
	}
	started <- nil
	for lines.Scan() {
		var r reply
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			d.err = fmt.Errorf("driver said %.200q: %w", lines.Bytes(), err)
			continue
		}
		d.dispatch(r)
	}
	d.err = errors.Join(d.err, lines.Err(), d.cmd.Wait())
	d.mu.Lock()
	for _, c := range d.sessions {
		c.deliver(Event{Kind: "disconnected", Body: "driver ended"})
	}
	d.mu.Unlock()
	close(d.done)
}

func (d *Driver) dispatch(r reply) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if r.Kind != "" {
		if c := d.sessions[r.Session]; c != nil {
			c.deliver(r.Event)
		}
		return
	}
	if answer := d.answers[r.ID]; answer != nil {
		delete(d.answers, r.ID)
		answer <- r
	}
}

// do sends a command and waits for its answer.
func (d *Driver) do(c command) (string, error) {
	answer := make(chan reply, 1)
	d.mu.Lock()
	d.next++
	c.ID = d.next
	d.answers[c.ID] = answer
	d.mu.Unlock()
	if err := d.write(c); err != nil {
		return "", fmt.Errorf("%s: %w", c.Do, err)
	}
	select {
	case r := <-answer:
		if r.Error != "" {
			return "", fmt.Errorf("%s %s: %w", c.Session, c.Do, &Refused{Condition: r.Condition, Text: r.Error})
		}
		return r.Result, nil
	case <-d.done:
		return "", fmt.Errorf("%s: driver ended: %w", c.Do, d.err)
	case <-time.After(commandLimit):
		return "", fmt.Errorf("%s: no answer from the driver for %v", c.Do, commandLimit)
	}
}

func (d *Driver) write(c command) error {
	line, err := json.Marshal(c)
	if err != nil {
		return err
	}
	d.writing.Lock()
	defer d.writing.Unlock()
	_, err = d.stdin.Write(append(line, '\n'))
	return err
}

// Close ends the process and waits for it.
func (d *Driver) Close() error {
	_ = d.stdin.Close() // the driver ends with its input
	select {
	case <-d.done:
	case <-time.After(stopGrace):
		_ = syscall.Kill(-d.cmd.Process.Pid, syscall.SIGKILL)
		<-d.done
	}
	return d.err
}
