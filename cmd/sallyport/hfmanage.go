package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sallyport/s5066"
	"sallyport/s5066/manage"
	"sallyport/s5066/sis"
)

// manageFlags are what the command line says.
type manageFlags struct {
	node     string
	sap      uint8
	with     string
	extended string
	wait     time.Duration
}

func (a *app) hfManage() *cobra.Command {
	var f manageFlags
	cmd := &cobra.Command{
		Use:   "manage status|watch|rate|message|emcon",
		Short: "Manage an HF node as a client of rank 15",
		Long: `Bind to a node as a client of rank 15 and send it a management message
(S_MANAGEMENT_MSG_REQUEST). This reaches a node on another machine, and needs no
control socket; the node has to permit rank 15 (max_rank = 15). The standard
leaves the contents to each node: this works with ours only.

  status                        show the node
  watch                         print what happens to links, modem and modes,
                                until interrupted
  rate BITS [--with ADDRESS]    as 'hf rate'
  message ADDRESS TYPE [DATA]   as 'hf message'
  emcon on|off                  radio silence of the node

Ends with exit code 5 if the node, or the other one, refuses.`,
		Example: `  sallyport hf manage --node 127.0.0.1:5066 status
  sallyport hf manage --node 127.0.0.1:5066 watch
  sallyport hf manage --node 127.0.0.1:5066 rate 600 --with 1.2.3.4`,
		Args:      cobra.MinimumNArgs(1),
		ValidArgs: []string{"status", "watch", "rate", "message", "emcon"},
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := f.request(args)
			if err != nil {
				return unreadable{err}
			}
			ctx, stop := interruptible(cmd.Context())
			defer stop()
			return a.manage(ctx, f, r)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.node, "node", "127.0.0.1:5066", "bind to the node at `ADDRESS`")
	flags.Uint8Var(&f.sap, "sap", 15, "use the SAP `N`; 0 is for management, and a gateway that\nwatches the node has it")
	flags.StringVar(&f.with, "with", "", "agree on the rate with the node at `ADDRESS`")
	flags.StringVar(&f.extended, "extended", "", "send `HEX`, at most 23 bytes, behind the message")
	flags.DurationVar(&f.wait, "wait", 3*time.Minute, "wait `TIME` for the answer")
	return cmd
}

// request puts the words of the command line into one.
func (f manageFlags) request(args []string) (manage.Request, error) {
	r := manage.Request{ID: 1, Verb: manage.Verb(args[0])}
	var err error
	switch rest := args[1:]; {
	case f.sap > 15:
		err = errors.New("--sap is 0 to 15")
	case r.Verb == manage.VerbStatus && len(rest) == 0:
	case r.Verb == manage.VerbWatch && len(rest) == 0:
		r.On = true
	case r.Verb == manage.VerbEMCON && len(rest) == 1 && (rest[0] == "on" || rest[0] == "off"):
		r.On = rest[0] == "on"
	case r.Verb == manage.VerbRate && len(rest) == 1:
		if r.Rate, err = strconv.Atoi(rest[0]); err == nil && f.with != "" {
			r.Remote, err = s5066.ParseAddress(f.with)
		}
	case r.Verb == manage.VerbMessage && (len(rest) == 2 || len(rest) == 3):
		q, wrong := messageQuestion(rest, f.extended)
		r.Remote, r.Type, r.Data, r.Extended, err = q.To, q.Type, q.Data, q.Extended, wrong
	default:
		err = fmt.Errorf("%q: see 'sallyport hf manage --help'", strings.Join(args, " "))
	}
	return r, err
}

