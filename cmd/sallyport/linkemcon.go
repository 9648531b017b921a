package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"sallyport/gateway/control"
)

func (a *app) linkEMCON() *cobra.Command {
	return &cobra.Command{
		Use:   "emcon LINK on|off",
		Short: "Begin or end radio silence of a link of kind hf",
		Long: `Let a link of kind hf of the running node send nothing more, or end that. It
goes on to take what comes; what is to be sent waits in the spool, and what was
received is acknowledged when the silence is over. What the radio has been given
already goes out: silence the node itself too ('hf emcon') where not a second
more may be keyed.

The order holds across restarts and reloads until it is ended, and is in the
audit log. Needs the role operate.`,
		Example: `  sallyport link emcon radio on
  sallyport link emcon radio off`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 2 || args[1] != "on" && args[1] != "off" {
				return errors.New("say which link, and on or off")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			q := control.EMCONQuestion{Link: args[0], On: args[1] == "on"}
			var answer control.EMCONAnswer
			if err := a.ask(cmd.Context(), control.VerbLinkEMCON, q, &answer); err != nil {
				return err
			}
			already := ""
			if !answer.Changed {
				already = ", as before"
			}
			switch {
			case a.json:
				return a.printJSON(answer)
			case answer.On:
				fmt.Fprintln(a.out, printable("link "+q.Link+" sends nothing until 'sallyport link emcon "+q.Link+" off'"+already))
			default:
				fmt.Fprintln(a.out, printable("link "+q.Link+" may send"+already))
			}
			return nil
		},
	}
}
