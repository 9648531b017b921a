package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

const (
	connectTime   = 10 * time.Second
	maxConns      = 16
	connLifetime  = time.Hour // so that a change of the server's certificate or password is noticed
	lockTimeoutMS = "5000"
)

func openPostgres(ctx context.Context, o Options) (*Store, error) {
	cfg, err := pgx.ParseConfig(o.DSN)
	if err != nil {
		return nil, errors.New("open the store: the address of PostgreSQL cannot be read") // the cause would show it
	}
	if o.Password != "" {
		cfg.Password = o.Password
	}
	cfg.ConnectTimeout = connectTime
	cfg.RuntimeParams["synchronous_commit"] = "on"
	cfg.RuntimeParams["lock_timeout"] = lockTimeoutMS
	cfg.RuntimeParams["application_name"] = "sallyport"
	db := stdlib.OpenDB(*cfg)
	db.SetMaxOpenConns(maxConns)
	db.SetMaxIdleConns(maxConns)
	db.SetConnMaxLifetime(connLifetime)
	s := &Store{dialect: postgresDialect, writer: db, reader: db, prepared: make(map[string]*sql.Stmt)}
	err = s.checkPostgres(ctx)
	if err == nil && o.Alone {
		err = s.lockPostgres(ctx)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open the store on PostgreSQL at %s: %w", cfg.Host, notReached(err)), s.Close())
	}
	return s, nil
}

// notReached says what is to be done about a connection that was not made. The driver tells each try in a line of its own.
func notReached(err error) error {
	if !errors.As(err, new(*pgconn.ConnectError)) || errors.As(err, new(unreached)) {
		return err
	}
	advice := "is PostgreSQL running there, and does it listen on that address?"
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		switch pg.Code {
		case "28P01", "28000": // invalid_password, invalid_authorization_specification
			advice = "it does not let this user in: look at server.store.password, the user in server.store.postgres, and its pg_hba.conf"
		case "3D000": // invalid_catalog_name
			advice = "create the database (createdb), or correct its name in server.store.postgres"
		default:
			advice = ""
		}
	}
	return unreached{err, advice}
}

// unreached is an error on one line, with what to do.
type unreached struct {
	err    error
	advice string
}

func (e unreached) Error() string {
	lines := strings.FieldsFunc(e.err.Error(), func(r rune) bool { return r == '\n' })
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	text := strings.ReplaceAll(strings.Join(slices.Compact(lines), "; "), ":; ", ": ")
	if e.advice == "" {
		return text
	}
	return text + "; " + e.advice
}

func (e unreached) Unwrap() error { return e.err }

// checkPostgres refuses a server that cannot keep the promises of this package.
func (s *Store) checkPostgres(ctx context.Context) error {
	for _, must := range []struct{ setting, value, why string }{
		{"fsync", "on", "what was committed would be lost with the power"},
		{"full_page_writes", "on", "a page half written would be lost with the power"},
		{"synchronous_commit", "on", "what was committed could be lost"},
		{"server_encoding", "UTF8", "names could not be kept"},
	} {
		var got string
		if err := s.reader.QueryRowContext(ctx, "SELECT current_setting($1)", must.setting).Scan(&got); err != nil {
			return s.judge(err)
		}
		if got != must.value {
			return fmt.Errorf("its setting %s is %q, not %q: %s", must.setting, got, must.value, must.why)
		}
	}
	return nil
}
