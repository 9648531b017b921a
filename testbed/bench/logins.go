package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"sallyport/testbed/imserver"
	"sallyport/testbed/peers"
)

// What logs in: sessions over accounts, the same on every server.
const (
	loginAccounts = 100
	loginSessions = 1_000
)

// loginReport is xmppload's answer to idle.
type loginReport struct {
	LoginsPerS float64 `json:"logins_per_s"`
	Dropped    int     `json:"dropped"`
	Error      string  `json:"error"`
	FirstError string  `json:"first_error"`
	Processes  map[string]struct {
		KiBPerSession float64 `json:"kb_per_session"`
		CPUPerLogin   float64 `json:"cpu_ms_per_login"`
	} `json:"processes"`
}

// loginTarget is a server to log in to.
type loginTarget struct {
	name string
	args []string
	pid  int
}

// logins measures logins by SCRAM-SHA-1 inside STARTTLS, and what the sessions keep resident, on Prosody, ejabberd and the
// server under test. Each begins with a run that is not counted.
func logins(ctx context.Context, s *settings) (rows []Row, err error) {
	if err := s.buildLoad(ctx); err != nil {
		return nil, err
	}
	dir := filepath.Join(s.work, "logins")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	bed, err := peers.OpenBed(dir, peers.Options{})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, bed.Close()) }()
	if err := bed.Start(); err != nil {
		return nil, err
	}
	targets := make(map[string]loginReport)
	for _, p := range []*peers.Server{bed.Prosody, bed.Ejabberd} {
		at := []string{"-host", p.Clients().String(), "-domain", p.Domain}
		if _, err := s.runLoadOnce(ctx, append([]string{"register", "-n", strconv.Itoa(loginAccounts)}, at...)); err != nil {
			return nil, err
		}
		if targets[p.Name], err = s.logIn(ctx, loginTarget{p.Name, at, p.PID()}); err != nil {
			return nil, err
		}
	}
	if targets["sallyport"], err = s.logInHome(ctx); err != nil {
		return nil, err
	}
	for _, name := range []string{"prosody", "ejabberd", "sallyport"} {
		r, yard := targets[name], targets["ejabberd"]
		rate := figure("SCRAM logins, "+name, r.LoginsPerS, "1/s", "ejabberd", yard.LoginsPerS)
		cpu := figure("CPU of a login, "+name, r.Processes[name].CPUPerLogin, "ms", "ejabberd", yard.Processes["ejabberd"].CPUPerLogin)
		memory := figure("idle session, "+name, r.Processes[name].KiBPerSession, "KiB", "ejabberd", yard.Processes["ejabberd"].KiBPerSession)
		if name == "sallyport" {
			rate, memory = rate.under(atLeast(3)), memory.under(atMostAbsolute(40, "KiB"))
		}
		rows = append(rows, rate, cpu, memory)
	}
	return rows, nil
}

// logInHome measures the server under test, with the configuration that init makes.
func (s *settings) logInHome(ctx context.Context) (r loginReport, err error) {
	block, err := peers.ClaimBlock()
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, block.Close()) }()
	dir := filepath.Join(s.work, "home")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return r, err
	}
	var users []string
	for i := range loginAccounts {
		users = append(users, "load"+strconv.Itoa(i))
	}
	home, err := imserver.New(imserver.Wishes{Dir: dir, Addr: block.AddrPort(1, 5222).Addr(), Users: users})
	if err != nil {
		return r, err
	}
	if err := home.Run(); err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, home.Stop()) }()
	at := []string{"-host", home.Clients.String(), "-domain", imserver.Domain, "-password", imserver.Password}
	return s.logIn(ctx, loginTarget{"sallyport", at, home.PID()})
}

func (s *settings) logIn(ctx context.Context, t loginTarget) (r loginReport, err error) {
	for _, n := range []int{loginAccounts, loginSessions} {
		args := append([]string{
			"idle", "-n", strconv.Itoa(n), "-users", strconv.Itoa(loginAccounts), "-auth", "scram-sha-1", "-watch", fmt.Sprintf("%s=%d", t.name, t.pid),
		}, t.args...)
		out, err := exec.CommandContext(ctx, s.load, args...).Output()
		r = loginReport{}
		if jsonErr := json.Unmarshal(out, &r); jsonErr != nil || err != nil || r.Dropped > 0 {
			return r, fmt.Errorf("log in to %s: %w (%d dropped; %s)\n%s", t.name, errors.Join(err, jsonErr), r.Dropped, r.Error, out)
		}
	}
	return r, nil
}
