package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"sallyport/links/cost"
	"sallyport/links/deflate"
)

func (a *app) linkTrain() *cobra.Command {
	var o cost.TrainOptions
	var out, measure string
	var forRadio bool
	cmd := &cobra.Command{
		Use:   "train RECORDING",
		Short: "Make a dictionary of recorded traffic, and say what it saves",
		Long: `Make a dictionary for the compression of a link from recorded traffic, and
measure it on conversations that it was not made of (one in five). Both ends of
the link must hold the same file; its id is shown by both.

A dictionary is known to whoever holds a copy. What people write (bodies,
subjects, states) is left out of it unless --texts is given; addresses that many
stanzas share are in it.

With --measure nothing is trained: the whole recording is compressed with an
existing dictionary.

With --compact it is a model for the compact codec of a radio link instead,
and all of the above holds for it.`,
		Example: `  sallyport link train --out ships.dict day.rec
  sallyport link train --compact --out ships.model day.rec
  sallyport link train --measure ships.dict other-day.rec`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if forRadio {
				return a.trainModel(args[0], out, measure, o)
			}
			return a.train(args[0], out, measure, o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&out, "out", "", "write the dictionary to `FILE`")
	f.StringVar(&measure, "measure", "", "measure the dictionary in `FILE`")
	f.IntVar(&o.Size, "size", deflate.MaxDictionary, "`BYTES` of the dictionary, at most")
	f.BoolVar(&o.Texts, "texts", false, "let what people write into the dictionary")
	f.BoolVar(&forRadio, "compact", false, "make a model for the compact codec")
	cmd.MarkFlagsMutuallyExclusive("compact", "size")
	cmd.MarkFlagsMutuallyExclusive("measure", "out")
	cmd.MarkFlagsMutuallyExclusive("measure", "texts")
	return cmd
}

func (a *app) train(name, out, measure string, o cost.TrainOptions) error {
	if o.Size < 1 || o.Size > deflate.MaxDictionary {
		return fmt.Errorf("--size: %d is not between 1 and %d", o.Size, deflate.MaxDictionary)
	}
	r, done, err := a.recording(name)
	if err != nil {
		return err
	}
	var t cost.Training
	if measure != "" {
		t, err = a.measured(r, measure)
	} else {
		t, err = trained(r, out, o)
	}
	if err := errors.Join(err, done()); err != nil {
		return err
	}
	if a.json {
		return a.printJSON(t)
	}
	a.printTraining("dictionary", t, out)
	return nil
}

func (a *app) measured(r *cost.Reader, file string) (cost.Training, error) {
	dict, err := loadDictionary(file)
	if err != nil {
		return cost.Training{}, err
	}
	return cost.Measure(r.Next, dict)
}

func loadDictionary(file string) (deflate.Dictionary, error) {
	info, err := os.Stat(file)
	if err == nil && info.Size() > deflate.MaxDictionary {
		return deflate.Dictionary{}, fmt.Errorf("%s: %d bytes are no dictionary; %d at most", file, info.Size(), deflate.MaxDictionary)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return deflate.Dictionary{}, err
	}
	return deflate.NewDictionary(text)
}

// trained never replaces a file: a dictionary that one end has changed alone cuts the link.
func trained(r *cost.Reader, out string, o cost.TrainOptions) (cost.Training, error) {
	if err := vacant(out); err != nil {
		return cost.Training{}, err
	}
	dict, t, err := cost.Train(r.Next, o)
	if err != nil || out == "" {
		return t, err
	}
	return t, writeNew(out, dict.Bytes())
}

// vacant says early that a file is there already.
func vacant(out string) error {
	if _, err := os.Lstat(out); out != "" && err == nil {
		return fmt.Errorf("%s is there already; a dictionary in use must not change under a link", out)
	}
	return nil
}

func writeNew(name string, b []byte) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	return errors.Join(err, f.Close())
}

func (a *app) printTraining(what string, t cost.Training, out string) {
	name := t.ID
	if out != "" {
		name += " in " + out
	}
	facts := [][]string{
		{what, fmt.Sprintf("%s, %d bytes", name, t.Dictionary)},
		{"made of", counted(t.Samples, "stanza")},
		{"measured on", counted(t.HeldOut, "stanza")},
		{"as they are", perStanza(t.Plain, t, t.Plain)},
		{"compressed", perStanza(t.Without, t, t.Plain)},
		{"with it", perStanza(t.With, t, t.Plain)},
	}
	if t.Samples == 0 {
		facts[1][1] = ""
	}
	a.printFacts(facts)
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// perStanza is a sum of bytes, its mean, and what share it is of another.
func perStanza(bytes int64, t cost.Training, of int64) string {
	return fmt.Sprintf("%d bytes, %.1f each, %.0f %%", bytes, float64(bytes)/float64(max(t.HeldOut, 1)), 100*float64(bytes)/float64(max(of, 1)))
}
