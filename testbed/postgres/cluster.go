package postgres

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"sallyport/testbed/peers"
)

const startTimeout = 3 * time.Minute

// account is who runs PostgreSQL when we are root, which it refuses to be; Debian's package makes it.
const account = "postgres"

// Cluster is a running PostgreSQL.
type Cluster struct {
	// Dir holds everything; Stop removes it.
	Dir     string
	bin     string
	who     *syscall.Credential
	process *peers.Process
}

// Start makes a cluster and returns when it answers. The caller stops it.
func Start() (c *Cluster, err error) {
	bin, err := programs()
	if err != nil {
		return nil, err
	}
	// In the directory for temporary files itself, because the path of a Unix socket has to be short.
	dir, err := os.MkdirTemp("", "sallyport-pg-")
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(dir))
		}
	}()
	who, err := unprivileged(dir)
	if err != nil {
		return nil, err
	}
	data := filepath.Join(dir, "data")
	initdb := exec.Command(filepath.Join(bin, "initdb"), "--pgdata", data, "--username", "sallyport", "--auth", "trust",
		"--encoding", "UTF8", "--locale", "C.UTF-8", "--data-checksums", "--no-instructions")
	initdb.Dir = dir
	initdb.SysProcAttr = &syscall.SysProcAttr{Credential: who}
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w\n%s", err, out)
	}
	c = &Cluster{Dir: dir, bin: bin, who: who}
	return c, c.launch()
}

// launch starts the server on the data that is there.
func (c *Cluster) launch() error {
	p, err := peers.StartProcess(peers.Command{
		Name: "postgres", Dir: c.Dir, User: c.who, Log: filepath.Join(c.Dir, "log"), Env: []string{"PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8"},
		Argv: []string{
			filepath.Join(c.bin, "postgres"), "-D", filepath.Join(c.Dir, "data"), "-k", c.Dir,
			"-c", "listen_addresses=", "-c", "unix_socket_permissions=0777", "-c", "max_connections=200", "-c", "shared_buffers=32MB",
		},
	})
	if err != nil {
		return err
	}
	if err := p.AwaitLine("database system is ready to accept connections", startTimeout); err != nil {
		p.Kill()
		return err
	}
	c.process = p
	return nil
}

// DSN is the address of the cluster's one database. What is in schema is apart from all other schemas.
func (c *Cluster) DSN(schema string) string {
	q := url.Values{"host": {c.Dir}, "sslmode": {"disable"}}
	if schema != "" {
		q.Set("search_path", schema)
	}
	return "postgres://sallyport@/postgres?" + q.Encode()
}

// Stop ends the cluster at once and removes it.
func (c *Cluster) Stop() error {
	_ = c.process.Signal(syscall.SIGINT) // the fast shutdown; it may have ended already
	return errors.Join(c.process.Stop(), os.RemoveAll(c.Dir))
}

// Crash ends the server without a checkpoint (its immediate shutdown; after SIGKILL its children would hold their shared memory for
// a moment), and runs do while it is down; then it starts again and recovers from its log.
func (c *Cluster) Crash(do func() error) error {
	_ = c.process.Signal(syscall.SIGQUIT) // Wait tells if it had ended already
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	_ = c.process.Wait(ctx) // killed children make it end with an error
	if c.process.Running() {
		return errors.New("PostgreSQL does not end")
	}
	if err := do(); err != nil {
		return err
	}
	return c.launch()
}

// Damage writes over one page of a table, given by pg_relation_filepath, while the server is down.
func (c *Cluster) Damage(path string, page int64) error {
	f, err := os.OpenFile(filepath.Join(c.Dir, "data", path), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteAt([]byte("damaged"), page*8192+4096)
	return errors.Join(err, f.Close())
}

// programs finds the newest PostgreSQL of the machine.
func programs() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		return "", errors.Join(errors.New("PostgreSQL is not installed: run testbed/install-peers.sh"), err)
	}
	return filepath.Dir(found[len(found)-1]), nil
}

// unprivileged gives dir to somebody who is not root; nil if we are not either.
func unprivileged(dir string) (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup(account)
	if err != nil {
		return nil, fmt.Errorf("%w: run testbed/install-peers.sh", err)
	}
	uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
	gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
	if err := errors.Join(err1, err2, os.Chown(dir, int(uid), int(gid))); err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}
