package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"sallyport/gateway/control"
	"sallyport/server/store"
)

func (a *app) storeCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "store",
		Short: "Check, back up and restore what the server keeps",
		Long: `Check, back up and restore what the server keeps, whether a node runs or not. A
backup is text, the same from SQLite and from PostgreSQL, and goes into either.
Backups and what is restored are in the audit log of the node.`,
		Example: `  sallyport store backup server-2026-05-01.backup
  sallyport store check`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.storeCheck(), a.storeBackup(), a.storeRestore())
	return cmd
}

func (a *app) storeCheck() *cobra.Command {
	return &cobra.Command{
		Use:   "check",
		Short: "Look for damage in the database",
		Long: `Read all of the database and look for damage. On SQLite every index is held
against its table; on PostgreSQL every row is read, with the checksum of its
page where the cluster has checksums.`,
		Example: `  sallyport store check`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			// A check may take longer than other commands: the context of the process bounds it.
			_, options, err := a.storeOptions()
			if err != nil {
				return err
			}
			options.Existing = true
			s, err := store.Open(cmd.Context(), options)
			if err != nil {
				return err
			}
			if err := errors.Join(s.Check(cmd.Context(), store.Whole), s.Close()); err != nil {
				return err
			}
			if a.json {
				return a.printJSON(map[string]any{"store": s.Kind(), "whole": true})
			}
			fmt.Fprintf(a.out, "the store on %s is whole\n", s.Kind())
			return nil
		},
	}
}

func (a *app) storeBackup() *cobra.Command {
	return &cobra.Command{
		Use:   "backup FILE",
		Short: "Write all that the server keeps to a file",
		Long: `Write all that the server keeps at one moment to a new file with mode 0600, or
to the output for "-". A node may run meanwhile. Passwords can be guessed from
what is in a backup: keep it as you keep the database. The audit log of the
node says who made it, where to and of how many rows: a running node wants the
role operate, and where none runs, the owner of its files makes it.`,
		Example: `  sallyport store backup server-2026-05-01.backup
  sallyport store backup - | gpg --encrypt --recipient ops >server.backup.gpg`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			_, options, err := a.storeOptions()
			if err != nil {
				return err
			}
			rows, err := a.noted(cmd.Context(), control.VerbStoreBackup, args[0], func(ctx context.Context) (int64, error) {
				return a.backup(ctx, options, args[0])
			})
			switch {
			case err != nil || args[0] == stream:
				return err
			case a.json:
				return a.printJSON(map[string]any{"rows": rows, "file": args[0]})
			}
			fmt.Fprintf(a.out, "%s in %s\n", count(int(rows), "row"), printable(args[0]))
			return nil
		},
	}
}

func (a *app) backup(ctx context.Context, o store.Options, path string) (rows int64, err error) {
	o.Existing = true
	s, err := store.Open(ctx, o)
	if err != nil {
		return 0, err
	}
	write := func(w io.Writer) (err error) {
		rows, err = s.Backup(ctx, w)
		return err
	}
	if path == stream {
		err = write(a.out)
	} else {
		err = newFile(path, write)
	}
	err = errors.Join(err, s.Close())
	return rows, err
}

// newFile writes a file that does not exist yet, and has it on disk when it returns; nothing is left of one that was not finished.
func newFile(path string, write func(io.Writer) error) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if err := errors.Join(write(f), f.Sync(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func (a *app) storeRestore() *cobra.Command {
	return &cobra.Command{
		Use:   "restore FILE",
		Short: "Fill an empty database from a backup",
		Long: `Fill the empty database that the configuration names from a backup of this
release or an older one. No node may run on that database, and nothing is
restored from a file that is not whole. It is in the audit log of the node, as a
backup is; one that runs on another database wants the role policy for it, as
accounts get their clearances back.`,
		Example: `  sallyport store restore server-2026-05-01.backup`,
		Args:    cobra.ExactArgs(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return a.restore(cmd.Context(), args[0]) },
	}
}

func (a *app) restore(ctx context.Context, path string) error {
	_, options, err := a.storeOptions()
	if err != nil {
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	rows, err := a.noted(ctx, control.VerbStoreRestore, path, func(ctx context.Context) (int64, error) {
		defer context.AfterFunc(ctx, func() { _ = f.Close() })() // who waits for a pipe does so no more
		return store.Restore(ctx, options, bufio.NewReader(f))
	})
	if err != nil {
		return err
	}
	if a.json {
		return a.printJSON(map[string]any{"rows": rows})
	}
	fmt.Fprintf(a.out, "%s restored\n", count(int(rows), "row"))
	return nil
}
