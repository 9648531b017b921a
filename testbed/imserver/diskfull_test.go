package imserver_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sallyport/testbed/imserver"
	"sallyport/testbed/peers"
	"sallyport/testbed/scenario"
)

// smallDisk is a file system in memory with little room.
type smallDisk struct {
	t   *testing.T
	dir string
}

// disk mounts one at an empty folder.
func disk(t *testing.T, dir string, bytes int) smallDisk {
	t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("tmpfs", dir, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, fmt.Sprintf("size=%d,mode=0700", bytes)); err != nil {
		t.Fatalf("mount a small disk, which needs root: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return smallDisk{t, dir}
}

func (d smallDisk) ballast() string { return filepath.Join(d.dir, "ballast") }

// fill leaves so much room, rounded to pages.
func (d smallDisk) fill(room int64) {
	d.t.Helper()
	var s unix.Statfs_t
	if err := unix.Statfs(d.dir, &s); err != nil {
		d.t.Fatal(err)
	}
	f, err := os.OpenFile(d.ballast(), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err == nil {
		err = errors.Join(unix.Fallocate(int(f.Fd()), 0, 0, int64(s.Bavail)*s.Bsize-room), f.Close())
	}
	if err != nil {
		d.t.Fatal(err)
	}
}

// clear gives the room back.
func (d smallDisk) clear() {
	d.t.Helper()
	if err := os.Remove(d.ballast()); err != nil {
		d.t.Fatal(err)
	}
}

// fullDisks are what stands on a disk that gets full.
var fullDisks = map[string]struct {
	folder  string // of the home
	problem string // that the operator is shown
	advice  string // in the log
	refused string // with one of these
	stops   bool   // until it is started again
}{
	"the store":        {"small", "the disk of the store is full", "make room on its disk", "resource-constraint", false},
	"the audit log":    {"state/audit", "audit log has failed", auditAdvice, "internal-server-error", true},
	"all of its state": {"state", "audit log has failed", auditAdvice, "resource-constraint internal-server-error", true},
}

const auditAdvice = "Make room or repair the disk, run 'sallyport audit verify', then restart the node"

// On a full disk nothing new is taken, and who sends is told so; what had been acknowledged is kept. The operator is told what to do, and with
// room everything goes on: by itself, or after a restart where the record has failed.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	for name, tc := range fullDisks {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, d := onSmallDisk(t, tc.folder)
			l := &loader{w: w, refused: map[string]bool{}, raw: w.rawLogin("juliet", "balcony"), allowed: tc.refused}
			l.load(2)
			if len(w.acked) != 20 || len(l.refused) > 0 {
				t.Fatalf("with room %d of 20 are acknowledged, and %d refused", len(w.acked), len(l.refused))
			}
			d.fill(16 << 10)
			l.load(30)
			for end := time.Now().Add(scenario.Patience); tc.stops && l.err == nil && time.Now().Before(end); {
				l.load(1)
			}
			if len(l.refused) == 0 && !(tc.stops && w.headFirst(l)) || (l.err != nil) != tc.stops {
				t.Errorf("%d of %d are refused; the stream ended with %v", len(l.refused), l.said, l.err)
			}
			w.waits("told the operator "+tc.advice, func() bool {
				s, err := w.home.Status()
				return err == nil && s.Ready != tc.stops && strings.Contains(strings.Join(s.Problems, " "), tc.problem) && strings.Contains(w.logged(), tc.advice)
			})
			if !tc.stops {
				w.login("nurse", "house") // who reads is served
			}
			d.clear()
			if !tc.stops {
				refused := len(l.refused)
				if l.load(1); l.err != nil || len(l.refused) != refused {
					t.Errorf("with room again, %d are refused; %v", len(l.refused)-refused, l.err)
				}
				w.waits("told that it is over", func() bool { return strings.Contains(w.logged(), "nothing hinders the store of the server any more") })
				l.raw.say("</stream:stream>")
			}
			w.must(w.home.Stop())
			w.must(w.home.Run())
			t.Logf("%d said, %d acknowledged, %d of all refused", l.said, len(w.acked), len(l.refused))
			w.everyOneOf(l)
			if got := w.commands("store check") + w.commands("audit verify"); !strings.Contains(got, "store on sqlite is whole") {
				t.Errorf("checked: %s", got)
			}
		})
	}
}

// headFirst: the head of the record, which is written anew each second, came upon the full disk before a message did. Then nobody is refused:
// who is connected is told that it ends, and what he said meanwhile is not acknowledged.
func (w *world) headFirst(l *loader) bool {
	w.t.Helper()
	return strings.Contains(w.logged(), "audit log failed: write head: ") && strings.Contains(l.raw.read, shutdown) && l.taken < l.said
}

