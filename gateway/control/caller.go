package control

import (
	"slices"
	"strconv"

	"sallyport/internal/role"
)

// Grant gives a role to a Unix user or group.
type Grant struct {
	Role  role.Role
	Group bool
	ID    uint32
}

// Caller is who asks, as the kernel says, or as he has logged in as a client.
type Caller struct {
	UID, GID uint32
	PID      int32
	User     string // login name, or the number
	Role     role.Role
	Address  string // of a client of the server, who is no process of this machine
}

// String is for logs and the audit record.
func (c Caller) String() string {
	if c.Address != "" {
		return c.Address
	}
	return c.User + " (uid " + strconv.FormatUint(uint64(c.UID), 10) + ", pid " + strconv.Itoa(int(c.PID)) + ")"
}

// Identity is who a process is to the system.
type Identity struct {
	UID, GID uint32
	PID      int32
	User     string // login name, or the number
	Groups   []uint32
}

// role is the highest that the grants give. Root and the gateway's own user have all of
// them: they could change its files as well.
func (i *Identity) role(grants []Grant, own uint32) role.Role {
	if i.UID == 0 || i.UID == own {
		return role.Policy
	}
	has := role.None
	for _, g := range grants {
		if !g.Group && g.ID == i.UID || g.Group && slices.Contains(i.Groups, g.ID) {
			has = max(has, g.Role)
		}
	}
	return has
}
