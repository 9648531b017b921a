package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os/exec"
	"strconv"

	"sallyport/testbed/imserver"
)

// What logs in: sessions over accounts, the same on every server.
const (
	loginAccounts = 100
	loginSessions = 1_000
	loginRuns     = 2
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
// server under test in turn. Each begins with a run that is not counted. Memory is that of the first run that is: later ones find some
// that was used before.
func logins(ctx context.Context, s *settings) (rows []Row, err error) {
	f, err := s.open(ctx)
	defer func() { err = errors.Join(err, f.close()) }()
	if err != nil {
		return nil, err
	}
	if err := s.addPeers(ctx, f, wishes{accounts: loginAccounts}); err != nil {
		return nil, err
	}
	if err := s.addHome(f, loginAccounts, "", imserver.Wishes{}); err != nil {
		return nil, err
	}
	got := make(map[string]*loginSamples)
	for _, c := range f.all {
		if _, err := s.logIn(ctx, c, loginAccounts); err != nil {
			return nil, err
		}
		got[c.name] = &loginSamples{}
	}
	for range loginRuns {
		for _, c := range f.all {
			r, err := s.logIn(ctx, c, loginSessions)
			if err != nil {
				return nil, err
			}
			p, x := r.Processes[c.process], got[c.name]
			x.rate, x.cpu, x.memory = append(x.rate, r.LoginsPerS), append(x.cpu, p.CPUPerLogin), append(x.memory, p.KiBPerSession)
		}
	}
	return loginRows(f.all, got), nil
}

// loginSamples are what the runs on one server gave.
type loginSamples struct{ rate, cpu, memory []float64 }

func loginRows(all []contender, got map[string]*loginSamples) (rows []Row) {
	yard := got[ejabberd]
	if yard == nil {
		yard = &loginSamples{memory: []float64{0}}
	}
	best, least := "", math.Inf(1)
	for _, c := range all {
		if m := got[c.name].memory[0]; c.process != home && m < least {
			best, least = c.name, m
		}
	}
	for _, c := range all {
		g := got[c.name]
		rate := figure("SCRAM logins, "+c.name, median(g.rate), "1/s", ejabberd, median(yard.rate)).spreading(g.rate)
		cpu := figure("CPU of a login, "+c.name, median(g.cpu), "ms", ejabberd, median(yard.cpu)).spreading(g.cpu)
		memory := figure("idle session, "+c.name, g.memory[0], "KiB", ejabberd, yard.memory[0])
		if c.process == home {
			memory = memory.under(atMostAbsolute(40, "KiB"))
		}
		if c.process != home || best == "" {
			rows = append(rows, rate, cpu, memory)
			continue
		}
		less := figure("idle session, "+c.name, g.memory[0], "KiB", "best: "+best, least).under(atMost(1))
		rows = append(rows, rate.under(atLeast(3)), cpu, memory, less)
	}
	return rows
}

func (s *settings) logIn(ctx context.Context, c contender, sessions int) (r loginReport, err error) {
	args := append([]string{
		"idle", "-n", strconv.Itoa(sessions), "-users", strconv.Itoa(loginAccounts), "-watch", fmt.Sprintf("%s=%d", c.process, c.pid),
	}, c.args...)
	out, err := exec.CommandContext(ctx, s.load, args...).Output()
	if jsonErr := json.Unmarshal(out, &r); jsonErr != nil || err != nil || r.Dropped > 0 {
		return r, fmt.Errorf("log in to %s: %w (%d dropped; %s)\n%s", c.name, errors.Join(err, jsonErr), r.Dropped, r.Error, out)
	}
	return r, nil
}
