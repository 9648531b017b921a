// Package radio proves the HF stack with a judge that we did not write: tshark, whose dissectors s5066sis and s5066dts know every S_primitive and
// every D_PDU. Sessions are recorded with s5066/capture, decoded, and nothing may be malformed, no checksum incorrect.
//
// testbed/install-peers.sh installs tshark; where it is missing the tests fail.
package radio
