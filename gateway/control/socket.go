package control

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// ErrRunning says that another node answers on the socket.
var ErrRunning = errors.New("another node answers there; stop it, or give this one its own state directory")

// bind makes the socket in a directory of its own and moves it to its place when its mode
// is right, so that nobody can connect in between. Group -1 is mode 0600.
func bind(path string, group int) (*net.UnixListener, error) {
	if err := free(path); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(filepath.Dir(path), ".s")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	fresh := filepath.Join(dir, "s")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: fresh, Net: "unix"})
	if err != nil {
		return nil, err
	}
	l.SetUnlinkOnClose(false)
	if err := place(fresh, path, group); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

func place(fresh, path string, group int) error {
	mode := fs.FileMode(0o600)
	if group >= 0 {
		mode = 0o660
		if err := os.Chown(fresh, -1, group); err != nil {
			return fmt.Errorf("give the socket to group %d: %w", group, err)
		}
	}
	if err := os.Chmod(fresh, mode); err != nil {
		return err
	}
	return os.Rename(fresh, path)
}

// free makes sure that nothing but a left-over socket is replaced.
func free(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Mode()&fs.ModeSocket == 0 {
		return errors.New("there is something else than a socket; remove it, or set control.socket")
	}
	conn, err := net.DialTimeout("unix", path, time.Second)
	if err == nil {
		conn.Close()
		return ErrRunning
	}
	if !errors.Is(err, unix.ECONNREFUSED) {
		return err
	}
	return nil
}

// remove takes the socket away unless it is somebody else's by now.
func remove(path string, own os.FileInfo) error {
	now, err := os.Lstat(path)
	if err != nil || !os.SameFile(now, own) {
		return nil //nolint:nilerr // it is gone already
	}
	return os.Remove(path)
}

// systemIdentity asks the kernel who connected, and the system which groups that user is in.
func systemIdentity(conn *net.UnixConn) (Identity, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return Identity{}, err
	}
	var cred *unix.Ucred
	cerr := raw.Control(func(fd uintptr) {
		cred, err = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	})
	if err = errors.Join(err, cerr); err != nil {
		return Identity{}, err
	}
	who := Identity{UID: cred.Uid, GID: cred.Gid, PID: cred.Pid}
	who.User, who.Groups = groupsOf(cred.Uid, cred.Gid)
	return who, nil
}

// groupsOf looks a user up. Who is unknown has the group of the process alone.
func groupsOf(uid, gid uint32) (name string, groups []uint32) {
	groups = []uint32{gid}
	u, err := user.LookupId(strconv.FormatUint(uint64(uid), 10))
	if err != nil {
		return strconv.FormatUint(uint64(uid), 10), groups
	}
	ids, err := u.GroupIds()
	if err != nil {
		return u.Username, groups
	}
	for _, id := range ids {
		if n, err := strconv.ParseUint(id, 10, 32); err == nil {
			groups = append(groups, uint32(n))
		}
	}
	return u.Username, groups
}
