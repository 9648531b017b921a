package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"sallyport/gateway/config"
	"sallyport/gateway/control"
	"sallyport/gateway/radio"
	"sallyport/s5066/modem"
)

// The files that are read when none is named.
const (
	defaultNode    = "/etc/sallyport/hf-node.toml"
	defaultChannel = "/etc/sallyport/hf-channel.toml"
)

// hfCommand is the family of commands about HF radio.
func (a *app) hfCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "hf",
		Short: "Run and watch HF radio: STANAG 5066 nodes and a simulated channel",
		Long: `Run a STANAG 5066 node between clients and a modem, look at a running one,
measure and record what it does, and simulate an HF channel to try it all
without a radio.

A node and a channel have a small TOML file each (-c FILE). 'hf node --check'
and 'hf channel --check' say what is wrong with one.`,
		Example: `  sallyport hf channel -c hf-channel.toml
  sallyport hf node -c hf-node.toml
  sallyport hf status -c hf-node.toml --watch`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.hfNode(), a.hfChannel(), a.hfStatus(), a.hfPing(), a.hfCapture(), a.hfEMCON(), a.hfRate(), a.hfMessage(), a.hfManage(), a.hfWaveforms())
	return cmd
}

// hfFile is the file that -c names, or else the usual one.
func (a *app) hfFile(cmd *cobra.Command, usual string) string {
	if !cmd.Flags().Changed("config") {
		a.config = usual
	}
	return a.config
}

// interruptible ends with the first interrupt or termination; a second one ends the process.
func interruptible(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, unix.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}

