package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sallyport/gateway/config"
	"sallyport/labels"
	"sallyport/labels/catalogue"
	"sallyport/labels/icism"
	"sallyport/labels/labelfile"
	"sallyport/labels/spif"
	"sallyport/labels/textmark"
)

// policyFlags say under which policies labels are read.
type policyFlags struct {
	files   []string
	lenient bool
}

// labelFlags are common to the label commands.
type labelFlags struct {
	policyFlags
	syntax string
	at     string
	color  string
	lang   string
}

func (a *app) labelCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "label",
		Short: "Read, explain, decide, mark, translate and list security labels",
		Long: `Work with security labels and clearances in files. The policies (Open XML SPIF)
are named with --policy; without it they are those of the configuration.

A label or clearance is a file, or - for standard input. Its syntax is found
out, and said; --syntax forces one:

  ess ess-der ess-hex   ESSSecurityLabel, Clearance (RFC 2634, RFC 5755)
  stanag-4774           label or clearance of ADatP-4774
  stanag-4778           binding around such labels
  xep-0258, message     securitylabel, or a stanza that has one
  ic-ism                IC-ISM attributes, by policy.ic-ism of the configuration
  text                  a display marking
  certificate, cms      X.509 clearance, signed label (PEM or DER; not verified)
  ldif                  attributes clearance, confidentialityClearance
  spiffing              debug format of the spiffing library, for tests`,
		Example: `  sallyport label show --policy nato.xml label.xml
  sallyport label decide --policy nato.xml label.xml clearance.xml`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.labelParse(), a.labelShow(), a.labelMark(), a.labelDecide(), a.labelTranslate(),
		a.labelCatalogue(), a.labelBatch())
	return cmd
}

func (f *policyFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&f.files, "policy", nil, "security policy `FILE`; may be repeated")
	cmd.Flags().BoolVar(&f.lenient, "lenient", false, "accept known slips of published files")
}

func (f *labelFlags) add(cmd *cobra.Command) {
	f.policyFlags.add(cmd)
	cmd.Flags().StringVar(&f.syntax, "syntax", "", "read the label as `WORD`; see 'label --help'")
	cmd.Flags().StringVar(&f.at, "at", "", "`TIME` of the question (default now)")
}

// when is the time of the question.
func (f *labelFlags) when() (time.Time, error) {
	if f.at == "" {
		return time.Now(), nil
	}
	at, err := parseWhen(f.at, time.Now())
	if err != nil {
		return at, fmt.Errorf("--at: %w", err)
	}
	return at, nil
}

// policies are those that were loaded, with the files they came from.
type policies struct {
	*labels.Registry
	from map[string]string // file by identifier
	ism  *icism.Mapping    // of the configuration; nil: none
}

// load reads the policies that the flags name, else those of the configuration. A configuration that is named is
// asked for its IC-ISM mapping too.
func (a *app) load(f *policyFlags) (policies, error) {
	out := policies{from: map[string]string{}}
	files := f.files
	if len(files) == 0 || a.config != defaultConfig {
		own, mapping, err := a.configured()
		switch {
		case err == nil:
			out.ism = mapping
		case len(files) == 0:
			return out, err
		}
		if len(files) == 0 {
			files = own
		}
	}
	var list []*labels.Policy
	for _, file := range files {
		p, problems := spif.LoadWith(spif.Options{AnyNamespace: f.lenient}, file)
		if p == nil {
			a.printDefects(a.err, problems, true)
			return out, fmt.Errorf("policy %s cannot be used; see 'sallyport spif check'", file)
		}
		list, out.from[p.ID()] = append(list, p), file
	}
	var err error
	out.Registry, err = labels.NewRegistry(list...)
	return out, err
}

// configured returns the policy files of the configuration, and how it reads IC-ISM.
func (a *app) configured() ([]string, *icism.Mapping, error) {
	const advice = "name a policy with --policy FILE, or a configuration that has one with -c"
	cfg, problems := config.Load(a.config)
	if cfg == nil {
		return nil, nil, fmt.Errorf("no security policy: %s; %s", problems[0], advice)
	}
	if len(cfg.Policy.SPIF) == 0 {
		return nil, cfg.Policy.ICISM, fmt.Errorf("no security policy: %s has no policy.spif; %s", a.config, advice)
	}
	files := make([]string, len(cfg.Policy.SPIF))
	for i, f := range cfg.Policy.SPIF {
		files[i] = string(f)
	}
	return files, cfg.Policy.ICISM, nil
}

