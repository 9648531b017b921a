package radio

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"strings"
)

// program is Wireshark's command line, of the package tshark.
const program = "tshark"

// Decode lets tshark say everything it knows about a file.
func Decode(ctx context.Context, file string) (string, error) {
	return run(ctx, "-r", file, "-V", "-O", "s5066sis,s5066dts")
}

// Field is one field's values in the order of the file; with several in a packet, each counts.
func Field(ctx context.Context, file, name string) ([]string, error) {
	out, err := run(ctx, "-r", file, "-T", "fields", "-E", "aggregator=,", "-e", name)
	if err != nil {
		return nil, err
	}
	return strings.FieldsFunc(out, func(r rune) bool { return r == ',' || r == '\n' }), nil
}

// Count is how often each value of a field occurs.
func Count(ctx context.Context, file, name string) (map[string]int, error) {
	values, err := Field(ctx, file, name)
	counts := make(map[string]int)
	for _, v := range values {
		counts[v]++
	}
	return counts, err
}

// Complaints are the lines of a decoded file in which tshark finds fault, without those that are its own.
func Complaints(decoded string) []string {
	var all []string
	for _, packet := range strings.Split(decoded, "\n\n") {
		for line := range strings.Lines(packet) {
			if faulty(line) && !(strings.Contains(line, "[Malformed Packet: STANAG 5066 SIS]") && overrun(packet)) {
				all = append(all, strings.TrimSpace(line))
			}
		}
	}
	return all
}

func faulty(line string) bool {
	for _, word := range []string{"Malformed", "(Incorrect", "incorrect", "Reassembly error", "Dissector bug"} {
		if strings.Contains(line, word) {
			return true
		}
	}
	return false
}

// overrun reports whether a packet is one that tshark 4.0 calls malformed whatever its bytes are: in confirmations and rejections for SAP 2, 6 and 7
// it looks for the header of RCOP behind the end of the primitive. TestTheJudgeIsBlindInOnePlace shows it. Everything else in the packet
// has been decoded by then.
func overrun(packet string) bool {
	kind := regexp.MustCompile(`PDU Type: S_(EXPEDITED_)?UNIDATA_REQUEST_(CONFIRM|REJECTED) `)
	sap := regexp.MustCompile(`Destination Sap ID: .*\((2|6|7)\)\n`)
	data := regexp.MustCompile(`U_PDU Size: \d+\n.*\(Part of\) .*\n\[Malformed`)
	return kind.MatchString(packet) && sap.MatchString(packet) && data.MatchString(packet)
}

func run(ctx context.Context, args ...string) (string, error) {
	// -n: nobody is asked for the names of addresses.
	cmd := exec.CommandContext(ctx, program, append([]string{"-n"}, args...)...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("tshark %s: %w (install it with testbed/install-peers.sh)\n%s", strings.Join(args, " "), err, errs.String())
	}
	return out.String(), nil
}
