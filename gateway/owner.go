package gateway

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// ownState wants the folder of the node's state to belong to who runs this process, where it exists: files that another makes there, root
// too, would keep the node from starting.
func ownState(state string) error {
	info, err := os.Stat(state)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("state of the node: %w", err)
	}
	uid := os.Geteuid()
	if is, ok := info.Sys().(*syscall.Stat_t); ok && int(is.Uid) != uid {
		return fmt.Errorf("%s belongs to %s, and this runs as %s: run it as %[2]s, or give that folder with all in it to %s (chown -R)",
			state, nameOf(int(is.Uid)), nameOf(uid))
	}
	return nil
}

func nameOf(uid int) string {
	id := strconv.Itoa(uid)
	if u, err := user.LookupId(id); err == nil {
		return u.Username
	}
	return id
}

// unopened says what to do about files of the state that cannot be opened, though the folder is ours.
func unopened(state string, err error) error {
	if !errors.Is(err, fs.ErrPermission) {
		return err
	}
	who := nameOf(os.Geteuid())
	return fmt.Errorf("%w; this runs as %s, to whom all in %s has to belong (chown -R %[2]s %[3]s)", err, who, state)
}

// unheard says what to do about an address that could not be listened on.
func unheard(err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%w; another program or node has that address (ss -ltnp shows which): stop it, or change the address in the configuration", err)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("%w; this machine has no such address (ip addr shows those it has)", err)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w; ports below 1024 are for root, or for who has CAP_NET_BIND_SERVICE", err)
	}
	return err
}
