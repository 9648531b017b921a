package scenario_test

import (
	"os"
	"path/filepath"
	"testing"

	"sallyport/gateway/config"
	"sallyport/testbed/peers"
	"sallyport/testbed/scenario"
)

// What the test bed writes is a configuration that the gateway takes, without warnings but the expected ones.
func TestGatewayConfiguration(t *testing.T) {
	t.Parallel()
	bed, err := peers.OpenBed(t.TempDir(), peers.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := bed.Close(); err != nil {
			t.Error(err)
		}
	})
	text, err := scenario.GatewayTOML(bed, scenario.GatewayOptions{Outside: scenario.RefuseUnlabelled})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(bed.Dir, "sallyport.toml")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	_, problems := config.Load(path)
	for _, p := range problems {
		t.Log(p)
	}
	if problems.Failed() {
		t.Errorf("refused:\n%s", text)
	}
}
