// Package badnet is a bad network on one machine: two network namespaces, a TUN device in each, and a forwarder between them that loses,
// delays, reorders and repeats packets and keeps to a rate, all from one seed. The kernels in both namespaces are real, so TCP feels the
// loss as it would outside; a relay of sockets would end TCP and hide it.
//
// The namespaces have no names and the devices are not persistent: both vanish with the process, also when it is killed. It needs root and
// /dev/net/tun, and touches nothing of the namespace it was started in.
//
// In the room: Path, which decides about packets and is a plain machine; Net, which has the goroutines, namespaces and devices. Not in the
// room: whoever talks over it.
package badnet
