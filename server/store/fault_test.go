package store_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"sallyport/internal/xmpp/jid"
	"sallyport/server/account"
	"sallyport/server/archive"
	"sallyport/server/store"
	"sallyport/testbed/postgres"
)

// readyFile is a SQLite file with a domain.
func readyFile(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "server.db")
	s, err := store.Open(t.Context(), store.Options{DSN: "sqlite:" + path})
	if err != nil {
		t.Fatal(err)
	}
	domain(t, s, "a.example")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// kept looks for all accounts that a child has said to be kept, and none that it said is not.
func kept(t *testing.T, s *store.Store, said string) (n int) {
	t.Helper()
	for line := range strings.Lines(said) {
		f := strings.Fields(line)
		switch f[0] {
		case "kept":
			n++
			if _, err := s.Account(t.Context(), jid.MustParse(f[1])); err != nil {
				t.Errorf("%s was kept: %v", f[1], err)
			}
		case "full":
			if _, err := s.Account(t.Context(), jid.MustParse(f[2])); !errors.Is(err, account.ErrNotFound) {
				t.Errorf("%s found a full disk, and is there: %v", f[2], err)
			}
		}
	}
	return n
}

// TestSystemCallsFail: strace lets calls on the files of the store fail in another process. What it had acknowledged is there
// when the file is opened again, and after a failed write or fsync it neither wrote nor read any more.
func TestSystemCallsFail(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, inject, says string
		goesOn             bool
	}{
		{"an fsync fails", "fsync,fdatasync:error=EIO:when=20", "broken true", false},
		{"all fsyncs fail", "fsync,fdatasync:error=EIO:when=20+", "broken true", false},
		{"a write fails", "pwrite64:error=EIO:when=40", "broken true", false},
		{"the disk is full once", "pwrite64:error=ENOSPC:when=40", "full true u", true},
		{"the disk stays full", "pwrite64:error=ENOSPC:when=40+", "full true u", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			path := readyFile(t)
			cmd := exec.CommandContext(t.Context(), "strace", "-f", "-qq", "-o", os.DevNull, "-P", path, "-P", path+"-wal",
				"-e", "trace=fsync,fdatasync,pwrite64", "-e", "inject="+tt.inject, os.Args[0])
			cmd.Env = append(os.Environ(), childEnv+"="+path)
			out, err := cmd.Output()
			if err != nil {
				t.Fatalf("%v (strace comes with testbed/install-peers.sh)\n%s", err, out)
			}
			if !bytes.Contains(out, []byte(tt.says)) || bytes.Contains(out, []byte("false")) {
				t.Errorf("no %q in:\n%s", tt.says, out)
			}
			s := place{"sqlite", "sqlite:" + path}.open(t)
			n := kept(t, s, string(out))
			// strace counts the calls of each thread, and Go has a few: more than one account may have found a full disk.
			if n == 0 || n == childAccounts || (n > childAccounts/2) != tt.goesOn {
				t.Errorf("%d of %d accounts were kept", n, childAccounts)
			}
			if err := s.Check(t.Context(), store.Whole); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestKilled: what another process acknowledged before SIGKILL is there.
func TestKilled(t *testing.T) {
	t.Parallel()
	path := readyFile(t)
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+path)
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(pipe)
	var said strings.Builder
	for range childAccounts / 4 {
		line, err := in.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		said.WriteString(line)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	rest, err := io.ReadAll(in)
	if err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // killed, as asked for
	said.Write(rest[:bytes.LastIndexByte(rest, '\n')+1])
	s := place{"sqlite", "sqlite:" + path}.open(t)
	if n := kept(t, s, said.String()); n < childAccounts/4 {
		t.Errorf("%d were kept", n)
	}
	if err := s.Check(t.Context(), store.Whole); err != nil {
		t.Error(err)
	}
}

// TestDamagedFile: a store whose file is not what was written is not opened.
func TestDamagedFile(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		damage func(*os.File, int64) error
	}{
		{"a page in the middle", func(f *os.File, size int64) error {
			return second64(f.WriteAt(bytes.Repeat([]byte{0xA5}, 4096), size/4096/2*4096))
		}},
		{"the header", func(f *os.File, _ int64) error { return second64(f.WriteAt([]byte("not a database"), 0)) }},
		{"the end is gone", func(f *os.File, size int64) error { return f.Truncate(size / 2) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			path := readyFile(t)
			s, err := store.Open(t.Context(), store.Options{DSN: "sqlite:" + path})
			if err != nil {
				t.Fatal(err)
			}
			entries := make([]archive.Entry, archive.MaxAppend)
			for i := range entries {
				entries[i] = archive.Entry{Owner: jid.MustParse("juliet@a.example"), Stanza: fmt.Appendf(nil, "<message id='%d'/>", i)}
			}
			if _, err := s.AppendArchive(t.Context(), moment(1), "n1", entries); err != nil {
				t.Fatal(err)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			f, err := os.OpenFile(path, os.O_RDWR, 0)
			if err != nil {
				t.Fatal(err)
			}
			info, err := f.Stat()
			if err := errors.Join(err, tt.damage(f, info.Size()), f.Close()); err != nil {
				t.Fatal(err)
			}
			s, err = store.Open(t.Context(), store.Options{DSN: "sqlite:" + path})
			if !errors.Is(err, store.ErrBroken) || !strings.Contains(err.Error(), "sallyport store restore") {
				t.Errorf("got %v", err)
			}
			if err == nil {
				s.Close()
			}
		})
	}
}

func second64(_ int, err error) error { return err }

func TestFileThatOthersRead(t *testing.T) {
	t.Parallel()
	path := readyFile(t)
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Open(t.Context(), store.Options{DSN: "sqlite:" + path}); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("got %v", err)
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		s := place{"sqlite", "sqlite:" + readyFile(t)}
		s.open(t)
		info, err := os.Stat(strings.TrimPrefix(s.dsn, "sqlite:") + suffix)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%q has mode %v, %v", suffix, info.Mode(), err)
		}
	}
}

