package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strconv"

	"sallyport/testbed/imserver"
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

// logins measures logins by SCRAM-SHA-1 inside STARTTLS, and what the sessions keep resident, on Prosody, ejabberd and the
// server under test. Each begins with a run that is not counted.
func logins(ctx context.Context, s *settings) (rows []Row, err error) {
	if err := s.buildLoad(ctx); err != nil {
		return nil, err
	}
	f := &field{}
	defer func() { err = errors.Join(err, f.close()) }()
	if err := s.addPeers(ctx, f, wishes{accounts: loginAccounts}); err != nil {
		return nil, err
	}
	if err := s.addHome(f, loginAccounts, "", imserver.Wishes{}); err != nil {
		return nil, err
	}
	targets := make(map[string]loginReport)
	for _, c := range f.all {
		if targets[c.name], err = s.logIn(ctx, c); err != nil {
			return nil, err
		}
	}
	for _, c := range f.all {
		name := c.name
		r, yard := targets[name], targets["ejabberd"]
		rate := figure("SCRAM logins, "+name, r.LoginsPerS, "1/s", "ejabberd", yard.LoginsPerS)
		cpu := figure("CPU of a login, "+name, r.Processes[name].CPUPerLogin, "ms", "ejabberd", yard.Processes["ejabberd"].CPUPerLogin)
		memory := figure("idle session, "+name, r.Processes[name].KiBPerSession, "KiB", "ejabberd", yard.Processes["ejabberd"].KiBPerSession)
		if name == home {
			rate, memory = rate.under(atLeast(3)), memory.under(atMostAbsolute(40, "KiB"))
		}
		rows = append(rows, rate, cpu, memory)
	}
	return rows, nil
}

func (s *settings) logIn(ctx context.Context, c contender) (r loginReport, err error) {
	for _, n := range []int{loginAccounts, loginSessions} {
		args := append([]string{
			"idle", "-n", strconv.Itoa(n), "-users", strconv.Itoa(loginAccounts), "-watch", fmt.Sprintf("%s=%d", c.process, c.pid),
		}, c.args...)
		out, err := exec.CommandContext(ctx, s.load, args...).Output()
		r = loginReport{}
		if jsonErr := json.Unmarshal(out, &r); jsonErr != nil || err != nil || r.Dropped > 0 {
			return r, fmt.Errorf("log in to %s: %w (%d dropped; %s)\n%s", c.name, errors.Join(err, jsonErr), r.Dropped, r.Error, out)
		}
	}
	return r, nil
}
