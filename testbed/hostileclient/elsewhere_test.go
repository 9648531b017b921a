package hostileclient_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// elsewhere says what proves the other entries that concern clients, or why there is nothing to prove.
var elsewhere = map[string]string{
	"A12": "guard link only",
	"A35": "TestDribble of server/c2s, in virtual time; a start tag of 10,000 bytes is the limit before authentication",
	"B12": "guard only", "B13": "guard only", "B14": "guard only", "B15": "guard only", "B17": "guard only",
	"C13": "guard only",
	"D10": "server to server only", "D11": "server to server only", "D12": "server to server only",
	"D14": "TestLoginsLeaveNothing of server/c2s",
	"D17": "TestD17Wrap of internal/xmpp/stream (the same window for clients and servers)",
	"D18": "TestNeverAcks of server/c2s",
	"D20": "TestResumeAtOnce of server/c2s",
	"E02": "as initiator only; clients do not dial", "E03": "as initiator only",
	"E06": "crypto/tls of the toolchain; testbed/hostile has the same listener for servers",
	"F10": "we are no client", "F11": "we are no client",
	"F15": "TestNamesWithoutAccountLookLikeOthers of server/account, TestClientUnknownAccount of internal/xmpp/stream",
	"H01": "server to server only", "H05": "server to server only; internal/xmpp/jid for both", "H06": "guard only",
	"H15": "server to server only",
}

var named = regexp.MustCompile(`(Test\w+) of ([\w/]+)`)

// missing are tests named above that do not exist.
func missing() (problems []string) {
	for entry, said := range elsewhere {
		for _, m := range named.FindAllStringSubmatch(said, -1) {
			found := false
			files, _ := filepath.Glob("../../" + m[2] + "/*_test.go") // the pattern is right
			for _, f := range files {
				text, err := os.ReadFile(f)
				found = found || err == nil && strings.Contains(string(text), "func "+m[1]+"(")
			}
			if !found {
				problems = append(problems, entry+": no "+m[0])
			}
		}
	}
	return problems
}

// last is the number of entries of each group.
var last = map[byte]int{'A': 38, 'B': 17, 'C': 14, 'D': 23, 'E': 13, 'F': 17, 'H': 15}

var numbered = regexp.MustCompile(`^([A-H])(\d\d)_`)

// covered is the list of what is proven here, and of what is proven elsewhere.
func covered(rows []row) (text string, problems []string) {
	have := map[string]bool{}
	var b strings.Builder
	b.WriteString("# Hostile inputs of clients: what is proven\n\nWritten by `go test ./testbed/hostileclient -update`. Every case runs over TCP with TLS under three splits of its bytes,\n" +
		"against the edge of the server (server/c2s) and against the program itself; those marked so run as a message of a WebSocket, too.\n\n| entry | cases | WebSocket |\n|---|---|---|\n")
	for _, r := range rows {
		m := numbered.FindStringSubmatch(r.name)
		if m == nil {
			problems = append(problems, "no number: "+r.name)
			continue
		}
		have[m[1]+m[2]] = true
		web := ""
		if r.web {
			web = "yes"
		}
		fmt.Fprintf(&b, "| %s | %d | %s |\n", strings.ReplaceAll(r.name, "_", " "), r.n, web)
	}
	b.WriteString("\n| entry | where else |\n|---|---|\n")
	var names []string
	for group, n := range last {
		for i := 1; i <= n; i++ {
			names = append(names, fmt.Sprintf("%c%02d", group, i))
		}
	}
	slices.Sort(names)
	for _, name := range names {
		said, other := elsewhere[name]
		if have[name] == other {
			problems = append(problems, fmt.Sprintf("%s: a row here %v, elsewhere %q", name, have[name], said))
		}
		if other {
			fmt.Fprintf(&b, "| %s | %s |\n", name, said)
		}
	}
	return b.String(), problems
}
