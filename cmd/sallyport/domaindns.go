package main

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sallyport/gateway"
	"sallyport/gateway/config"
)

func (a *app) domainDNS() *cobra.Command {
	var host string
	cmd := &cobra.Command{
		Use:   "dns",
		Short: "Say what has to be in the DNS, and which ports have to be open",
		Long: `Say what others have to know so that they find and trust the server that the
configuration describes: records of the DNS, ports to open, and which
certificate names which domain. Nothing is asked of the DNS, and no node has to
run.`,
		Example: `  sallyport domain dns --host xmpp.chat.example`,
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			cfg, problems := config.Load(a.config)
			if problems.Failed() {
				return problems.Err()
			}
			if len(cfg.Server.Domains) == 0 {
				return errNoServer
			}
			p, err := gateway.Publish(cfg, hostOr(host, string(cfg.Server.Domains[0])))
			if err != nil {
				return err
			}
			if a.json {
				return a.printJSON(p)
			}
			a.printPublished(p)
			return nil
		},
	}
	cmd.Flags().StringVar(&host, "host", "", "`NAME` of this machine in the DNS")
	return cmd
}

// hostOr is the name that was given, or that this machine has, or one that has to be replaced.
func hostOr(given, domain string) string {
	if given != "" {
		return given
	}
	if name, err := os.Hostname(); err == nil && strings.Contains(name, ".") {
		return name
	}
	return "host." + domain
}

func (a *app) printPublished(p *gateway.Published) {
	if len(p.Records) == 0 {
		fmt.Fprintln(a.out, "All addresses are of this machine alone: nobody has to find them.")
	} else {
		fmt.Fprintln(a.out, "Records of the DNS, beside an A or AAAA record of the host:")
		for _, r := range p.Records {
			fmt.Fprintf(a.out, "  %s. SRV 10 5 %d %s.\n", printable(r.Name), r.Port, printable(r.Target))
		}
	}
	fmt.Fprintln(a.out, "\nPorts to open:")
	for _, port := range p.Ports {
		here := ""
		if port.Here {
			here = " (reached from this machine alone)"
		}
		fmt.Fprintf(a.out, "  %s, for %s%s\n", port.Address, printable(port.For), here)
	}
	fmt.Fprintln(a.out, "\nCertificates, which have to name the domain and not the host:")
	for _, c := range p.Certificates {
		if c.File == "" {
			fmt.Fprintf(a.out, "  %s: none names it\n", printable(c.Domain))
			continue
		}
		period := "good until "
		if c.NotAfter.Before(time.Now()) {
			period = "EXPIRED on "
		}
		fmt.Fprintf(a.out, "  %s: %s, %s%s\n", printable(c.Domain), printable(c.File), period, c.NotAfter.Format("2006-01-02"))
	}
}
