package config_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"sallyport/gateway/config"
)

// TestBudgets: the forms that a budget has.
func TestBudgets(t *testing.T) {
	for text, want := range map[string]config.Budget{
		`"20 %"`:        {Percent: 20},
		`"100%"`:        {Percent: 100},
		`"200 KiB/1h"`:  {Bytes: 200 << 10, Period: time.Hour},
		`"1 MiB / 7d"`:  {Bytes: 1 << 20, Period: 7 * 24 * time.Hour},
		`"0 %"`:         {},
		`"101 %"`:       {},
		`"-5 %"`:        {},
		`"1 MiB"`:       {},
		`"1 MiB/"`:      {},
		`"1 MiB/1s"`:    {},
		`"1 MiB/-1h"`:   {},
		`"1000/1h"`:     {},
		`"9999 GiB/1h"`: {},
		`"/1h"`:         {},
		`7`:             {},
	} {
		t.Run(text, func(t *testing.T) {
			name := filepath.Join(t.TempDir(), "s.toml")
			if err := os.WriteFile(name, []byte("[link.sat]\nbits-per-second = 64000\n[link.sat.budget]\nroutine = "+text+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			_, problems := config.Load(name)
			wrong := false
			for _, p := range problems {
				wrong = wrong || p.Key == "link.sat.budget.routine"
			}
			if wrong != (want == config.Budget{}) {
				t.Fatalf("%v", problems)
			}
		})
	}
}
