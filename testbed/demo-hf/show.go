package main

import (
	"fmt"
	"time"
)

// opening says what there is to see.
func (p *play) opening() {
	fmt.Fprintf(p, `A ship and a shore station with nothing between them but HF radio

  bridge@ship.example                                   operations@shore.example
           | XMPP                                                XMPP |
     gateway of the ship                              gateway of the shore
           | STANAG 5066                                  STANAG 5066 |
      node 1.2.3.5 ))) )) )           HF           ( (( ((( node 1.2.3.4
`+"\n")
	p.say("", fmt.Sprintf("The channel: %s, waveform %s, %gx real time, an outage of %s after %s. Each line is a transmission: who keyed for how long, what the "+
		"other made of it, which frames it carried. Between them: what people say and hear, and how long it took on the channel.", p.profile, p.waveform, p.speed, outageFor, outageBegin))
	fmt.Fprintln(p)
}

// closing sets what was seen against what the gateways have counted.
func (p *play) closing(f *files, s uint64) {
	p.Show() // nobody will transmit any more
	close(p.delays)
	var all, most time.Duration
	n := 0
	for d := range p.delays {
		all += d
		most = max(most, d)
		n++
	}
	fmt.Fprintln(p)
	p.say("", fmt.Sprintf("%d messages crossed, each once: %.0f s on average, %.0f s at most.", n, (all/time.Duration(max(n, 1))).Seconds(), most.Seconds()))
	p.say("", fmt.Sprintf("%d bytes of XML left the servers; the gateways gave %d bytes to their nodes, acknowledgements included.", p.xml.Load(), s))
	fmt.Fprintln(p)
	for _, c := range [][2]string{
		{"who keyed when", shown(f.path("channel.svg"))},
		{"the same as JSON", shown(f.path("channel.jsonl"))},
		{"for Wireshark", shown(f.path("ship-dpdu-0001.pcapng"))},
		{"", shown(f.path("ship-sis-0001.pcap"))},
		{"changes of the link", shown(f.sallyport) + " link history radio -c " + shown(f.path("ship-gateway.toml"))},
	} {
		fmt.Fprintf(p, "%-20s %s\n", c[0], c[1])
	}
}