func (a *app) manage(ctx context.Context, f manageFlags, r manage.Request) error {
	c, err := sis.Dial(ctx, f.node, sis.BindOptions{SAP: s5066.SAP(f.sap), Rank: s5066.RankManager, Service: s5066.ServiceType{Mode: s5066.TxNonARQ}})
	var bind *sis.BindError
	switch {
	case errors.As(err, &bind) && bind.Reason == sis.BindInvalidSAP:
		return fmt.Errorf("the node takes no manager: set max_rank = 15 in its file (%w)", err)
	case err != nil:
		return noNode{err}
	}
	defer c.Close()
	body, err := manage.AppendRequest(nil, r)
	if err != nil {
		return err
	}
	if err := c.Manage(ctx, manage.NumberRequest, body); err != nil {
		return err
	}
	within, cancel := context.WithTimeout(ctx, f.wait)
	defer cancel()
	answer, err := managed(within, c, r.ID)
	switch {
	case err != nil && ctx.Err() != nil:
		return nil
	case errors.Is(err, context.DeadlineExceeded):
		return a.no("no answer; another vendor's node gives none")
	case err != nil:
		return err
	case !answer.OK:
		return a.no(answer.Why)
	case r.Verb == manage.VerbWatch:
		fmt.Fprintf(a.err, "watching the node at %s\n", f.node)
		return a.printEvents(ctx, c)
	case a.json:
		return a.printJSON(answer)
	case answer.Status != nil:
		a.printManaged(*answer.Status)
		return nil
	}
	fmt.Fprintln(a.out, printable(answer.Text))
	return nil
}

// managed waits for the answer to a request.
func managed(ctx context.Context, c *sis.Conn, id uint64) (manage.Answer, error) {
	for {
		e, err := c.Receive(ctx)
		if err != nil {
			return manage.Answer{}, err
		}
		switch e := e.(type) {
		case sis.Ended:
			return manage.Answer{}, fmt.Errorf("the node ended it: %w", e.Err)
		case sis.ManagementNews:
			if e.Message.Message != manage.NumberAnswer {
				continue
			}
			answer, err := manage.ParseAnswer(e.Message.Body)
			if err != nil || answer.ID == id || answer.ID == 0 {
				return answer, err
			}
		}
	}
}

// printEvents prints what the node tells until ctx ends.
func (a *app) printEvents(ctx context.Context, c *sis.Conn) error {
	for {
		e, err := c.Receive(ctx)
		if err != nil && ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		switch e := e.(type) {
		case sis.Ended:
			return fmt.Errorf("the node ended it: %w", e.Err)
		case sis.ManagementNews:
			event, err := manage.ParseEvent(e.Message.Body)
			switch {
			case err != nil || e.Message.Message != manage.NumberEvent:
			case a.json:
				if err := a.printJSON(event); err != nil {
					return err
				}
			default:
				remote := ""
				if event.Remote.Valid() {
					remote = event.Remote.String()
				}
				a.printChange(event.Time, event.Kind, remote, event.Text)
			}
		}
	}
}

// printChange is one line of what happened.
func (a *app) printChange(at time.Time, kind, remote, text string) {
	words := kind
	for _, more := range []string{remote, text} {
		if more != "" {
			words += ", " + more
		}
	}
	printBroken(a.out, at.Format("15:04:05  "), printable(words), 10)
}

func (a *app) printManaged(s manage.Status) {
	channel, mode := "free", ""
	switch {
	case !s.Modem:
		channel = "no modem"
	case s.Keying:
		channel = "this node transmits"
	case s.Hearing:
		channel = "somebody transmits"
	}
	if s.EMCON {
		mode = "EMCON: hears, but keys nothing"
	} else if s.Broadcast {
		mode = "broadcast only"
	}
	a.printFacts([][]string{
		{"node", s.Address.String() + " at " + s.Time.Format("15:04:05")},
		{"waveform", fmt.Sprintf("%s, %d bit/s", s.Waveform, s.Rate)},
		{"mode", mode},
		{"channel", channel},
		{"clients", strconv.Itoa(s.Clients)},
		{"U_PDUs", fmt.Sprintf("%d wait, %d under way", s.Waiting, s.UnderWay)},
	})
	if len(s.Links) == 0 {
		return
	}
	rows := [][]string{{"REMOTE", "LINK", "FOR", "WINDOW", "QUEUE", "LOSS"}}
	for _, l := range s.Links {
		rows = append(rows, []string{
			l.Remote.String(), l.State, (time.Duration(l.Seconds) * time.Second).String(), strconv.Itoa(l.Window), strconv.Itoa(l.Queue), fmt.Sprintf("%.0f %%", 100*l.Loss),
		})
	}
	fmt.Fprintln(a.out)
	a.printTable(rows)
}
