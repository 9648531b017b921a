package peers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// Times that bound a server's life in a test. Generous: on a busy machine of two cores ejabberd takes
// some seconds to start.
const (
	startTimeout = 3 * time.Minute
	stopGrace    = time.Minute
)

// Process is one child that cannot outlive us: it leads a process group of its own, which is killed
// as a whole at the end, and the kernel kills it when we die (PR_SET_PDEATHSIG).
type Process struct {
	name string
	log  string // file with its standard output and error
	// logStart is where this child's words begin in the file.
	logStart int64
	cmd      *exec.Cmd
	done     chan struct{}
	err      error // valid after done
}

// Command says what to start.
type Command struct {
	Name string   // for messages
	Argv []string // program and arguments
	Dir  string
	Env  []string
	Log  string // file for standard output and error, appended to
	// User it runs as, for programs that refuse to be root; nil: as we do.
	User *syscall.Credential
}

// StartProcess starts a child and returns as soon as it runs.
func StartProcess(c Command) (*Process, error) {
	out, err := os.OpenFile(c.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("log of %s: %w", c.Name, err)
	}
	earlier, err := out.Stat()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(c.Argv[0], c.Argv[1:]...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = c.Dir, c.Env, out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL, Credential: c.User}
	p := &Process{name: c.Name, log: c.Log, logStart: earlier.Size(), cmd: cmd, done: make(chan struct{})}
	started := make(chan error)
	go p.run(out, started)
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w (install it with testbed/install-peers.sh)", c.Name, err)
	}
	return p, nil
}

// run owns the child. The parent-death signal is sent when the *thread* that started the child ends, so
// this goroutine keeps its thread for as long as the child lives.
func (p *Process) run(out *os.File, started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := p.cmd.Start()
	_ = out.Close()
	started <- err
	if err != nil {
		return
	}
	p.err = p.cmd.Wait()
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) // whatever it left behind
	close(p.done)
}

// PID of the child.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Running says whether the child is still there.
func (p *Process) Running() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// Signal sends a signal to the child alone.
func (p *Process) Signal(s os.Signal) error { return p.cmd.Process.Signal(s) }

// Stop asks the child to end and kills its group when it does not; it returns when it is gone.
func (p *Process) Stop() error {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended already
	select {
	case <-p.done:
		return nil
	case <-time.After(stopGrace):
		p.Kill()
		return fmt.Errorf("%s ignored SIGTERM for %v and was killed", p.name, stopGrace)
	}
}

// Kill ends the child at once, like a crash, and waits until it is gone.
func (p *Process) Kill() {
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) // no such group: it has ended already
	<-p.done
}

// Wait returns how the child ended, or the context's error.
func (p *Process) Wait(ctx context.Context) error {
	select {
	case <-p.done:
		return p.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// AwaitPort returns when something accepts connections at addr, or with the end of the log when the
// child has ended or the time is up.
func (p *Process) AwaitPort(addr netip.AddrPort, limit time.Duration) error {
	deadline := time.After(limit)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		c, err := net.DialTimeout("tcp", addr.String(), time.Second)
		if err == nil {
			return c.Close()
		}
		select {
		case <-p.done:
			return p.Trouble(fmt.Errorf("ended while starting: %v", p.err))
		case <-deadline:
			return p.Trouble(fmt.Errorf("does not answer on %s after %v", addr, limit))
		case <-tick.C:
		}
	}
}

// AwaitLine returns when the child has said text since it was started.
func (p *Process) AwaitLine(text string, limit time.Duration) error {
	deadline := time.After(limit)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		said, err := os.ReadFile(p.log)
		if err != nil {
			return err
		}
		if bytes.Contains(said[p.logStart:], []byte(text)) {
			return nil
		}
		select {
		case <-p.done:
			return p.Trouble(fmt.Errorf("ended while starting: %v", p.err))
		case <-deadline:
			return p.Trouble(fmt.Errorf("did not say %q within %v", text, limit))
		case <-tick.C:
		}
	}
}

// Trouble adds the end of the child's log to an error.
func (p *Process) Trouble(cause error) error {
	tail, err := tailOf(p.log, 3000)
	if err != nil {
		return errors.Join(fmt.Errorf("%s %w", p.name, cause), err)
	}
	return fmt.Errorf("%s %w\n--- end of %s\n%s", p.name, cause, p.log, tail)
}

func tailOf(path string, n int) ([]byte, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return b[max(0, len(b)-n):], nil
}
