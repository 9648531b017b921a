package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sallyport/gateway/audit"
	"sallyport/gateway/config"
	"sallyport/internal/disk"
)

// auditFlags are common to the audit commands; what is not given is taken from the configuration.
type auditFlags struct{ dir, key string }

func (a *app) auditCommand() *cobra.Command {
	var f auditFlags
	cmd := &cobra.Command{
		Use:   "audit",
		Short: "Show, verify, archive, prune and replay the log of decisions",
		Long: `The audit log holds every decision. These commands read its files; they need no
running node and do not disturb one.`,
		Example: `  sallyport audit show --outcome refused --since 1h
  sallyport audit verify --head /mnt/other/gw1.head`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.PersistentFlags().StringVar(&f.dir, "dir", "", "`DIR` of the log (default: see the configuration)")
	cmd.AddCommand(a.auditShow(&f), a.auditVerify(&f), a.auditArchive(&f), a.auditPrune(&f), a.auditReplay(&f))
	return cmd
}

// complete fills in what was not given from the configuration.
func (f *auditFlags) complete(path, keySuffix string) error {
	if f.dir != "" && f.key != "" {
		return nil
	}
	cfg, problems := config.Load(path)
	if cfg == nil {
		return fmt.Errorf("configuration %s: %w; without it, name --dir and --key", path, errors.New(problems[0].Text))
	}
	if f.dir == "" {
		f.dir = string(cfg.Audit.Dir)
	}
	if f.key == "" {
		f.key = string(cfg.Audit.SignKey) + keySuffix
	}
	return nil
}

// showFlags are the filters as text.
type showFlags struct {
	since, until, seq, kind string
	last                    int
	labels                  bool
	filter                  audit.Filter
}

func (a *app) auditShow(f *auditFlags) *cobra.Command {
	var s showFlags
	cmd := &cobra.Command{
		Use:   "show",
		Short: "Print records of the log",
		Long: `Print the records that match every filter, oldest first, as a table or with
--json as one line of JSON each. Times are like 2026-11-21 or
2026-11-21T23:00:00Z, or say how long ago: 90m, 7d.

The kinds are decision, settlement, start, stop, reload, alarm,
control-command, peer-event and security-event.

With --labels each decision about a label also shows how the label came (syntax,
digest, in numbers), where it was found, what was known of sender and recipient,
each translation step by step, and each check of a clearance.

Where the log is damaged that is said on standard error, the rest is printed,
and the exit code is 5.`,
		Example: `  sallyport audit show --last 20
  sallyport audit show --outcome refused --peer partner --since 7d
  sallyport audit show --jid juliet@in.example --json
  sallyport audit show --ref R-4711 --labels
  sallyport audit show --link radio --kind peer-event
  sallyport audit show --seq 1000-1100`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return a.showAudit(f, &s) },
	}
	flags := cmd.Flags()
	flags.StringVar(&s.since, "since", "", "from `TIME` on")
	flags.StringVar(&s.until, "until", "", "before `TIME`")
	flags.StringVar(&s.seq, "seq", "", "record `N` or N-M")
	flags.StringVar(&s.kind, "kind", "", "records of one `KIND`")
	flags.StringVar(&s.filter.Peer, "peer", "", "`PEER` on either side")
	flags.StringVar(&s.filter.Link, "link", "", "of one `LINK`")
	flags.StringVar(&s.filter.Address, "jid", "", "from or to `JID`: whole, bare or domain")
	flags.StringVar(&s.filter.Outcome, "outcome", "", "`WORD` of the outcome")
	flags.StringVar(&s.filter.Stage, "stage", "", "`STAGE` that decided")
	flags.StringVar(&s.filter.Rule, "rule", "", "`RULE` that decided")
	flags.StringVar(&s.filter.Ref, "ref", "", "reference `REF` that the sender was given")
	flags.IntVar(&s.last, "last", 0, "only the last `N` of them")
	flags.BoolVar(&s.labels, "labels", false, "also what each decision knew of labels")
	return cmd
}

