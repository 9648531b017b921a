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

	"sallyport/server/store"
)

func (a *app) storeCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "store",
		Short: "Check, back up and restore what the server keeps",
		Long: `Check, back up and restore what the server keeps, whether a node runs or not. A
backup is text, the same from SQLite and from PostgreSQL, and goes into either.`,
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
			s, err := store.Open(cmd.Context(), options)
			if err != nil {
				return err
			}
			if err := errors.Join(s.Check(cmd.Context(), store.Whole), s.Close()); err != nil {
				return err
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
what is in a backup: keep it as you keep the database.`,
		Example: `  sallyport store backup server-2026-05-01.backup
  sallyport store backup - | gpg --encrypt --recipient ops >server.backup.gpg`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			_, options, err := a.storeOptions()
			if err != nil {
				return err
			}
			s, err := store.Open(cmd.Context(), options)
			if err != nil {
				return err
			}
			var rows int64
			write := func(w io.Writer) error {
				rows, err = s.Backup(cmd.Context(), w)
				return err
			}
			if args[0] == "-" {
				return errors.Join(write(a.out), s.Close())
			}
			if err := errors.Join(newFile(args[0], write), s.Close()); err != nil {
				return err
			}
			fmt.Fprintf(a.out, "%s in %s\n", count(int(rows), "row"), printable(args[0]))
			return nil
		},
	}
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
release or an older one. Nothing is restored from a file that is not whole.`,
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
	rows, err := store.Restore(ctx, options, bufio.NewReader(f))
	if err != nil {
		return err
	}
	fmt.Fprintf(a.out, "%s restored\n", count(int(rows), "row"))
	return nil
}
