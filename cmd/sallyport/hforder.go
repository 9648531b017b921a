package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"sallyport/gateway/radio"
	"sallyport/s5066"
	"sallyport/s5066/manage"
)

func (a *app) hfRate() *cobra.Command {
	var with string
	var wait time.Duration
	cmd := &cobra.Command{
		Use:   "rate BITS",
		Short: "Change the data rate of a running HF node",
		Long: `Let a running node transmit at another rate, in bit/s, with the same waveform
family and interleaver. Most waveforms tell the receiver their rate, so nobody
else needs to be asked. A raw modem cannot be told.

With --with ADDRESS the other node of a link is asked to change too (data rate
change of STANAG 5066 C.14): both change, or neither, and what is refused comes
with a reason. Both nodes need rate_control = true, and both will change it
again by themselves where frames get lost, or none do.

Ends with exit code 5 if the other node refuses or does not answer in time.`,
		Example: `  sallyport hf rate -c hf-node.toml 600
  sallyport hf rate -c hf-node.toml 600 --with 1.2.3.4`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var q radio.RateQuestion
			var err error
			if q.Rate, err = strconv.Atoi(args[0]); err != nil || q.Rate <= 0 {
				return unreadable{errors.New("say a rate in bit/s, such as 600")}
			}
			if with != "" {
				if q.With, err = s5066.ParseAddress(with); err != nil {
					return unreadable{err}
				}
			}
			var asked radio.AskedAnswer
			if err := a.askNode(cmd, radio.VerbRate, q, &asked); err != nil {
				return err
			}
			if asked.ID == 0 {
				fmt.Fprintf(a.out, "the node transmits at %d bit/s\n", q.Rate)
				return nil
			}
			return a.outcome(cmd, asked.ID, wait)
		},
	}
	cmd.Flags().StringVar(&with, "with", "", "agree with the node at `ADDRESS`")
	cmd.Flags().DurationVar(&wait, "wait", 3*time.Minute, "wait `TIME` for its answer")
	return cmd
}

func (a *app) hfMessage() *cobra.Command {
	var extended string
	var wait time.Duration
	cmd := &cobra.Command{
		Use:   "message ADDRESS TYPE [DATA]",
		Short: "Send another HF node a message in the engineering order wire",
		Long: `Send a message of the engineering order wire in a management frame (type 6 D_PDU
of STANAG 5066, C.12 and C.13) and wait for the other node's acknowledgement. It
needs no link. TYPE is 0 to 15, DATA 0 to 255. Types 8 to 15 are the users' own;
4 asks for capabilities. What came from others is in 'hf status' and in the log.

Ends with exit code 5 if the other node does not answer.`,
		Example: `  sallyport hf message -c hf-node.toml 1.2.3.4 8 3
  sallyport hf message -c hf-node.toml 1.2.3.4 9 --extended 0a0b0c`,
		Args: cobra.RangeArgs(2, 3),
		RunE: func(cmd *cobra.Command, args []string) error {
			q, err := messageQuestion(args, extended)
			if err != nil {
				return unreadable{err}
			}
			var asked radio.AskedAnswer
			if err := a.askNode(cmd, radio.VerbMessage, q, &asked); err != nil {
				return err
			}
			return a.outcome(cmd, asked.ID, wait)
		},
	}
	cmd.Flags().StringVar(&extended, "extended", "", "send `HEX`, at most 23 bytes, behind it")
	cmd.Flags().DurationVar(&wait, "wait", 3*time.Minute, "wait `TIME` for the acknowledgement")
	return cmd
}

func messageQuestion(args []string, extended string) (q radio.MessageQuestion, err error) {
	if q.To, err = s5066.ParseAddress(args[0]); err != nil {
		return q, err
	}
	number := func(text string, most uint64) uint8 {
		n, wrong := strconv.ParseUint(text, 10, 8)
		if wrong != nil || n > most {
			err = errors.Join(err, fmt.Errorf("%q is not a number from 0 to %d", text, most))
		}
		return uint8(n) //nolint:gosec // parsed as eight bits
	}
	q.Type, q.Extended = number(args[1], 15), extended
	if len(args) == 3 {
		q.Data = number(args[2], 255)
	}
	if err == nil {
		_, _, err = manage.Request{Type: q.Type, Extended: extended}.EOW()
	}
	return q, err
}

// outcome waits for what comes of a question to another node.
func (a *app) outcome(cmd *cobra.Command, id uint64, wait time.Duration) error {
	ctx, stop := interruptible(cmd.Context())
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	for {
		var s radio.Status
		if err := a.askNode(cmd, radio.VerbStatus, nil, &s); err != nil {
			return err
		}
		for _, q := range s.Asked {
			switch {
			case q.ID != id || q.Ended.IsZero():
				continue
			case a.json:
				if err := a.printJSON(q); err != nil {
					return err
				}
			case q.OK:
				fmt.Fprintln(a.out, printable(q.What+" with "+q.Remote+": done after "+inSeconds(q.Ended.Sub(q.Since))))
			}
			if !q.OK {
				return a.no(q.What + " with " + q.Remote + ": " + q.Why)
			}
			return nil
		}
		select {
		case <-ctx.Done():
			return a.no("no answer yet; 'sallyport hf status' will have it")
		case <-tick.C:
		}
	}
}

// no says why the answer is no.
func (a *app) no(why string) error {
	fmt.Fprintln(a.err, "sallyport:", printable(why))
	return answerNo{}
}
