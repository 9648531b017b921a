package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"sallyport/gateway/control"
)

// version is set by the linker.
var version = "unknown"

// defaultConfig is read when no configuration is named.
const defaultConfig = "/etc/sallyport/sallyport.toml"

// The exit codes; doc.go says what they mean.
const (
	exitDone = iota
	exitFailed
	exitUsage
	exitNoNode
	exitDenied
	exitNo
)

// answerNo ends a command that worked and whose answer is no; it has been printed.
type answerNo struct{}

func (answerNo) Error() string { return "the answer is no" }

// noNode says that no running node could be asked.
type noNode struct{ err error }

func (e noNode) Error() string { return e.err.Error() }
func (e noNode) Unwrap() error { return e.err }

// app is what every command needs.
type app struct {
	in      io.Reader
	out     io.Writer
	err     io.Writer
	config  string // --config
	socket  string // --socket
	json    bool   // --json
	started bool   // the command line was understood
	fresh   bool   // that no node runs goes without saying
}

func main() {
	a := &app{in: os.Stdin, out: os.Stdout, err: os.Stderr}
	os.Exit(a.main(context.Background(), os.Args[1:]))
}

func (a *app) main(ctx context.Context, args []string) int {
	root := a.root()
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	code := a.exitCode(err)
	if err != nil && !errors.As(err, new(answerNo)) {
		fmt.Fprintln(a.err, "sallyport:", printable(err.Error()))
	}
	if err != nil && !a.started {
		if cmd.HasParent() && !cmd.HasSubCommands() {
			fmt.Fprintln(a.err, "Usage:", cmd.UseLine())
		}
		fmt.Fprintln(a.err, "See 'sallyport help', or add --help to a command.")
	}
	return code
}

func (a *app) exitCode(err error) int {
	var ce *control.CallError
	switch {
	case err == nil:
		return exitDone
	case !a.started, errors.As(err, new(unreadable)):
		return exitUsage
	case errors.As(err, new(answerNo)):
		return exitNo
	case errors.As(err, new(noNode)) && !errors.Is(err, fs.ErrPermission):
		return exitNoNode
	case errors.As(err, new(noNode)), errors.As(err, &ce) && ce.Code == control.Denied:
		return exitDenied
	}
	return exitFailed
}

const rootLong = `Sallyport stands between XMPP servers and decides what crosses, and is itself a
server that people log in to.

Exit codes: 0 done; 1 failed, the message says why; 2 wrong command line;
3 no running node answers; 4 the running node does not permit it;
5 the answer is no (check found errors, explain: the stanza does not cross,
label decide: block). For label decide, 2 is also what cannot be read.`

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "sallyport",
		Short: "XMPP boundary guard",
		Long:  rootLong,
		Example: `  sallyport check -c sallyport.toml
  sallyport run -c sallyport.toml
  sallyport explain --from office message.xml
  sallyport status`,
		Version:       version,
		SilenceErrors: true, SilenceUsage: true,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			err := errors.Join(cmd.ValidateRequiredFlags(), cmd.ValidateFlagGroups())
			a.started = err == nil
			return err
		},
	}
	root.SetIn(a.in)
	root.SetOut(a.out)
	root.SetErr(a.err)
	f := root.PersistentFlags()
	f.StringVarP(&a.config, "config", "c", defaultConfig, "read `FILE`")
	f.StringVar(&a.socket, "socket", "", "ask the node at the socket `PATH` (default: see FILE)")
	f.BoolVar(&a.json, "json", false, "write JSON instead of text")
	root.AddCommand(a.initCommand(), a.runCommand(), a.checkCommand(), a.explainCommand(),
		a.statusCommand(), a.reloadCommand(), a.peerCommand(), a.auditCommand(), a.labelCommand(), a.linkCommand(), a.hfCommand(), a.spoolCommand(), a.spifCommand(), a.stopCommand(), a.restartCommand(), a.userCommand(), a.groupCommand(), a.domainCommand(), a.storeCommand(),
		a.versionCommand())
	return root
}
