#!/bin/sh
# Installs the third-party programs that the tests talk to, from Debian's own packages.
#
# Works as root or through sudo on a bare Debian 12 machine, takes under a second when everything
# is there, and starts nothing: while packages are unpacked a policy-rc.d of ours forbids every
# service start, and it is taken away again however this script ends. Services that ran before
# are left alone.
set -eu

# program or file that proves the package, package, what the tests use it for
needed() {
	cat <<'LIST'
/usr/bin/prosody                                     prosody           XMPP server, one side of the boundary
/usr/lib/x86_64-linux-gnu/lua/5.4/lunbound.so        lua-unbound       Prosody's resolver: takes a port, unlike its own one
/usr/lib/prosody/modules/mod_s2s_bidi.lua            prosody           XEP-0288, in core since 0.12
/usr/sbin/ejabberdctl                                ejabberd          XMPP server, the other side
/usr/lib/python3/dist-packages/slixmpp/__init__.py   python3-slixmpp   the clients of both
/usr/lib/python3/dist-packages/nbxmpp/__init__.py    python3-nbxmpp    the library of Gajim: reads our label catalogues
/usr/lib/python3/dist-packages/aioxmpp/__init__.py   python3-aioxmpp   another library of clients of the server
/usr/lib/x86_64-linux-gnu/lua/5.4/dbd/sqlite3.so     lua-dbi-sqlite3   Prosody's archive in SQLite, for the measurements
/usr/lib/erlang/lib/p1_sqlite3/ebin/sqlite3.app      erlang-p1-sqlite3 ejabberd's archive in SQLite, for the measurements
/usr/bin/python3                                     python3           runs slixmpp and nbxmpp
/usr/bin/xmlwf                                       expat             judge of our XML: expat
/usr/bin/xmllint                                     libxml2-utils     judge of our XML: libxml2
/usr/bin/openssl                                     openssl           judge of our TLS and DER
/usr/bin/strace                                      strace            lets system calls of ours fail
/usr/bin/tshark                                      tshark            judge of our STANAG 5066 frames: s5066sis and s5066dts
/usr/lib/postgresql/15/bin/initdb                    postgresql        the server's second database; tests start clusters of their own
/usr/bin/chromium                                    chromium          browser for Converse.js, a client of the server
/usr/bin/node                                        nodejs            runs xmpp.js, and drives the browser
/usr/bin/npm                                         npm               installs both clients (testbed/webclient)
/usr/bin/gcc                                         gcc               the race detector is linked with it
/usr/include/stdlib.h                                libc6-dev         and with this
LIST
}

die() {
	echo "install-peers: $*" >&2
	exit 1
}

present() {
	case $1 in
	*/lunbound.so) ls /usr/lib/*/lua/5.4/lunbound.so >/dev/null 2>&1 ;;
	*/dbd/sqlite3.so) ls /usr/lib/*/lua/5.4/dbd/sqlite3.so >/dev/null 2>&1 ;;
	*/p1_sqlite3/*) ls -d /usr/lib/erlang/lib/p1_sqlite3-* >/dev/null 2>&1 ;;
	*/initdb) ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 ;;
	*) [ -e "$1" ] ;;
	esac
}

missing() {
	needed | while read -r proof package _; do
		present "$proof" || echo "$package"
	done | sort -u
}

todo=$(missing)
if [ -z "$todo" ]; then
	echo "install-peers: all third-party programs are installed"
	exit 0
fi

command -v apt-get >/dev/null 2>&1 ||
	die "needs Debian's apt-get to install: $(echo "$todo" | tr '\n' ' ')"

if [ "$(id -u)" -ne 0 ]; then
	command -v sudo >/dev/null 2>&1 || die "run as root or install sudo; missing: $(echo "$todo" | tr '\n' ' ')"
	exec sudo -n -- "$0" "$@"
fi

policy=/usr/sbin/policy-rc.d
saved=$policy.before-install-peers # also found after a run that was killed
cleanup() {
	status=$?
	if [ -e "$saved" ]; then
		mv -f "$saved" "$policy"
	elif [ -f "$policy" ] && grep -q 'install-peers of Sallyport' "$policy"; then
		rm -f "$policy"
	fi
	return $status
}
trap cleanup EXIT
trap 'exit 1' HUP INT TERM
if [ -e "$policy" ] && ! grep -q 'install-peers of Sallyport' "$policy"; then
	mv -f "$policy" "$saved"
fi
# 101 is "action forbidden by policy" (invoke-rc.d(8)).
printf '#!/bin/sh\n# install-peers of Sallyport: nothing may be started now\nexit 101\n' >"$policy"
chmod 755 "$policy"

export DEBIAN_FRONTEND=noninteractive
echo "install-peers: installing $(echo "$todo" | tr '\n' ' ')"
install() {
	# shellcheck disable=SC2086 # a list of package names
	apt-get install -y -q --no-install-recommends $todo </dev/null
}
log=$(mktemp)
if ! { install >"$log" 2>&1 || { apt-get update -q >>"$log" 2>&1 && install >>"$log" 2>&1; }; }; then
	tail -n 30 "$log" >&2
	die "apt-get could not install: $(echo "$todo" | tr '\n' ' ') (log: $log)"
fi
rm -f "$log"

todo=$(missing)
[ -z "$todo" ] || die "installed, but still not found: $(echo "$todo" | tr '\n' ' ')"
echo "install-peers: done"
