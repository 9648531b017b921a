package imserver_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"sallyport/testbed/client"
	"sallyport/testbed/imserver"
	"sallyport/testbed/postgres"
)

// onPostgres moves a home with its accounts from SQLite to a PostgreSQL of its own: by a backup of the one into the other.
func onPostgres(t *testing.T, users ...string) (*world, *postgres.Cluster) {
	t.Helper()
	cluster, err := postgres.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cluster.Stop(); err != nil {
			t.Error(err)
		}
	})
	w := alone(t, users...)
	moved := filepath.Join(w.home.Dir, "moved.backup")
	w.commands("store backup " + moved)
	w.must(w.home.Stop())
	w.must(w.home.Add(fmt.Sprintf("\n[server.store]\npostgres = %q\n", cluster.DSN(""))))
	w.commands("store restore " + moved)
	w.must(w.home.Run())
	return w, cluster
}

// stores are the worlds on each kind of store.
var stores = map[string]func(t *testing.T, users ...string) *world{
	"sqlite": alone,
	"postgres": func(t *testing.T, users ...string) *world {
		t.Helper()
		w, _ := onPostgres(t, users...)
		return w
	},
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatalf("%v\n%s", err, w.logTail())
	}
}

// bodies are the texts of an archive, one a line.
func (p *person) bodies(query string) string {
	p.t.Helper()
	all, _ := p.archived(query, "")
	return strings.Join(all, "\n")
}

// A server on PostgreSQL is killed, and what it had taken is there: for who was away, and in the archives.
func TestOnPostgres(t *testing.T) {
	t.Parallel()
	w, _ := onPostgres(t, "juliet", "romeo")
	juliet, romeo := w.login("juliet", "balcony"), w.login("romeo", "orchard")
	juliet.befriends(romeo)
	juliet.says(romeo.Bare(), "one")
	romeo.hears("one")
	w.must(romeo.Close())
	juliet.seesPresence("unavailable", romeo.JID)
	juliet.says(romeo.Bare(), "two")
	juliet.asks("get", romeo.Bare(), `<query xmlns="jabber:iq:last"/>`) // behind it: the message has been taken
	if got := juliet.bodies("q"); !strings.Contains(got, "two") {
		t.Fatalf("her archive has %s", got)
	}
	w.home.Kill()
	w.must(w.home.Run())
	again := w.login("romeo", "street")
	again.hears("two")
	if got := again.bodies("q"); !strings.Contains(got, "one") || !strings.Contains(got, "two") {
		t.Errorf("his archive has %s", got)
	}
	if got := again.asks("get", "", `<query xmlns="jabber:iq:roster"/>`); !strings.Contains(got, `subscription="both"`) {
		t.Errorf("his roster is %s", got)
	}
	s, err := w.home.Status()
	if err != nil || s.Server.Store != "postgres" {
		t.Errorf("the store is %+v, %v", s.Server, err)
	}
	if got := w.commands("store check"); !strings.Contains(got, "whole") {
		t.Errorf("it is %s", got)
	}
}

// While the database is away nothing is taken: who sends is told so, nobody logs in, and nobody is thrown out. When it is back,
// everything goes on by itself, and every message was either heard or refused.
func TestPostgresAway(t *testing.T) {
	t.Parallel()
	w, cluster := onPostgres(t, "juliet", "romeo", "nurse")
	juliet, romeo := w.login("juliet", "balcony"), w.login("romeo", "orchard")
	juliet.says(romeo.Bare(), "before")
	romeo.hears("before")
	const messages = 5
	err := cluster.Crash(func() error {
		for i := range messages {
			juliet.must(juliet.Send(client.Message{To: romeo.Bare(), ID: fmt.Sprintf("away%d", i), Body: fmt.Sprintf("away %d", i)}))
		}
		for i := range messages {
			id := fmt.Sprintf("away%d", i)
			juliet.sees(func(e client.Event) bool { return e.Kind == "message" && e.Type == "error" && e.ID == id })
		}
		if s, err := w.home.Status(); err != nil || !strings.Contains(strings.Join(s.Problems, " "), "the store of the server takes nothing") {
			t.Errorf("the operator is told %q, %v", s.Problems, err)
		}
		c, err := w.driver.Login(client.Account{
			User: "nurse", Domain: imserver.Domain, Resource: "house", Password: imserver.Password, Server: w.home.Clients, CA: w.home.CA,
		})
		if err == nil {
			return errors.Join(errors.New("somebody logs in without the store"), c.Close())
		}
		return nil
	})
	w.must(err)
	juliet.says(romeo.Bare(), "after")
	romeo.hears("after")
	if heard := romeo.Received(func(e client.Event) bool { return strings.HasPrefix(e.Body, "away") }); len(heard) > 0 {
		t.Errorf("refused, and heard: %v", heard)
	}
	w.login("nurse", "house")
	if got := romeo.bodies("q"); !strings.Contains(got, "after") || strings.Contains(got, "away") {
		t.Errorf("his archive has %s", got)
	}
	if s, err := w.home.Status(); err != nil || !s.Ready {
		t.Errorf("it is not ready: %+v, %v", s.Problems, err)
	}
}

