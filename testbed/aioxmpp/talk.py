"""Two people with aioxmpp. Reads one JSON object: {host, port, authority, people: [[jid, password], [jid, password]]}; writes one line of JSON
for each thing that was seen, the last one {"done": true}. Exits with 1 where something was not."""

import asyncio
import json
import ssl
import sys

import aioxmpp
import aioxmpp.connector
import aioxmpp.dispatcher
import aioxmpp.protocol
import OpenSSL

PATIENCE = 90
job = json.load(sys.stdin)


def say(**what):
    print(json.dumps(what), flush=True)


class Authority(aioxmpp.security_layer.PKIXCertificateVerifier):
    """Believes the authority of the test, and checks names as usual."""

    def setup_context(self, ctx, transport):
        super().setup_context(ctx, transport)
        ctx.load_verify_locations(job["authority"].encode())


def client(jid, password):
    async def ask(_jid, attempt):
        return password if attempt == 0 else None

    security = aioxmpp.security_layer.SecurityLayer(
        ssl_context_factory=aioxmpp.security_layer.default_ssl_context,
        certificate_verifier_factory=Authority,
        tls_required=True,
        sasl_providers=[aioxmpp.security_layer.PasswordSASLProvider(ask)],
    )
    return aioxmpp.PresenceManagedClient(
        aioxmpp.JID.fromstr(jid),
        security,
        override_peer=[(job["host"], job["port"], aioxmpp.connector.STARTTLSConnector())],
    )


async def within(what, awaitable):
    try:
        return await asyncio.wait_for(awaitable, PATIENCE)
    except asyncio.TimeoutError:
        raise RuntimeError("waited in vain for " + what) from None


def message(to, text):
    m = aioxmpp.Message(type_=aioxmpp.MessageType.CHAT, to=to)
    m.body[None] = text
    return m


async def talk(a, b):
    rosters = [c.summon(aioxmpp.RosterClient) for c in (a, b)]
    presences = [c.summon(aioxmpp.PresenceClient) for c in (a, b)]
    heard = [asyncio.Queue(), asyncio.Queue()]
    for c, q in ((a, heard[0]), (b, heard[1])):
        c.summon(aioxmpp.dispatcher.SimpleMessageDispatcher).register_callback(aioxmpp.MessageType.CHAT, None, q.put_nowait)
    online = asyncio.Event()
    presences[0].on_available.connect(lambda full, stanza: online.set() if full.bare() == b.local_jid.bare() else None)
    rosters[1].on_subscribe.connect(lambda stanza: rosters[1].approve(stanza.from_.bare()))

    async with a.connected(), b.connected():
        for c in (a, b):
            say(logged_in=str(c.local_jid), managed=c.stream.sm_enabled)
        info = await within("disco", a.summon(aioxmpp.DiscoClient).query_info(a.local_jid.replace(localpart=None, resource=None)))
        say(features=sorted(info.features))
        await within("a ping", aioxmpp.ping.ping(a, a.local_jid.replace(localpart=None, resource=None)))
        rosters[0].subscribe(b.local_jid.bare())
        await within("the presence of a contact", online.wait())
        say(sees=str(b.local_jid.bare()))
        for at, to, text in ((0, 1, "Is the harbour clear?"), (1, 0, "It is. Come in.")):
            sender, receiver = (a, b)[at], (a, b)[to]
            token = sender.enqueue(message(receiver.local_jid.bare(), text))
            await within("the acknowledgement", token)
            got = await within("a message", heard[to].get())
            say(read=got.body.any(), sender=str(got.from_.bare()))


async def main():
    try:
        await talk(*(client(*p) for p in job["people"]))
        say(done=True)
    except Exception as e:  # whatever it is, the test wants to know
        say(failed=repr(e))
        sys.exit(1)


asyncio.get_event_loop().run_until_complete(main())