// onSmallDisk is alone, with a folder of the home on a disk of its own. In small there is nothing but the store.
func onSmallDisk(t *testing.T, folder string) (*world, smallDisk) {
	t.Helper()
	block, err := peers.ClaimBlock()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = block.Close() })
	w := &world{t: t, acked: map[string]bool{}}
	dir := w.dir()
	d := disk(t, filepath.Join(dir, folder), 8<<20)
	w.open(imserver.Wishes{Dir: dir, Addr: block.Addr(1), Users: []string{"juliet", "romeo", "nurse"}, More: oldClients})
	if folder == "small" {
		file := filepath.Join(dir, "moved.backup")
		w.commands("store backup " + file)
		w.must(w.home.Stop())
		w.restoreInto(file, "small/server.db")
		w.must(w.home.Run())
	}
	return w, d
}

func (w *world) logged() string {
	b, err := os.ReadFile(w.home.Log())
	w.must(err)
	return string(b)
}

// waits asks until it is so.
func (w *world) waits(what string, is func() bool) {
	w.t.Helper()
	for end := time.Now().Add(scenario.Patience); !is(); {
		s, err := w.home.Status() // which takes a while
		if time.Now().After(end) {
			w.t.Fatalf("not %s: %q, %v\n%s", what, s.Problems, err, w.logTail())
		}
	}
}

// everyOneOf wants that who was away is given everything that was acknowledged and not refused, once, and nothing that was refused.
func (w *world) everyOneOf(l *loader) {
	w.t.Helper()
	romeo := w.rawLogin("romeo", "orchard")
	romeo.say("<presence/>")
	w.login("nurse", "kitchen").says("romeo@"+imserver.Domain, "the end")
	given := map[string]int{}
	for {
		said := romeo.until("</body>")
		_, body, _ := strings.Cut(said, "<body>")
		if body == "the end</body>" {
			break
		}
		given[body]++
	}
	for body := range w.acked {
		if given[body] == 0 && !l.refused[body] {
			w.t.Errorf("%s was acknowledged and is lost", body)
		}
	}
	for body, n := range given {
		if n > 1 || l.refused[body] {
			w.t.Errorf("%s was given %d times; refused: %v", body, n, l.refused[body])
		}
	}
}

// loader says messages to somebody who is not there.
type loader struct {
	w       *world
	raw     *raw
	before  int // on other streams
	said    int
	taken   int // of them
	refused map[string]bool
	allowed string // conditions of errors
	err     error  // that ended the stream
}

var refusal = regexp.MustCompile(`<message[^>]* id='w([0-9]+)'[^>]* type='error'[^>]*>.*?<error [^>]*><([a-z-]+) `)

// load says some batches, each when the one before has been dealt with, until the stream ends, and notes what is acknowledged, and what refused.
func (l *loader) load(batches int) {
	l.w.t.Helper()
	for range batches {
		var batch strings.Builder
		for range 10 {
			fmt.Fprintf(&batch, "<message to='romeo@%s' type='chat' id='w%d'><body>word %d</body></message>", imserver.Domain, l.before+l.said, l.before+l.said)
			l.said++
		}
		_, l.err = io.WriteString(l.raw.conn, batch.String())
		for end := time.Now().Add(scenario.Patience); l.err == nil && l.taken < l.said; {
			l.ask()
			if time.Now().After(end) {
				l.w.t.Fatalf("%d of %d are acknowledged", l.taken, l.said)
			}
		}
		if l.err != nil {
			l.hear(l.raw.read)
			return
		}
	}
}

// ask asks what has been acknowledged.
func (l *loader) ask() {
	said, h := "", 0
	if _, l.err = io.WriteString(l.raw.conn, "<r xmlns='urn:xmpp:sm:3'/>"); l.err == nil {
		said, l.err = l.raw.next("<a xmlns='urn:xmpp:sm:3' h='")
	}
	l.hear(said)
	if l.err == nil {
		said, l.err = l.raw.next("'")
	}
	if l.err != nil {
		return
	}
	if _, err := fmt.Sscanf(said, "%d'", &h); err != nil {
		l.w.t.Fatal(err)
	}
	for ; l.taken < h; l.taken++ {
		l.w.acked[fmt.Sprintf("word %d</body>", l.before+l.taken)] = true
	}
}

// hear notes what has come back.
func (l *loader) hear(said string) {
	for _, m := range refusal.FindAllStringSubmatch(said, -1) {
		l.refused["word "+m[1]+"</body>"] = true
		if !strings.Contains(l.allowed, m[2]) {
			l.w.t.Errorf("refused with %s, not %s", m[2], l.allowed)
		}
	}
}