func (a *app) showAudit(f *auditFlags, s *showFlags) error {
	if err := s.parse(time.Now()); err != nil {
		return err
	}
	f.key = "-" // none is needed
	if err := f.complete(a.config, ""); err != nil {
		return err
	}
	out := bufio.NewWriter(a.out)
	render, header := audit.AppendTableRow, audit.AppendTableHeader(nil)
	switch {
	case a.json && s.labels:
		render, header = appendLabelsJSON, nil
	case a.json:
		render, header = audit.AppendJSON, nil
	case s.labels:
		render = appendLabelsText
	}
	_, _ = out.Write(header) // Flush reports errors
	var line []byte
	var last []audit.Entry
	damaged := false
	for e, err := range audit.ReadDir(f.dir, s.filter) {
		var p *audit.Problem
		switch {
		case errors.As(err, &p):
			damaged = true
			fmt.Fprintln(a.err, "sallyport: the log is damaged:", printable(p.String()))
		case err != nil:
			return err
		case s.last > 0:
			if last = append(last, e); len(last) > s.last {
				last = slices.Delete(last, 0, 1)
			}
		default:
			line = render(line[:0], &e)
			_, _ = out.Write(line)
		}
	}
	for i := range last {
		_, _ = out.Write(render(nil, &last[i]))
	}
	if err := out.Flush(); err != nil {
		return err
	}
	if damaged {
		return answerNo{}
	}
	return nil
}

// parse turns the filters that are not plain text into values.
func (s *showFlags) parse(now time.Time) (err error) {
	if s.filter.Since, err = parseWhen(s.since, now); err != nil {
		return fmt.Errorf("--since: %w", err)
	}
	if s.filter.Until, err = parseWhen(s.until, now); err != nil {
		return fmt.Errorf("--until: %w", err)
	}
	if s.kind != "" {
		if s.filter.Kind, err = audit.ParseKind(s.kind); err != nil {
			return fmt.Errorf("--kind: %w", err)
		}
	}
	if s.seq == "" {
		return nil
	}
	first, last, isRange := strings.Cut(s.seq, "-")
	if !isRange {
		last = first
	}
	var err1, err2 error
	s.filter.FirstSeq, err1 = strconv.ParseUint(first, 10, 64)
	s.filter.LastSeq, err2 = strconv.ParseUint(last, 10, 64)
	if err1 != nil || err2 != nil || s.filter.FirstSeq == 0 || s.filter.LastSeq < s.filter.FirstSeq {
		return fmt.Errorf("--seq: %q is neither a record like 17 nor a range like 17-20", s.seq)
	}
	return nil
}

// parseWhen reads a moment, or how long ago it was.
func parseWhen(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.ParseUint(days, 10, 16); err == nil {
			return now.Add(-time.Duration(n) * 24 * time.Hour), nil
		}
	}
	if d, err := time.ParseDuration(text); err == nil && d >= 0 {
		return now.Add(-d), nil
	}
	for _, layout := range []string{time.RFC3339Nano, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is no time like 2026-11-21, 2026-11-21T23:00:00Z, 90m or 7d", text)
}

func (a *app) auditVerify(f *auditFlags) *cobra.Command {
	var head string
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Prove that the log is whole, or name the first record that is not",
		Long: `Read the whole log and check every checksum, every link of the chain and every
signature. With --head, a copy of the head that was kept elsewhere (the file of
a head sink, or the syslog lines of this node), it is also proved that nothing
is missing at the end; without it the directory has only its own word for that.

Exits with 0 when the log is whole, with 5 when it is not.`,
		Example: `  sallyport audit verify --head /mnt/other/gw1.head
  sallyport audit verify --dir /srv/audit-archive --key audit.key.pub`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return a.verifyAudit(f, head) },
	}
	cmd.Flags().StringVar(&head, "head", "", "`FILE` with heads kept elsewhere")
	cmd.Flags().StringVar(&f.key, "key", "", "`FILE` of the public key (default: see the configuration)")
	return cmd
}

