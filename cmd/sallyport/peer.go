package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sallyport/gateway/control"
)

func (a *app) peerCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "peer",
		Short: "Show the neighbours of the running node",
		Example: `  sallyport peer list
  sallyport peer show office`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(&cobra.Command{
		Use:   "list",
		Short: "List the peers, one a line",
		Long: `List the peers with the state of their connections. Needs the role view.

up: at least one authenticated stream. idle: none, nothing waits. trying: none
yet, stanzas wait. down: the latest attempt to connect was without success.
refused: by configuration.`,
		Example: `  sallyport peer list
  sallyport peer list --json | jq '.[] | select(.state == "down")'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var peers []control.PeerStatus
			if err := a.ask(cmd.Context(), control.VerbPeerList, nil, &peers); err != nil {
				return err
			}
			if a.json {
				return a.printJSON(peers)
			}
			a.printPeers(peers)
			return nil
		},
	}, &cobra.Command{
		Use:   "show PEER",
		Short: "Show all about one peer",
		Long: `Show what a peer may do, how it must prove itself, and its open streams. Needs
the role view.`,
		Example: `  sallyport peer show office`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var p control.PeerDetail
			if err := a.ask(cmd.Context(), control.VerbPeerShow, control.PeerQuestion{Name: args[0]}, &p); err != nil {
				return err
			}
			if a.json {
				return a.printJSON(p)
			}
			a.printPeer(&p, time.Now())
			return nil
		},
	})
	return cmd
}

func (a *app) printPeers(peers []control.PeerStatus) {
	rows := [][]string{{"PEER", "SIDE", "STATE", "STREAMS", "PROOF", "QUEUED", "DELIVERED", "REFUSED"}}
	for _, p := range peers {
		rows = append(rows, append([]string{p.Name, p.Side, string(p.State), fmt.Sprint(p.Streams), p.Proof, fmt.Sprint(p.Queued)},
			numbers(p.Delivered, p.Refused)...))
	}
	a.printTable(rows)
	for _, p := range peers {
		if p.Error != "" {
			printBroken(a.out, "! ", printable(p.Name+": "+p.Error), 2)
		}
	}
}

func (a *app) printPeer(p *control.PeerDetail, now time.Time) {
	route := strings.Join(p.Route, " ")
	if route == "" {
		route = "found by DNS"
	}
	domains := strings.Join(p.Domains, " ")
	if p.Default {
		domains = strings.TrimSpace(domains + " and all that nobody else owns")
	}
	facts := [][]string{
		{"peer", p.Name + " on side " + p.Side + ", " + string(p.State)},
		{"domains", domains},
		{"speaks for", strings.Join(p.SpeaksFor, " ")},
		{"route", route},
		{"must prove", p.Security},
		{"takes part in", strings.Join(p.Kinds, " ")},
		{"cleared for", p.Clearance},
		{"may send to", strings.Join(p.Pairs, " ")},
		{"stanzas", fmt.Sprintf("%d delivered to it, %d refused from it, %d wait", p.Delivered, p.Refused, p.Queued)},
	}
	if len(p.Answers) > 0 || p.Answered > 0 {
		facts = append(facts, []string{"answered here", fmt.Sprintf("%s (%s), %s saved, %d kept",
			count(int(p.Answered), "request"), strings.Join(p.Answers, " "), bytesOf(p.Saved), p.Kept)})
	}
	if p.Error != "" {
		facts = append(facts, []string{"problem", p.Error})
	}
	if !p.NextTry.IsZero() {
		facts = append(facts, []string{"next try", "in " + ago(p.NextTry, now)})
	}
	a.printFacts(facts)
	for _, s := range p.Open {
		fmt.Fprintln(a.out)
		a.printFacts([][]string{
			{"stream", s.Direction + ", " + s.Local + " with " + s.Remote + " at " + s.Address},
			{"open for", ago(now, s.Since)},
			{"tls", s.TLS},
			{"proof", s.Proof},
			{"management", yesNo(s.Management) + ", " + fmt.Sprint(s.Unacked) + " not acknowledged"},
			{"stanzas", fmt.Sprintf("%d in, %d out", s.In, s.Out)},
		})
	}
}
