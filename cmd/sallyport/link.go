package main

import (
	"github.com/spf13/cobra"
)

// linkCommand is the family of commands about links: what they will cost, and what makes them cheaper.
func (a *app) linkCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "link",
		Short: "Look at links, predict what one will cost, and make it cheaper",
		Long: `Show the links of the running node, keep one silent, or work with recorded
traffic: what it would cost over a link, which dictionary would make it smaller,
and how it looks without what was said by whom.

A recording is a text file of one stanza a line, after a first line that says
so:

  # sallyport recording 1
  2026-11-20T06:00:00.25Z out <message from='a@in.example' .../>
  2026-11-20T06:00:02Z in <presence .../>

"out" is what our side sends. - in place of a file is standard input.`,
		Example: `  sallyport link status
  sallyport link anonymise day.rec > safe.rec
  sallyport link cost --rate 1200 --round-trip 8s --half-duplex safe.rec
  sallyport link train --out links.dict safe.rec`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.linkStatus(), a.linkHistory(), a.linkEMCON(), a.linkCost(), a.linkTrain(), a.linkAnonymise())
	return cmd
}