func (a *app) hfNode() *cobra.Command {
	var check bool
	cmd := &cobra.Command{
		Use:   "node",
		Short: "Run a STANAG 5066 node until it is told to stop",
		Long: `Run a node in the foreground: clients connect by TCP and speak S_primitives,
the node makes links with other nodes over its modem. The log goes to standard
error. SIGTERM and SIGINT stop it; unsent requests of clients are lost then,
and the clients know.

A file that works, for a node on a simulated channel:

  address  = "1.2.3.5"
  waveform = "110a-1200-short"   # see 'sallyport hf waveforms'
  permit   = ["1.2.3.4"]         # nodes it talks with
  listen   = "127.0.0.1:5066"    # for clients
  [modem]
  kind    = "framed"             # or "raw": a plain stream of bytes
  address = "127.0.0.1:5070"
  station = "ship"`,
		Example: `  sallyport hf node -c hf-node.toml
  sallyport hf node -c hf-node.toml --check`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			n, problems := radio.LoadNode(a.hfFile(cmd, defaultNode))
			if check {
				return a.checked(problems)
			}
			if err := a.startable(problems); err != nil {
				return err
			}
			ctx, stop := interruptible(cmd.Context())
			defer stop()
			log := newLog(config.Log{Level: n.Log.Level, Format: config.LogConsole}, a.err)
			if err := radio.RunNode(ctx, n, log); err != nil {
				return fmt.Errorf("node %s: %w", n.Address, err)
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&check, "check", false, "check the file and do nothing else")
	return cmd
}

// checked prints problems; the answer is no if there are errors among them.
func (a *app) checked(problems config.Problems) error {
	a.printProblems(a.out, problems)
	if problems.Failed() {
		return answerNo{}
	}
	return nil
}

// startable prints problems, if there are any, and says whether they keep something from starting.
func (a *app) startable(problems config.Problems) error {
	if len(problems) > 0 {
		a.printProblems(a.err, problems)
	}
	if problems.Failed() {
		return errors.New("not started: the configuration has errors")
	}
	return nil
}

// askNode asks a running node one verb.
func (a *app) askNode(cmd *cobra.Command, verb string, args, result any) error {
	ctx, cancel := context.WithTimeout(cmd.Context(), askTime)
	defer cancel()
	path := a.socket
	if path == "" {
		n, _ := radio.LoadNode(a.hfFile(cmd, defaultNode)) // whoever asks need not have a file without problems
		path = string(n.Socket)
	}
	c, err := control.Dial(ctx, path)
	if err != nil {
		return noNode{err}
	}
	defer c.Close()
	err = c.Call(ctx, verb, args, result)
	if err != nil && !errors.As(err, new(*control.CallError)) {
		return noNode{err}
	}
	return err
}

func (a *app) hfCapture() *cobra.Command {
	var off, ports bool
	var size int64
	var files int
	cmd := &cobra.Command{
		Use:   "capture [PREFIX]",
		Short: "Record a running node for Wireshark",
		Long: `Turn a recording on in the running node: the primitives between its clients
and itself go to PREFIX-sis-0001.pcap, the frames on the air to
PREFIX-dpdu-0001.pcapng, both in the form that Wireshark decodes by itself. Full
files are followed by 0002 and so on; the oldest goes when there are too many.
Files that are there are never written over. --off ends it.

Frames that arrived damaged are recorded as they came, with a comment that says
what is wrong: the display filter frame.comment finds them, frame.p2p_dir == 1
finds all that was heard, 0 what was sent. The files hold every message in the
clear: they are for their owner alone, and so should they stay.`,
		Example: `  sallyport hf capture -c hf-node.toml /var/tmp/today
  sallyport hf capture -c hf-node.toml --off
  tshark -r /var/tmp/today-dpdu-0001.pcapng -V -O s5066dts`,
		Args: func(_ *cobra.Command, args []string) error {
			if off != (len(args) == 0) || len(args) > 1 {
				return errors.New("either name a PREFIX, or say --off")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			q := radio.CaptureQuestion{Bytes: size, Files: files, Ports: ports}
			if !off {
				abs, err := filepath.Abs(args[0])
				if err != nil {
					return err
				}
				q.Prefix = abs
			}
			var answer radio.CaptureAnswer
			if err := a.askNode(cmd, radio.VerbCapture, q, &answer); err != nil {
				return err
			}
			switch {
			case a.json:
				return a.printJSON(answer)
			case off:
				fmt.Fprintf(a.out, "recorded %d pieces of connections and %d frames; %d were dropped\n", answer.Primitives, answer.Frames, answer.Dropped)
			default:
				fmt.Fprintln(a.out, printable("recording to "+q.Prefix+"-*; 'sallyport hf capture --off' ends it"))
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.BoolVar(&off, "off", false, "end the recording")
	f.BoolVar(&ports, "real-ports", false, "keep the node's own port instead of 5066 (Wireshark has\nto be told it then)")
	f.Int64Var(&size, "bytes", 0, "begin another file after `N` bytes (default 16777216)")
	f.IntVar(&files, "files", 0, "keep `N` files of each kind (default 8)")
	return cmd
}

func (a *app) hfEMCON() *cobra.Command {
	return &cobra.Command{
		Use:   "emcon on|off",
		Short: "Begin or end radio silence of a running node",
		Long: `Let a running node key nothing more, or end that. It goes on to hear; what its
clients send waits as long as it lives. A transmission that is on the air
already is not cut off. The order holds across restarts until it is ended.`,
		Example: `  sallyport hf emcon -c hf-node.toml on
  sallyport hf emcon -c hf-node.toml off`,
		Args:      cobra.MatchAll(cobra.ExactArgs(1), cobra.OnlyValidArgs),
		ValidArgs: []string{"on", "off"},
		RunE: func(cmd *cobra.Command, args []string) error {
			q := radio.EMCONQuestion{On: args[0] == "on"}
			var answer radio.EMCONQuestion
			if err := a.askNode(cmd, radio.VerbEMCON, q, &answer); err != nil {
				return err
			}
			switch {
			case a.json:
				return a.printJSON(answer)
			case answer.On:
				fmt.Fprintln(a.out, "the node keys nothing until 'sallyport hf emcon off'")
			default:
				fmt.Fprintln(a.out, "the node may key")
			}
			return nil
		},
	}
}

func (a *app) hfWaveforms() *cobra.Command {
	return &cobra.Command{
		Use:     "waveforms",
		Short:   "List the waveforms that a node can be set to",
		Long:    "List the waveforms by name, and how long 100 bytes take from the order to key\nuntil the other modem has given them out.",
		Example: "  sallyport hf waveforms",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			rows := [][]string{{"NAME", "FAMILY", "BIT/S", "BLOCK", "PREAMBLE", "100 BYTES"}}
			for _, w := range modem.Waveforms() {
				t := modem.Timing{Waveform: w, Radio: modem.DefaultRadio()}
				rows = append(rows, []string{
					w.String(), w.Family().String(), fmt.Sprint(w.Rate()), w.Block().String(), w.Preamble().String(),
					fmt.Sprintf("%.1f s", t.Arrival(99).Seconds()),
				})
			}
			a.printTable(rows)
			return nil
		},
	}
}
