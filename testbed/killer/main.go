// Command killer kills gateways with -9 under load, again and again, and holds them to the account of every message: two ends of its
// own, which never die, send numbered messages to each other through a chain of gateways that keep custody.
//
//	go run ./testbed/killer -kills 500
//
// What an end was told is on disk must come out at the other end, once, in the order of its conversation; an acknowledgement that a
// gateway has given it must remember after its death; a number means the same message for ever. The ends speak custody by code of their
// own, break connections and are slow to acknowledge at times. It ends with 1 when the account does not hold.
//
// In the tests system calls of a gateway on its spool and its audit log fail besides, by strace's fault injection (see Injection).
//
// Not in here: power loss and disks that forget (gateway/spool and its simulation), servers of others (testbed/scenario).
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"time"
)

func main() {
	o := Options{Say: func(format string, args ...any) { fmt.Printf(format+"\n", args...) }}
	flag.StringVar(&o.Binary, "sallyport", "build/sallyport", "the program under test")
	flag.StringVar(&o.Dir, "dir", "", "folder for the gateways, kept afterwards; default: one that is removed unless something is wrong")
	flag.IntVar(&o.Gateways, "gateways", 2, "how many stand in a row")
	flag.StringVar(&o.Trunk, "trunk", "x2x", "`KIND` of link between them: x2x or dtls")
	flag.IntVar(&o.Kills, "kills", 500, "how often one of them is killed")
	flag.IntVar(&o.Rate, "rate", 200, "messages a second, each way")
	flag.Uint64Var(&o.Seed, "seed", uint64(time.Now().UnixNano()), "of the dice") //nolint:gosec // any number will do
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := begin(ctx, o)
	stop()
	os.Exit(code)
}

func begin(ctx context.Context, o Options) int {
	kept := o.Dir != ""
	var err error
	if !kept {
		if o.Dir, err = os.MkdirTemp("", "killer"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 2
		}
	}
	for _, path := range []*string{&o.Binary, &o.Dir} {
		if *path, err = filepath.Abs(*path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 2
		}
	}
	fmt.Printf("seed %d\n", o.Seed)
	r, err := Run(ctx, o)
	fmt.Print(r.Text())
	if err != nil {
		fmt.Println(err)
	}
	if err != nil || !r.Held() {
		fmt.Printf("DOES NOT HOLD; configurations, logs and spools are in %s\n", o.Dir)
		return 1
	}
	if !kept {
		if err := os.RemoveAll(o.Dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}
	fmt.Println("holds")
	return 0
}

// Text is the report for people.
func (r *Report) Text() string {
	const most = 20
	s := fmt.Sprintf("%d kills, %d of them before the gateway was ready; slowest start %v; took %v\n",
		r.Kills, r.Early, r.SlowestStart.Round(time.Millisecond), r.Took.Round(time.Second))
	s += fmt.Sprintf("%d messages said = %d delivered + %d returned + %d missing\n", r.Said, r.Delivered, r.Returned, len(r.Missing))
	s += fmt.Sprintf("%d connections of the ends, %d broken by themselves; %d repetitions on the wire, none delivered\n", r.Connections, r.Cuts, r.Repetitions)
	for _, list := range []struct {
		what string
		all  []string
	}{{"WRONG", r.Wrong}, {"missing", r.Missing}, {"returned", r.Errors}, {"unclean", r.Unclean}} {
		for _, one := range list.all[:min(len(list.all), most)] {
			s += list.what + ": " + one + "\n"
		}
	}
	return s
}