// psql asks a cluster itself.
func psql(t *testing.T, c *postgres.Cluster, text string) string {
	t.Helper()
	out, err := exec.Command("psql", c.DSN(""), "-Atc", text).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", text, err, out)
	}
	return strings.TrimSpace(string(out))
}

// Where a page of the database is damaged, nobody logs in, and the node says that it is not ready.
func TestPostgresDamaged(t *testing.T) {
	t.Parallel()
	w, cluster := onPostgres(t, "juliet", "romeo")
	w.login("juliet", "balcony")
	page := psql(t, cluster, "SELECT pg_relation_filepath('accounts')")
	psql(t, cluster, "CHECKPOINT") // or its log would repair the page
	w.must(cluster.Crash(func() error { return cluster.Damage(page, 0) }))
	c, err := w.driver.Login(client.Account{
		User: "romeo", Domain: imserver.Domain, Resource: "house", Password: imserver.Password, Server: w.home.Clients, CA: w.home.CA,
	})
	if err == nil {
		_ = c.Close()
		t.Error("somebody logs in with a damaged store")
	}
	s, err := w.home.Status()
	if err != nil || s.Ready || !strings.Contains(strings.Join(s.Problems, " "), "the store has failed") {
		t.Errorf("ready is %v, problems %q, %v", s.Ready, s.Problems, err)
	}
}

// A backup that is made while people write is whole, and a server goes on from it with what had been said by then.
func TestBackupUnderLoad(t *testing.T) {
	t.Parallel()
	for name, begin := range stores {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := begin(t, "juliet", "romeo")
			const messages = 400
			r := w.rawLogin("juliet", "balcony")
			say := func(from, to int) {
				var all strings.Builder
				for i := from; i < to; i++ {
					fmt.Fprintf(&all, "<message to='romeo@%s' type='chat' id='w%d'><body>word %03d</body></message>", imserver.Domain, i, i)
				}
				r.say(all.String())
			}
			say(0, 10)
			for h := 0; h < 10; { // some are there before it begins
				var err error
				h, err = r.handled()
				w.must(err)
			}
			say(10, messages)
			file := filepath.Join(w.home.Dir, "under-load.backup")
			w.commands("store backup " + file)
			if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("the backup has mode %v, %v", info.Mode(), err)
			}
			for _, outcome := range []string{`"began","rule":"store.backup"`, `"done","rule":"store.backup","reason":"`} {
				if trail := w.commands("audit show --json --kind control-command"); !strings.Contains(trail, `"to":"`+file+`","outcome":`+outcome) {
					t.Errorf("no %s in the audit log: %s", outcome, trail)
				}
			}
			w.must(w.home.Stop())
			w.restoreInto(file, "state/restored.db")
			w.must(w.home.Run())
			romeo := w.login("romeo", "orchard")
			romeo.hears("word 000")
			said := romeo.bodies("q")
			n := strings.Count(said, "word ")
			if n < 10 || n > messages {
				t.Errorf("%d of %d are in the archive", n, messages)
			}
			for i := range min(n, 50) { // which a page has
				if !strings.Contains(said, fmt.Sprintf("word %03d", i)) {
					t.Errorf("word %d is missing among %d", i, n)
				}
			}
		})
	}
}

// restoreInto has the home go on with a SQLite file that is made of a backup.
func (w *world) restoreInto(backup, file string) {
	w.t.Helper()
	conf := filepath.Join(w.home.Dir, "sallyport.toml")
	text, err := os.ReadFile(conf)
	w.must(err)
	kept, _, _ := strings.Cut(string(text), "\n[server.store]")
	w.must(os.WriteFile(conf, []byte(kept+"\n[server.store]\nsqlite = \""+file+"\"\n"), 0o600))
	w.commands("store restore " + backup)
	if got := w.commands("store check"); !strings.Contains(got, "sqlite is whole") {
		w.t.Errorf("restored: %s", got)
	}
}
