package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"sallyport/s5066"
	"sallyport/s5066/ping"
	"sallyport/s5066/sis"
)

// pingFlags are what the command line says.
type pingFlags struct {
	node     string
	sap      uint8
	listen   bool
	datagram bool
	count    int
	size     int
	wait     time.Duration
	priority uint8
}

func (a *app) hfPing() *cobra.Command {
	var f pingFlags
	cmd := &cobra.Command{
		Use:   "ping [ADDRESS]",
		Short: "Measure round trips to another HF node",
		Long: `Bind to a node as a client, send U_PDUs to a responder behind another node,
and measure how long they take there (the node's confirmation) and back (the
answer). The responder is another 'hf ping --listen' at the other end, on the
same SAP. Works with any STANAG 5066 node.

Ends with exit code 5 if no answer came.`,
		Example: `  sallyport hf ping --listen --node 127.0.0.1:5066
  sallyport hf ping --node 127.0.0.1:5067 --count 3 1.2.3.4
  sallyport hf ping --datagram --size 200 1.2.3.4`,
		Args: func(_ *cobra.Command, args []string) error {
			if f.listen != (len(args) == 0) || len(args) > 1 {
				return errors.New("either name an ADDRESS, or say --listen")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			o, err := f.options(args)
			if err != nil {
				return unreadable{err}
			}
			ctx, stop := interruptible(cmd.Context())
			defer stop()
			return a.ping(ctx, f, o)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.node, "node", "127.0.0.1:5066", "bind to the node at `ADDRESS`")
	flags.Uint8Var(&f.sap, "sap", 13, "use the SAP `N` at both ends")
	flags.BoolVar(&f.listen, "listen", false, "answer until interrupted")
	flags.BoolVar(&f.datagram, "datagram", false, "send without acknowledgement (non-ARQ)")
	flags.IntVar(&f.count, "count", 4, "send `N` times, one after the other")
	flags.IntVar(&f.size, "size", 32, "send `N` bytes each")
	flags.DurationVar(&f.wait, "wait", 2*time.Minute, "wait `TIME` for each answer")
	flags.Uint8Var(&f.priority, "priority", 4, "send with priority `N`, 0 to 15")
	return cmd
}

func (f pingFlags) options(args []string) (ping.Options, error) {
	o := ping.Options{
		SAP: s5066.SAP(f.sap), Priority: s5066.Priority(f.priority), Mode: s5066.TxARQ, Count: f.count, Size: f.size, Wait: f.wait,
	}
	if f.datagram {
		o.Mode = s5066.TxNonARQ
	}
	switch {
	case !o.SAP.Valid() || !o.Priority.Valid():
		return o, errors.New("SAP and priority are 0 to 15")
	case f.count < 1 || f.count > 10_000:
		return o, errors.New("--count is not from 1 to 10000")
	case f.size < ping.HeaderBytes || f.size > s5066.MTU:
		return o, fmt.Errorf("--size is not from %d to %d", ping.HeaderBytes, s5066.MTU)
	case f.wait < time.Second:
		return o, errors.New("--wait is less than a second")
	}
	if len(args) == 0 {
		return o, nil
	}
	remote, err := s5066.ParseAddress(args[0])
	if err == nil && !remote.IsUnicast() {
		err = errors.New("is not the address of one node")
	}
	o.Remote = remote
	return o, err
}

func (a *app) ping(ctx context.Context, f pingFlags, o ping.Options) error {
	c, err := sis.Dial(ctx, f.node, sis.BindOptions{SAP: o.SAP, Service: s5066.ServiceType{Mode: o.Mode}})
	if err != nil {
		return noNode{err}
	}
	defer c.Close()
	if f.listen {
		fmt.Fprintf(a.err, "answering on SAP %d of the node at %s\n", f.sap, f.node)
		return ping.Respond(ctx, c, func(from s5066.Address, n int) {
			fmt.Fprintf(a.out, "%d bytes from %s\n", n, from)
		})
	}
	sum, err := ping.Run(ctx, c, o, a.printRound)
	if err != nil && ctx.Err() == nil {
		return err
	}
	if a.json {
		err = a.printJSON(sum)
	} else {
		_, err = fmt.Fprintf(a.out, "%d sent, %d answered%s\n", sum.Sent, sum.Answered, roundTimes(sum))
	}
	if err == nil && sum.Answered == 0 {
		return answerNo{}
	}
	return err
}

func (a *app) printRound(r ping.Round) {
	if a.json {
		return
	}
	switch {
	case r.Rejected != "":
		fmt.Fprintf(a.out, "%d: refused: %s\n", r.Number, printable(r.Rejected))
	case r.Answered == 0 && r.Confirmed == 0:
		fmt.Fprintf(a.out, "%d: no answer\n", r.Number)
	case r.Answered == 0:
		fmt.Fprintf(a.out, "%d: there after %s, no answer\n", r.Number, inSeconds(r.Confirmed))
	case r.Confirmed == 0:
		fmt.Fprintf(a.out, "%d: back after %s\n", r.Number, inSeconds(r.Answered))
	default:
		fmt.Fprintf(a.out, "%d: there after %s, back after %s\n", r.Number, inSeconds(r.Confirmed), inSeconds(r.Answered))
	}
}

func roundTimes(s ping.Summary) string {
	if s.Answered == 0 {
		return ""
	}
	return fmt.Sprintf("; round trip %s least, %s mean, %s most", inSeconds(s.Least), inSeconds(s.Mean), inSeconds(s.Most))
}

func inSeconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }
