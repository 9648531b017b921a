package store

// migrations make the schema, each from the one before. Released ones are never edited.
//
// {int}, {text}, {bytes} are the types of the database, {table} what belongs behind a table.
var migrations = [...][]string{
	// 1: domains, accounts and groups
	{
		`CREATE TABLE domains (
			domain {text} NOT NULL PRIMARY KEY,
			created {int} NOT NULL,
			decoy {bytes} NOT NULL
		){table}`,
		`CREATE TABLE accounts (
			domain {text} NOT NULL REFERENCES domains ON DELETE CASCADE,
			local {text} NOT NULL,
			state {int} NOT NULL,
			clearance {text} NOT NULL,
			catalogue {text} NOT NULL,
			created {int} NOT NULL,
			changed {int} NOT NULL,
			revision {int} NOT NULL,
			PRIMARY KEY (domain, local)
		){table}`,
		`CREATE TABLE credentials (
			domain {text} NOT NULL,
			local {text} NOT NULL,
			hash {int} NOT NULL,
			iterations {int} NOT NULL,
			salt {bytes} NOT NULL,
			stored_key {bytes} NOT NULL,
			server_key {bytes} NOT NULL,
			PRIMARY KEY (domain, local, hash),
			FOREIGN KEY (domain, local) REFERENCES accounts ON DELETE CASCADE
		){table}`,
		`CREATE TABLE account_groups (
			domain {text} NOT NULL REFERENCES domains ON DELETE CASCADE,
			name {text} NOT NULL,
			title {text} NOT NULL,
			revision {int} NOT NULL,
			PRIMARY KEY (domain, name)
		){table}`,
		`CREATE TABLE group_members (
			domain {text} NOT NULL,
			name {text} NOT NULL,
			member {text} NOT NULL,
			PRIMARY KEY (domain, name, member),
			FOREIGN KEY (domain, name) REFERENCES account_groups ON DELETE CASCADE
		){table}`,
		`CREATE INDEX group_members_by_member ON group_members (domain, member)`,
	},
	// 2: rosters. Of each contact the last change is kept, removals too; forgotten is the last removal that is not kept any more.
	{
		`CREATE TABLE rosters (
			domain {text} NOT NULL,
			local {text} NOT NULL,
			version {text} NOT NULL,
			forgotten {text} NOT NULL,
			PRIMARY KEY (domain, local),
			FOREIGN KEY (domain, local) REFERENCES accounts ON DELETE CASCADE
		){table}`,
		`CREATE TABLE roster_items (
			domain {text} NOT NULL,
			local {text} NOT NULL,
			contact {text} NOT NULL,
			version {text} NOT NULL,
			removed {int} NOT NULL,
			name {text} NOT NULL,
			groups_json {text} NOT NULL,
			subscription {int} NOT NULL,
			flags {int} NOT NULL,
			request {bytes} NOT NULL,
			PRIMARY KEY (domain, local, contact),
			FOREIGN KEY (domain, local) REFERENCES rosters ON DELETE CASCADE
		){table}`,
		`CREATE INDEX roster_items_by_version ON roster_items (domain, local, version)`,
	},
	// 3: archives of accounts, and later of rooms, so they belong to a domain. archives.last orders those who append.
	{
		`CREATE TABLE archives (
			domain {text} NOT NULL REFERENCES domains ON DELETE CASCADE,
			local {text} NOT NULL,
			last {text} NOT NULL,
			PRIMARY KEY (domain, local)
		){table}`,
		`CREATE TABLE archive_entries (
			domain {text} NOT NULL,
			local {text} NOT NULL,
			id {text} NOT NULL,
			with_bare {text} NOT NULL,
			with_resource {text} NOT NULL,
			stanza {bytes} NOT NULL,
			PRIMARY KEY (domain, local, id),
			FOREIGN KEY (domain, local) REFERENCES archives ON DELETE CASCADE
		){table}`,
		`CREATE INDEX archive_entries_by_with ON archive_entries (domain, local, with_bare, id)`,
		`CREATE INDEX archive_entries_by_id ON archive_entries (domain, id)`,
	},
	// 4: what features keep of accounts, and the id that the sender of an archived message gave it.
	{
		`ALTER TABLE archive_entries ADD COLUMN message_id {text} NOT NULL DEFAULT ''`,
		`CREATE INDEX archive_entries_by_message ON archive_entries (domain, local, with_bare, message_id)`,
		`CREATE TABLE last_seen (
			domain {text} NOT NULL,
			local {text} NOT NULL,
			at {int} NOT NULL,
			status {text} NOT NULL,
			PRIMARY KEY (domain, local),
			FOREIGN KEY (domain, local) REFERENCES accounts ON DELETE CASCADE
		){table}`,
		`CREATE TABLE blocked (
			domain {text} NOT NULL,
			local {text} NOT NULL,
			who {text} NOT NULL,
			PRIMARY KEY (domain, local, who),
			FOREIGN KEY (domain, local) REFERENCES accounts ON DELETE CASCADE
		){table}`,
		`CREATE TABLE documents (
			domain {text} NOT NULL,
			local {text} NOT NULL,
			kind {text} NOT NULL,
			name {text} NOT NULL,
			content {bytes} NOT NULL,
			PRIMARY KEY (domain, local, kind, name),
			FOREIGN KEY (domain, local) REFERENCES accounts ON DELETE CASCADE
		){table}`,
		`CREATE TABLE nodes (
			domain {text} NOT NULL,
			local {text} NOT NULL,
			name {text} NOT NULL,
			options_json {text} NOT NULL,
			PRIMARY KEY (domain, local, name),
			FOREIGN KEY (domain, local) REFERENCES accounts ON DELETE CASCADE
		){table}`,
		`CREATE TABLE node_items (
			domain {text} NOT NULL,
			local {text} NOT NULL,
			node {text} NOT NULL,
			item {text} NOT NULL,
			version {text} NOT NULL,
			publisher {text} NOT NULL,
			payload {bytes} NOT NULL,
			PRIMARY KEY (domain, local, node, item),
			FOREIGN KEY (domain, local, node) REFERENCES nodes ON DELETE CASCADE
		){table}`,
		`CREATE INDEX node_items_by_version ON node_items (domain, local, node, version)`,
		`CREATE TABLE invites (
			domain {text} NOT NULL REFERENCES domains ON DELETE CASCADE,
			digest {text} NOT NULL,
			inviter {text} NOT NULL,
			kind {int} NOT NULL,
			local {text} NOT NULL,
			expires {int} NOT NULL,
			used {int} NOT NULL,
			PRIMARY KEY (domain, digest)
		){table}`,
		`CREATE INDEX invites_by_inviter ON invites (domain, inviter)`,
		`CREATE TABLE push_services (
			domain {text} NOT NULL,
			local {text} NOT NULL,
			service {text} NOT NULL,
			node {text} NOT NULL,
			options {bytes} NOT NULL,
			PRIMARY KEY (domain, local, service, node),
			FOREIGN KEY (domain, local) REFERENCES accounts ON DELETE CASCADE
		){table}`,
		`CREATE TABLE uploads (
			domain {text} NOT NULL REFERENCES domains ON DELETE CASCADE,
			slot {text} NOT NULL,
			owner {text} NOT NULL,
			name {text} NOT NULL,
			type {text} NOT NULL,
			size {int} NOT NULL,
			expires {int} NOT NULL,
			stored {int} NOT NULL,
			PRIMARY KEY (domain, slot)
		){table}`,
		`CREATE INDEX uploads_by_owner ON uploads (domain, owner)`,
		`CREATE INDEX uploads_by_expiry ON uploads (domain, expires)`,
	},
	// 5: tokens that clients log in with the next time. password is a key of the one under which a token was given.
	{
		`CREATE TABLE tokens (
			domain {text} NOT NULL,
			local {text} NOT NULL,
			id {text} NOT NULL,
			agent {text} NOT NULL,
			mechanism {text} NOT NULL,
			value {bytes} NOT NULL,
			issued {int} NOT NULL,
			expires {int} NOT NULL,
			password {bytes} NOT NULL,
			PRIMARY KEY (domain, local, id),
			FOREIGN KEY (domain, local) REFERENCES accounts ON DELETE CASCADE
		){table}`,
		`CREATE INDEX tokens_by_agent ON tokens (domain, local, agent, mechanism, issued)`,
	},
	// 6: messages for accounts of which nobody is there, in the order of their ids.
	{
		`CREATE TABLE offline_messages (
			domain {text} NOT NULL,
			local {text} NOT NULL,
			id {int} NOT NULL,
			at {int} NOT NULL,
			stanza {bytes} NOT NULL,
			PRIMARY KEY (domain, local, id),
			FOREIGN KEY (domain, local) REFERENCES accounts ON DELETE CASCADE
		){table}`,
	},
	// 7: who can be found, by what begins with a key.
	{
		`CREATE TABLE people (
			domain {text} NOT NULL,
			local {text} NOT NULL,
			first {text} NOT NULL,
			first_key {text} NOT NULL,
			last {text} NOT NULL,
			last_key {text} NOT NULL,
			nick {text} NOT NULL,
			nick_key {text} NOT NULL,
			email {text} NOT NULL,
			email_key {text} NOT NULL,
			PRIMARY KEY (domain, local),
			FOREIGN KEY (domain, local) REFERENCES accounts ON DELETE CASCADE
		){table}`,
		`CREATE INDEX people_by_last ON people (domain, last_key)`,
	},
	// 8: what administrators say to everybody of a domain.
	{
		`CREATE TABLE settings (
			domain {text} NOT NULL REFERENCES domains ON DELETE CASCADE,
			name {text} NOT NULL,
			content {bytes} NOT NULL,
			PRIMARY KEY (domain, name)
		){table}`,
	},
	// 9: labels of what is published.
	{
		`ALTER TABLE node_items ADD COLUMN label {text} NOT NULL DEFAULT ''`,
	},
}

