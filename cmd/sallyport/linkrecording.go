package main

import (
	"bufio"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"sallyport/links/cost"
)

// recording opens a recording; done closes it.
func (a *app) recording(name string) (r *cost.Reader, done func() error, err error) {
	if name == "-" {
		return cost.NewReader(a.in), func() error { return nil }, nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, nil, err
	}
	return cost.NewReader(f), f.Close, nil
}

func (a *app) linkAnonymise() *cobra.Command {
	return &cobra.Command{
		Use:   "anonymise RECORDING",
		Short: "Replace what was said by whom in a recording",
		Long: `Print a recording in which every word and every address is another one of the
same length, the same word the same wherever it stands, so that it compresses
as the original does. Elements, namespaces and words of the protocol stay.

Times, lengths and who writes how often stay too, and common words can be
guessed from how often they stand: it is still traffic data. The words chosen
depend on a random key that is forgotten at the end.`,
		Example: `  sallyport link anonymise day.rec > safe.rec`,
		Args:    cobra.ExactArgs(1),
		RunE:    func(_ *cobra.Command, args []string) error { return a.anonymise(args[0]) },
	}
}

func (a *app) anonymise(name string) error {
	r, done, err := a.recording(name)
	if err != nil {
		return err
	}
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails
	return errors.Join(a.anonymised(r, cost.NewAnonymiser(key)), done())
}

func (a *app) anonymised(r *cost.Reader, by *cost.Anonymiser) error {
	out := bufio.NewWriter(a.out)
	fmt.Fprintln(out, cost.Head)
	var line []byte
	for n := 1; ; n++ {
		e, err := r.Next()
		if errors.Is(err, io.EOF) {
			return out.Flush()
		}
		if err == nil {
			e, err = by.Entry(e)
		}
		if err == nil {
			line, err = cost.Append(line[:0], e)
		}
		if err != nil {
			return errors.Join(fmt.Errorf("stanza %d: %w", n, err), out.Flush())
		}
		_, _ = out.Write(line) // Flush reports errors
	}
}