func (a *app) verifyAudit(f *auditFlags, head string) error {
	if err := f.complete(a.config, ".pub"); err != nil {
		return err
	}
	key, err := audit.LoadPublicKey(f.key)
	if err != nil {
		return err
	}
	r, err := audit.Verify(f.dir, head, key)
	if err != nil {
		return err
	}
	if a.json {
		err = a.printJSON(reportJSON(&r))
	} else {
		a.printReport(&r, head != "")
	}
	if err == nil && !r.OK() {
		err = answerNo{}
	}
	return err
}

func (a *app) auditArchive(f *auditFlags) *cobra.Command {
	var upTo uint64
	cmd := &cobra.Command{
		Use:   "archive DIR",
		Short: "Copy closed segments to another directory",
		Long: `Check the segments that are no longer written and copy them to DIR, which is
signed so that verify accepts it as a log of its own. Run again, it goes on
where it ended. Nothing is removed; see prune.`,
		Example: `  sallyport audit archive /mnt/archive/gw1
  sallyport audit archive /mnt/archive/gw1 --up-to 12`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			to, err := disk.MakeDir(args[0])
			if err != nil {
				return err
			}
			return a.maintain(f, upTo, to, "archived", audit.Maintenance.Archive)
		},
	}
	maintenanceFlags(cmd, f, &upTo)
	return cmd
}

func (a *app) auditPrune(f *auditFlags) *cobra.Command {
	var upTo uint64
	var archive string
	var discard bool
	cmd := &cobra.Command{
		Use:   "prune (--archive DIR | --discard)",
		Short: "Remove closed segments; the rest still verifies",
		Long: `Remove segments that are no longer written, and sign where the log begins now.
With --archive, only what stands in DIR byte for byte is removed; --discard
removes records that exist nowhere else.`,
		Example: `  sallyport audit prune --archive /mnt/archive/gw1
  sallyport audit prune --discard --up-to 12`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if discard {
				return a.maintain(f, upTo, nil, "removed", audit.Maintenance.Prune)
			}
			from, err := disk.OpenDir(archive)
			if err != nil {
				return err
			}
			return a.maintain(f, upTo, from, "removed", audit.Maintenance.Prune)
		},
	}
	maintenanceFlags(cmd, f, &upTo)
	cmd.Flags().StringVar(&archive, "archive", "", "`DIR` that holds the segments")
	cmd.Flags().BoolVar(&discard, "discard", false, "remove although there is no archive")
	cmd.MarkFlagsOneRequired("archive", "discard")
	cmd.MarkFlagsMutuallyExclusive("archive", "discard")
	return cmd
}

func maintenanceFlags(cmd *cobra.Command, f *auditFlags, upTo *uint64) {
	cmd.Flags().Uint64Var(upTo, "up-to", 0, "no segment after number `N` (default: all but the open one)")
	cmd.Flags().StringVar(&f.key, "key", "", "private key in `FILE` (default: see configuration)")
}

// maintain runs Archive or Prune; other is closed.
func (a *app) maintain(f *auditFlags, upTo uint64, other *disk.Dir, done string,
	do func(audit.Maintenance, disk.FS) (audit.Moved, error),
) (err error) {
	closeAll := func(c io.Closer) { err = errors.Join(err, c.Close()) }
	var second disk.FS
	if other != nil {
		second = other
		defer closeAll(other)
	}
	if err := f.complete(a.config, ""); err != nil {
		return err
	}
	key, err := audit.LoadKey(f.key)
	if err != nil {
		return err
	}
	log, err := disk.OpenDir(f.dir)
	if err != nil {
		return err
	}
	defer closeAll(log)
	moved, err := do(audit.Maintenance{FS: log, Key: key, UpTo: upTo}, second)
	switch {
	case a.json:
		err = errors.Join(err, a.printJSON(map[string]any{"segments": moved.Segments, "first": moved.First, "last": moved.Last, "bytes": moved.Bytes}))
	case moved.Segments == 0 && err == nil:
		fmt.Fprintln(a.out, "nothing to do: no closed segment")
	case moved.Segments > 0:
		fmt.Fprintf(a.out, "%s segments %d to %d, %s\n", done, moved.First, moved.Last, bytesOf(moved.Bytes))
	}
	return err
}
