package store

import (
	"database/sql"
	"strings"
)

// dialect is what the two databases spell differently. Statements are the same for both; only schema and isolation
// differ.
type dialect struct {
	name string
	// types fills in the words of a migration.
	types *strings.Replacer
	// version tells whether the table with the schema's version is there.
	versioned string
	// strangers counts tables in a database that has no such table.
	strangers string
	// lock keeps other processes from migrating at the same time, within a transaction. Empty where BEGIN does.
	lock string
	// rows is how many are written with one statement where there are many, a power of two: a statement is a round trip to a server,
	// and nothing within the process.
	rows int
	// snapshot are options of a transaction that reads one state of everything.
	snapshot sql.TxOptions
}

var sqliteDialect = &dialect{
	name:      "sqlite",
	types:     strings.NewReplacer("{int}", "INTEGER", "{text}", "TEXT", "{bytes}", "BLOB", "{table}", " STRICT, WITHOUT ROWID"),
	versioned: "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'sallyport_schema'",
	strangers: "SELECT count(*) FROM sqlite_schema",
	rows:      1,
	snapshot:  sql.TxOptions{ReadOnly: true},
}

// COLLATE "C" orders by bytes, as SQLite does, whatever the language of the database.
var postgresDialect = &dialect{
	name:      "postgres",
	types:     strings.NewReplacer("{int}", "BIGINT", "{text}", `TEXT COLLATE "C"`, "{bytes}", "BYTEA", "{table}", ""),
	versioned: "SELECT count(*) FROM pg_catalog.pg_class WHERE oid = to_regclass('sallyport_schema')",
	strangers: "SELECT count(*) FROM pg_catalog.pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'",
	lock:      "SELECT pg_advisory_xact_lock(5222526951)",
	rows:      64,
	snapshot:  sql.TxOptions{ReadOnly: true, Isolation: sql.LevelRepeatableRead},
}
