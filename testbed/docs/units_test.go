package docs_test

import (
	"regexp"
	"strconv"
	"testing"
)

// TestUnitsAreNotGivenUp: systemd gives up for good what fails five times within ten seconds (DefaultStartLimitBurst,
// DefaultStartLimitIntervalSec), unless it waits between them for longer than the usual tenth of a second.
func TestUnitsAreNotGivenUp(t *testing.T) {
	t.Parallel()
	restarts, waits := regexp.MustCompile(`(?m)^Restart=`), regexp.MustCompile(`(?m)^RestartSec=(\d+)$`)
	units := 0
	for _, name := range []string{"docs/operator.md", "docs/hf.md"} {
		for _, b := range read(t, name, asItStands) {
			if b.Language != "ini" || !restarts.MatchString(b.Text) {
				continue
			}
			units++
			seconds := 0
			if m := waits.FindStringSubmatch(b.Text); m != nil {
				seconds, _ = strconv.Atoi(m[1])
			}
			if 5*seconds <= 10 {
				t.Errorf("%s:%d: five starts take %d seconds", name, b.Line, 5*seconds)
			}
		}
	}
	if units != 2 {
		t.Errorf("%d units, want 2", units)
	}
}