// TestPostgresCrashes: what was acknowledged is there after a crash; while it is down nothing is; a page whose checksum is
// wrong breaks the store.
func TestPostgresCrashes(t *testing.T) {
	t.Parallel()
	own, err := postgres.Start()
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := own.Stop(); err != nil {
			t.Error(err)
		}
	}()
	s, err := store.Open(t.Context(), store.Options{DSN: own.DSN("")})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	domain(t, s, "a.example")
	for i := range 50 {
		if err := s.CreateAccount(t.Context(), someAccount(fmt.Sprintf("u%d@a.example", i))); err != nil {
			t.Fatal(err)
		}
	}
	down := func() error {
		err := s.CreateAccount(t.Context(), someAccount("late@a.example"))
		if err == nil || errors.Is(err, account.ErrNotFound) {
			return fmt.Errorf("a database that is down says %w", err)
		}
		return nil
	}
	if err := own.Crash(down); err != nil {
		t.Fatal(err)
	}
	if n, _, err := s.CountAccounts(t.Context(), "a.example"); err != nil || n != 50 {
		t.Errorf("%d accounts are there, %v", n, err)
	}
	var path string
	c, err := pgx.Connect(t.Context(), own.DSN(""))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.QueryRow(t.Context(), "SELECT pg_relation_filepath('accounts')").Scan(&path); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Exec(t.Context(), "CHECKPOINT"); err != nil { // or the log would repair the page
		t.Fatal(err)
	}
	c.Close(t.Context())
	if err := own.Crash(func() error { return own.Damage(path, 0) }); err != nil {
		t.Fatal(err)
	}
	if err := s.Check(t.Context(), store.Whole); !errors.Is(err, store.ErrBroken) {
		t.Errorf("a damaged page: %v", err)
	}
	if _, err := s.Account(t.Context(), jid.MustParse("u1@a.example")); !errors.Is(err, store.ErrBroken) {
		t.Errorf("reading after that: %v", err)
	}
	if err := s.Failed(); !errors.Is(err, store.ErrBroken) {
		t.Errorf("it has failed with %v", err)
	}
}
