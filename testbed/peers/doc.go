// Package peers starts real XMPP servers that we did not write, Debian's Prosody and ejabberd, on
// addresses of the loopback network, each with its own directory, certificate and resolver, and stops
// them again for certain.
//
// It is for tests and benchmarks only. It never touches the packages' own services, files under
// /etc or /var, or any address that is not in 127.0.0.0/8. What had to be done so that each server
// behaves as a well-mannered child stands beside the configuration that does it (prosody.go,
// ejabberd.go); testbed/install-peers.sh installs what is needed.
//
// A Bed is the whole: one loopback block, a certificate authority, name servers for the inner and the outer
// network and for what stands between, and the two servers.
package peers
