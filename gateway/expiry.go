package gateway

import (
	"time"

	"sallyport/gateway/config"
	"sallyport/gateway/prom"
	"sallyport/internal/tlsid"
)

// expirySoon is how long before the end of a certificate of ours status reminds of it. Whoever renews by hand has time then.
const expirySoon = 14 * 24 * time.Hour

// certificates are those that the active configuration shows others, with the times between which they are believed.
func (g *Gateway) certificates(cfg *config.Config) {
	keys, err := tlsid.LoadKeys(identityFiles(cfg).Keys)
	if err != nil {
		return // what is active has been read, and is known from then
	}
	facts := keys.Facts()
	g.ours.Store(&facts)
}

// expiring tells of certificates of ours that nobody believes, or will not for long.
func (g *Gateway) expiring() (out []string) {
	facts := g.ours.Load()
	if facts == nil {
		return nil
	}
	const then = ": renew it, then sallyport reload"
	now := g.now()
	for _, f := range *facts {
		switch left := f.NotAfter.Sub(now); {
		case f.NotBefore.After(now):
			out = append(out, "the certificate "+f.File+" is not good before "+f.NotBefore.UTC().Format(time.RFC3339)+": is the clock right?")
		case left < 0:
			out = append(out, "the certificate "+f.File+" has expired at "+f.NotAfter.UTC().Format(time.RFC3339)+then)
		case left < expirySoon:
			out = append(out, "the certificate "+f.File+" expires at "+f.NotAfter.UTC().Format(time.RFC3339)+then)
		}
	}
	return out
}

func (n *numbers) expiries(emit prom.Emit) {
	if facts := n.ours.Load(); facts != nil {
		for _, f := range *facts {
			emit(prom.CertificateExpiry, float64(f.NotAfter.Unix()), f.File)
		}
	}
}
