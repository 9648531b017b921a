package main

import (
	_ "embed"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"text/template"
	"time"

	"sallyport/testbed/peers"
)

//go:embed sallyport.toml.tmpl
var gatewayConfig string

// policyData holds a security policy, a clearance and a default label: every message is judged under a label.
// The program runs at the root of the checkout.
const policyData = "testbed/scenario/testdata"

// profileArgs asks the program under test for a profile, where one is wanted.
func (s *settings) profileArgs() []string {
	if s.profile == "" {
		return nil
	}
	path, err := filepath.Abs(s.profile)
	if err != nil {
		return nil
	}
	return []string{"--cpuprofile", path}
}

// startSallyport runs the program under test between the generator's domains: everything on, nothing special.
func (s *settings) startSallyport(b *bench, inside, outside, generator netip.AddrPort) (*peers.Process, error) {
	binary, err := filepath.Abs(s.sallyport)
	if err != nil {
		return nil, err
	}
	policy, err := filepath.Abs(policyData)
	if err != nil {
		return nil, err
	}
	t, err := template.New("sallyport.toml").Parse(gatewayConfig)
	if err != nil {
		return nil, fmt.Errorf("sallyport.toml.tmpl: %w", err)
	}
	dir, err := os.MkdirTemp(s.work, "gateway")
	if err != nil {
		return nil, err
	}
	config := filepath.Join(dir, "sallyport.toml")
	f, err := os.OpenFile(config, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	err = t.Execute(f, map[string]any{
		"Inside": inside, "Outside": outside, "Generator": generator, "CA": b.ca.File, "Cert": b.pair.Cert, "Key": b.pair.Key,
		"X": played("x", streams), "Y": played("y", streams), "Policy": policy,
	})
	if closeErr := f.Close(); err != nil || closeErr != nil {
		return nil, fmt.Errorf("write %s: %w, %w", config, err, closeErr)
	}
	proc, err := peers.StartProcess(peers.Command{
		Name: "sallyport", Dir: dir, Log: filepath.Join(dir, "sallyport.log"), Env: os.Environ(),
		Argv: append([]string{binary, "run", "-c", config}, s.profileArgs()...),
	})
	if err != nil {
		return nil, err
	}
	for _, a := range []netip.AddrPort{inside, outside} {
		if err := proc.AwaitPort(a, 20*time.Second); err != nil {
			proc.Kill()
			return nil, err
		}
	}
	return proc, nil
}
