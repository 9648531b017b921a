// Command bench measures what DESIGN.md promises, each figure beside a yardstick taken in the same run, because
// only ratios survive a noisy machine. It prints a table and writes the same rows as JSON.
//
// It judges nobody by seconds alone, and it exits 0 when a budget is missed: the table says so.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// settings are what the command line says, and where things are.
type settings struct {
	sallyport string  // the program under test; its rows are left out when it is not there
	load      string  // xmppload, built by us
	work      string  // for state, certificates and logs
	scale     float64 // of all message counts
	runs      int     // of each measurement; the median counts
	rounds    int     // of each measurement that several servers take in turn
	ours      bool    // leave the other servers out
	profile   string  // where the program under test writes its profile; empty: it makes none
}

// group is a part of the measurements that can be run alone.
type group struct {
	name string
	run  func(context.Context, *settings) ([]Row, error)
}

func groups() []group {
	return []group{
		{"relay", relay},
		{"tokenizer", tokenizer},
		{"judge", judge},
		{"labels", labels},
		{"rules", rules},
		{"links", links},
		{"hf", hf},
		{"server/logins", logins},
		{"server/1to1", oneToOne},
		{"server/archive", withArchive},
		{"server/presence", presence},
		{"server/s2s", fromServers},
	}
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == bareRelayCommand {
		exit(bareRelay(os.Args[2:]))
		return
	}
	exit(run(os.Args[1:]))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	s := &settings{}
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.StringVar(&s.sallyport, "sallyport", "build/sallyport", "the program under test")
	f.Float64Var(&s.scale, "scale", 1, "times the usual number of messages")
	f.IntVar(&s.runs, "runs", 3, "runs of each relay measurement; the median counts")
	f.IntVar(&s.rounds, "rounds", 5, "rounds of the measurements that servers take in turn; the median counts")
	f.BoolVar(&s.ours, "ours", false, "measure no other servers beside ours: quick, and without ratios")
	f.StringVar(&s.profile, "cpuprofile", "", "let the program under test write a processor profile there")
	out := f.String("json", "build/bench.json", "file for the rows")
	only := f.String("only", "", "one group, or all whose names begin with it and a slash: "+names())
	if err := f.Parse(args); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	work, err := os.MkdirTemp("", "sallyport-bench")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(work) }() // what is left in the temporary directory harms nobody
	s.work = work
	rows, err := measure(ctx, s, *only)
	printTable(os.Stdout, rows)
	if err := os.MkdirAll(filepath.Dir(*out), 0o755); err != nil {
		return err
	}
	return errors.Join(err, writeJSON(*out, rows))
}

func names() string {
	var all []string
	for _, g := range groups() {
		all = append(all, g.name)
	}
	return strings.Join(all, ", ")
}

// chosen are the groups of a name, or below it; all without one.
func chosen(only string) []group {
	if only == "" {
		return groups()
	}
	return slices.DeleteFunc(groups(), func(g group) bool { return g.name != only && !strings.HasPrefix(g.name, only+"/") })
}

// measure runs the groups. One that cannot run does not keep the others from running.
func measure(ctx context.Context, s *settings, only string) ([]Row, error) {
	todo := chosen(only)
	if len(todo) == 0 {
		return nil, fmt.Errorf("no group %q; there are %s", only, names())
	}
	var rows []Row
	var failed []error
	for _, g := range todo {
		fmt.Fprintf(os.Stderr, "bench: %s\n", g.name)
		got, err := g.run(ctx, s)
		rows = append(rows, got...)
		if err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", g.name, err))
		}
	}
	return rows, errors.Join(failed...)
}
