#!/usr/bin/python3
"""Two people log in and talk, as any two clients would: python3 hello.py HOST:PORT CA.pem USER USER

Their passwords are asked for, or are two lines of the input: others can read what stands in arguments. With a comma between two of HOST:PORT, they are on two servers. It needs slixmpp (in Debian: python3-slixmpp), which has no part in Sallyport.
"""

import asyncio
import getpass
import logging
import ssl
import sys

import slixmpp

logging.basicConfig(level=logging.CRITICAL)


class Person(slixmpp.ClientXMPP):
    def __init__(self, address, password, authority):
        super().__init__(address, password)
        self.ca_certs = authority
        # slixmpp 1.8 binds logins to TLS in the way of TLS 1.2 alone.
        self.ssl_context.maximum_version = ssl.TLSVersion.TLSv1_2
        self.here = asyncio.get_event_loop().create_future()
        self.heard = asyncio.get_event_loop().create_future()
        self.add_event_handler("session_start", self.start)
        self.add_event_handler("failed_auth", lambda _: self.fail("wrong name or password"))
        self.add_event_handler("connection_failed", lambda why: self.fail(f"no connection: {why}"))
        self.add_event_handler("ssl_invalid_chain", lambda why: self.fail(f"{authority} does not vouch for the server: {why}"))
        self.add_event_handler("message", self.message)

    async def start(self, _):
        self.send_presence()
        await self.get_roster()
        self.here.set_result(None)

    def fail(self, why):
        if not self.here.done():
            self.here.set_exception(SystemExit(f"{self.boundjid.bare}: {why}"))

    def message(self, m):
        print(f"{self.boundjid.bare} reads: {m['body']}")
        if not self.heard.done():
            self.heard.set_result(m)


async def talk(servers, authority, first, second):
    people = [Person(*first, authority), Person(*second, authority)]
    for p, server in zip(people, [servers[0], servers[-1]]):
        host, port = server.rsplit(":", 1)
        p.connect((host, int(port)))
    await asyncio.wait_for(asyncio.gather(*(p.here for p in people)), 30)
    people[0].send_message(mto=people[1].boundjid.bare, mbody="Can you hear me?", mtype="chat")
    await asyncio.wait_for(people[1].heard, 30)
    people[1].send_message(mto=people[0].boundjid.bare, mbody="Loud and clear.", mtype="chat")
    await asyncio.wait_for(people[0].heard, 30)
    for p in people:
        p.disconnect()


def password(user):
    if sys.stdin.isatty():
        return getpass.getpass(f"Password of {user}: ")
    return sys.stdin.readline().rstrip("\n")


if len(sys.argv) != 5:
    sys.exit(__doc__.splitlines()[0])
servers, authority, *users = sys.argv[1:]
first, second = [(user, password(user)) for user in users]
try:
    asyncio.get_event_loop().run_until_complete(talk(servers.split(","), authority, first, second))
except asyncio.TimeoutError:
    sys.exit("nothing came for half a minute: look at the log of the server")
