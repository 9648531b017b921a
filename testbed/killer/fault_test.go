package main

import (
	"testing"

	"sallyport/testbed/scenario"
)

// TestRealFaults: system calls of a real gateway fail under load. Whatever it had acknowledged it has, also after the restart; what it
// could not keep it never acknowledged. Without strace this fails: see testbed/install-peers.sh.
func TestRealFaults(t *testing.T) {
	t.Parallel()
	binary, err := scenario.Binary()
	if err != nil {
		t.Fatal(err)
	}
	for name, i := range map[string]Injection{
		"spool, a sync fails":              {"spool", []string{"fdatasync:error=EIO:when=8+"}, true},
		"spool, a write fails":             {"spool", []string{"pwrite64:error=EIO:when=8+"}, true},
		"spool, the disk is full":          {"spool", []string{"pwrite64:error=ENOSPC:when=8"}, false},
		"spool, full, and no way back":     {"spool", []string{"pwrite64:error=ENOSPC:when=8+", "ftruncate:error=EIO"}, true},
		"audit, a sync fails":              {"audit", []string{"fdatasync:error=EIO:when=8+"}, true},
		"audit, a write finds a full disk": {"audit", []string{"pwrite64:error=ENOSPC:when=8+"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := RunFault(t.Context(), Options{Binary: binary, Dir: t.TempDir(), Gateways: 2, Rate: 100, Seed: 1}, i)
			t.Log(r.Text())
			if err != nil {
				t.Fatal(err)
			}
			if !r.Held() {
				t.Error("the account does not hold")
			}
		})
	}
}