// table is one that backups have, with its columns and those that order it.
type table struct {
	name    string
	columns []string
	key     int // the first columns are the primary key
}

// tables are all tables of the newest schema, in an order in which each refers to earlier ones only.
var tables = []table{
	{"domains", []string{"domain", "created", "decoy"}, 1},
	{"accounts", []string{"domain", "local", "state", "clearance", "catalogue", "created", "changed", "revision"}, 2},
	{"credentials", []string{"domain", "local", "hash", "iterations", "salt", "stored_key", "server_key"}, 3},
	{"account_groups", []string{"domain", "name", "title", "revision"}, 2},
	{"group_members", []string{"domain", "name", "member"}, 3},
	{"rosters", []string{"domain", "local", "version", "forgotten"}, 2},
	{"roster_items", []string{"domain", "local", "contact", "version", "removed", "name", "groups_json", "subscription", "flags", "request"}, 3},
	{"archives", []string{"domain", "local", "last"}, 2},
	{"archive_entries", []string{"domain", "local", "id", "with_bare", "with_resource", "stanza", "message_id"}, 3},
	{"last_seen", []string{"domain", "local", "at", "status"}, 2},
	{"blocked", []string{"domain", "local", "who"}, 3},
	{"documents", []string{"domain", "local", "kind", "name", "content"}, 4},
	{"nodes", []string{"domain", "local", "name", "options_json"}, 3},
	{"node_items", []string{"domain", "local", "node", "item", "version", "publisher", "payload", "label"}, 4},
	{"invites", []string{"domain", "digest", "inviter", "kind", "local", "expires", "used"}, 2},
	{"push_services", []string{"domain", "local", "service", "node", "options"}, 4},
	{"uploads", []string{"domain", "slot", "owner", "name", "type", "size", "expires", "stored"}, 2},
	{"tokens", []string{"domain", "local", "id", "agent", "mechanism", "value", "issued", "expires", "password"}, 3},
	{"offline_messages", []string{"domain", "local", "id", "at", "stanza"}, 3},
	{"people", []string{"domain", "local", "first", "first_key", "last", "last_key", "nick", "nick_key", "email", "email_key"}, 2},
	{"settings", []string{"domain", "name", "content"}, 2},
}
