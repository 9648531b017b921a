package hostileclient_test

import (
	"fmt"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// elsewhere says what proves the other entries that concern clients, or why there is nothing to prove.
var elsewhere = map[string]string{
	"A12": "guard link only",
	"B12": "guard only", "B13": "guard only", "B14": "guard only", "B15": "guard only", "B17": "guard only",
	"C13": "guard only",
	"D10": "server to server only", "D11": "server to server only", "D12": "server to server only",
	"D14": "TestLoginsLeaveNothing of server/c2s: 300 of them in virtual time, goroutines counted; no heap",
	"D17": "TestD17Wrap of internal/xmpp/stream (the same window for clients and servers)",
	"D20": "TestResumeAtOnce of server/c2s",
	"E02": "as initiator only; clients do not dial", "E03": "as initiator only",
	"E06": "crypto/tls of the toolchain; testbed/hostile has the same listener for servers",
	"F10": "we are no client", "F11": "we are no client",
	"F15": "TestNamesWithoutAccountLookLikeOthers of server/account, TestClientUnknownAccount of internal/xmpp/stream: the same work and the same words; times are not compared",
	"H01": "server to server only", "H05": "server to server only; internal/xmpp/jid for both", "H06": "guard only",
	"H15": "server to server only",
	"L01": "TestRefusedPublications of server/pep", "L02": "nodes are subscribed to by presence alone: TestNotImplemented of server/pep",
	"L03": "TestRefusedPublications of server/pep", "L04": "TestQuery of server/mam", "L05": "TestOnlyTheOwnArchive of server/mam, TestQuery of server/mam",
	"L06": "server to server only", "L07": "no node publishes to another",
	"M01": "TestNoCompression of server/c2s, TestHostileCompression of server/c2s",
}

// besides says of entries that have rows here what the rows leave to other tests, and what is otherwise than the list has it.
var besides = map[string]string{
	"A02": "the memory of it is that of A31; that nothing behind `<!D` is read is that of A01",
	"A29": "time and allocations: the budgets of internal/xmpp/xmlstream",
	"A32": "allocations: the budgets of internal/xmpp/xmlstream",
	"A33": "names that collide, and their time: TestHostileA33 of internal/xmpp/xmlstream",
	"A35": "a byte every ten seconds, and the end after sixty: TestDribble of server/c2s, in virtual time",
	"D13": "2,000 connections of 40 addresses, and not 10,000 of 200; those that say nothing end like those of A35 and E07",
	"D15": "the same text; times are not compared",
	"D16": "what was not acknowledged is kept: TestWhatALostClientHad of server",
	"D18": "4 MiB: TestWindowBounds of internal/xmpp/stream; what is more than may wait goes back to who sent it, whether it is in the archive or not",
	"D19": "more than 1,000 a second for ten: TestD19 of internal/xmpp/stream, in virtual time",
	"E05": "the alert is unexpected_message (10), and not no_renegotiation: that of crypto/tls, fatal as well",
	"E08": "a certificate that is not good is as none: the stream goes on, with a password",
	"E11": "no processor time is measured: somebody else logs in beside twenty of each",
	"E13": "an unknown name is shown the certificate of the first domain, or refused by an alert",
	"F06": "no directory is asked: there is none that could be (accounts are in the store)",
	"F08": "`n` where binding is required: TestClientPolicies of internal/xmpp/stream",
	"F09": "proofs are compared in constant time by crypto/subtle; times are not compared",
	"F14": "how the delays grow: TestBrake of server/c2s, in virtual time",
	"F17": "it is the client that compares",
	"H04": "the profiles: internal/xmpp/jid",
	"H12": "more than 20: TestListsOfRecipients of server",
	"H13": "who may not is not told that it is there: item-not-found",
	"H11": "directed presence, and 10,000 subscriptions: TestManySubscriptions of server",
}

var named = regexp.MustCompile(`(Test\w+) of ([\w/]+)`)

// both are all that is said, by entry.
func both() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for _, list := range []map[string]string{elsewhere, besides} {
			for entry, said := range list {
				if !yield(entry, said) {
					return
				}
			}
		}
	}
}

// missing are tests named above that do not exist.
func missing() (problems []string) {
	for entry, said := range both() {
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
var last = map[byte]int{'A': 38, 'B': 17, 'C': 14, 'D': 23, 'E': 13, 'F': 17, 'H': 15, 'L': 7, 'M': 1}

var numbered = regexp.MustCompile(`^([A-M])(\d\d)_`)

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
	b.WriteString("\nBoth beds have two who do nothing wrong, one on TCP and one in a WebSocket, who send a message every 10 ms from the first case to the last: each is\n" +
		"answered once, and within 5 seconds beyond what the machine keeps everybody waiting. Nobody is given anything that was refused, and\n" +
		"neither log nor audit of the program has any of it, or a password.\n" +
		"Rooms (group K) are not of this server.\n\n| entry | what its rows leave to others, and what is otherwise |\n|---|---|\n")
	for _, name := range slices.Sorted(maps.Keys(besides)) {
		if !have[name] {
			problems = append(problems, name+": besides what?")
		}
		fmt.Fprintf(&b, "| %s | %s |\n", name, besides[name])
	}
	return b.String(), problems
}
