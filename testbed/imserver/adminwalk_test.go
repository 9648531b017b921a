package imserver_test

import (
	"strings"
	"testing"

	"sallyport/testbed/client"
	"sallyport/testbed/imserver"
)

// TestEveryCommandOfAdministrators walks the sections of XEP-0133 in their order, and then our own commands, with slixmpp on the
// running program.
func TestEveryCommandOfAdministrators(t *testing.T) {
	t.Parallel()
	w := alone(t, "juliet", "romeo", "nurse")
	w.more("\n[server.admins]\noperate = [\"juliet@home.test\"]\n")
	juliet, romeo, nurse := w.login("juliet", "desk"), w.login("romeo", "orchard"), w.login("nurse", "house")
	juliet.befriends(romeo)
	juliet.befriends(nurse)
	p := "password=" + imserver.Password
	for _, step := range []struct {
		section, node, want string // want begins with "!": the condition of the error
		values              []string
	}{
		{"4.1", "add-user", "added", []string{"accountjid=tybalt@home.test", p, "password-verify=" + imserver.Password, "email=t@mail.test", "given_name=Tybalt", "surname=Capulet"}},
		{"4.3", "disable-user", "disabled", []string{"accountjids=tybalt@home.test"}},
		{"4.14", "get-disabled-users-num", ">1</", nil},
		{"4.19", "get-disabled-users-list", ">tybalt@home.test</", []string{"max_items=25"}},
		{"4.4", "reenable-user", "enabled", []string{"accountjids=tybalt@home.test"}},
		{"4.5", "end-user-session", "ended", []string{"accountjids=nurse@home.test/house"}},
		{"4.6", "get-user-password", "!not-allowed", nil},
		{"4.7", "change-user-password", "changed", []string{"accountjid=tybalt@home.test", "password=another good phrase"}},
		{"4.8", "get-user-roster", `jid="juliet@home.test"`, []string{"accountjids=romeo@home.test"}},
		{"4.9", "get-user-lastlogin", ">20", []string{"accountjids=romeo@home.test"}},
		{"4.10", "user-stats", ">orchard<", []string{"accountjid=romeo@home.test"}},
		{"4.11", "edit-blacklist", "changed", []string{"blacklistjids=far.test", "blacklistjids=tybalt@near.test"}},
		{"4.11", "edit-blacklist", "!not-acceptable", []string{"blacklistjids=romeo@home.test"}},
		{"4.12", "edit-whitelist", "changed", []string{"whitelistjids=near.test"}},
		{"4.13", "get-registered-users-num", ">4</", nil},
		{"4.15", "get-online-users-num", ">2</", nil},
		{"4.16", "get-active-users-num", `var="activeusersnum"`, nil},
		{"4.17", "get-idle-users-num", `var="idleusersnum"`, nil},
		{"4.18", "get-registered-users-list", ">tybalt@home.test</", []string{"max_items=none"}},
		{"4.20", "get-online-users-list", ">romeo@home.test</", []string{"max_items=25"}},
		{"4.21", "get-active-users", `var="activeuserjids"`, []string{"max_items=25"}},
		{"4.22", "get-idle-users", `var="idleuserjids"`, []string{"max_items=25"}},
		{"4.23", "announce", "completed", []string{"announcement=the gates close", "announcement=at dusk"}},
		{"4.24", "set-motd", "completed", []string{"motd=be quiet"}},
		{"4.25", "edit-motd", "completed", []string{"motd=be quiet today"}},
		{"4.26", "delete-motd", "completed", nil},
		{"4.27", "set-welcome", "completed", []string{"welcome=hello"}},
		{"4.28", "delete-welcome", "completed", nil},
		{"4.29", "edit-admin", "completed", []string{"adminjids=romeo@home.test"}},
		{"4.2", "delete-user", "removed", []string{"accountjids=tybalt@home.test"}},
		{"ours", "urn:sallyport:admin#peers", ">local<", nil},
		{"ours", "urn:sallyport:admin#links", "completed", nil},
		{"ours", "urn:sallyport:admin#roster-reset", "1 contacts removed", []string{"accountjid=romeo@home.test"}},
		{"ours", "urn:sallyport:admin#kick", "2 ended", []string{"accountjids=romeo@home.test", "reason=good night"}},
	} {
		switch condition, refused := strings.CutPrefix(step.want, "!"); {
		case refused:
			juliet.refuses(step.node, condition, step.values...)
		default:
			juliet.runs(step.node, step.want, step.values...)
		}
		gone := func(e client.Event) bool { return e.Kind == "disconnected" }
		switch step.section + step.node { // and what others see of it
		case "4.1add-user":
			card, err := juliet.VCard("tybalt@home.test")
			if err != nil || !strings.Contains(card, "Tybalt Capulet") || !strings.Contains(card, "t@mail.test") {
				t.Errorf("his card is %s, %v", card, err)
			}
		case "4.5end-user-session":
			nurse.sees(gone)
			juliet.seesPresence("unavailable", nurse.JID)
		case "4.23announce":
			romeo.hears("the gates close\nat dusk")
		case "4.25edit-motd":
			w.login("romeo", "again").hears("be quiet today")
		case "oursurn:sallyport:admin#kick":
			romeo.sees(gone)
		}
	}
	juliet.runs("shutdown", "shutting down", "delay=0") // 4.31
	juliet.sees(func(e client.Event) bool { return e.Kind == "disconnected" })
}