// source is a label or clearance file as it was read.
type source struct {
	*labelfile.File
	name     string
	detected bool
}

// how says where something comes from and how it was read.
func (s *source) how() string {
	found := "detected"
	if !s.detected {
		found = "as told"
	}
	return fmt.Sprintf("%s, read as %s (%s)", s.name, s.Syntax, found)
}

// open reads a file in the syntax of that word, "" for the one it has.
func (a *app) open(name, syntax string, reg policies, f *labelFlags) (*source, error) {
	o := labelfile.Options{Lenient: f.lenient, Debug: true}
	if syntax != "" {
		var ok bool
		if o.Syntax, ok = labelfile.ParseSyntax(syntax); !ok {
			return nil, fmt.Errorf("there is no syntax %q; 'sallyport label --help' lists them", syntax)
		}
	}
	at, err := f.when()
	if err != nil {
		return nil, err
	}
	o.At, o.ICISM, o.Table = at, reg.ism, table(reg, at, f.lang)
	s := &source{name: name, detected: syntax == ""}
	if name == "-" {
		s.name = "standard input"
		b, err := labelfile.Read(a.in)
		if err != nil {
			return nil, fmt.Errorf("standard input: %w", err)
		}
		if s.File, err = labelfile.Parse(b, reg.Registry, o); err != nil {
			return nil, fmt.Errorf("standard input: %w", err)
		}
		return s, nil
	}
	if s.File, err = labelfile.Load(name, reg.Registry, o); err != nil {
		return nil, err
	}
	return s, nil
}

// table knows the markings of all labels that a catalogue of each policy would list.
func table(reg policies, at time.Time, lang string) *textmark.Table {
	var entries [][]textmark.Entry
	for _, p := range reg.Policies() {
		c, err := catalogue.FromPolicy(p, catalogue.Generate{At: at, Lang: lang})
		if err != nil {
			continue // no marking of it is known then
		}
		entries = append(entries, c.Markings(labels.PageBottom, lang), c.Markings(labels.FirstLineOfText, lang))
	}
	return textmark.NewTable(entries...)
}

// label reads the one label of a file.
func (a *app) label(args []string, reg policies, f *labelFlags) (*source, *labels.Label, error) {
	name := "-"
	if len(args) > 0 {
		name = args[0]
	}
	s, err := a.open(name, f.syntax, reg, f)
	if err != nil {
		return nil, nil, err
	}
	l, err := s.Label(reg.Registry)
	if err != nil {
		return s, nil, fmt.Errorf("%s: %w", s.name, withAdvice(err))
	}
	return s, l, nil
}

// withAdvice says what to do about a label of a policy that is not loaded.
func withAdvice(err error) error {
	var e *labels.Error
	if errors.As(err, &e) && e.Code == labels.CodePolicy {
		return fmt.Errorf("%w; name its file with --policy", err)
	}
	return err
}

// colors says whether output may have colours: always, never, or only where somebody looks at it.
func (a *app) colors(when string) (bool, error) {
	switch when {
	case "always":
		return true, nil
	case "never":
		return false, nil
	case "", "auto":
		f, ok := a.out.(*os.File)
		if !ok || os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
			return false, nil
		}
		info, err := f.Stat()
		return err == nil && info.Mode()&os.ModeCharDevice != 0, nil
	}
	return false, fmt.Errorf("--color: %q is none of auto, always, never", when)
}

// bar is a marking on its background, as wide as the screen, where there are colours; else the text.
func bar(m labels.MarkingText, colored bool) string {
	text := printable(m.Text)
	r, g, b, ok := labels.RGB(m.Background)
	if !colored || !ok {
		return text
	}
	fr, fg, fb, _ := labels.RGB(m.Foreground)
	space := max(screen-len([]rune(text))-1, 1)
	return fmt.Sprintf("\x1b[48;2;%d;%d;%dm\x1b[38;2;%d;%d;%dm %s%s\x1b[0m", r, g, b, fr, fg, fb, text, strings.Repeat(" ", space))
}

// swatch is a small field of a colour, nothing where there are no colours.
func swatch(color string, colored bool) string {
	r, g, b, ok := labels.RGB(color)
	if !colored || !ok {
		return ""
	}
	return fmt.Sprintf("\x1b[48;2;%d;%d;%dm  \x1b[0m ", r, g, b)
}
