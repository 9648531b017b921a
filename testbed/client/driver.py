"""Drives slixmpp clients for the scenarios: one JSON object a line in, one a line out.

Commands carry an id and are answered {"id": n, "result": ...} or {"id": n, "error": "...",
"condition": "..."}. Everything a session receives is reported as {"session": s, "event": kind, ...}.
One process serves any number of sessions: starting Python is the dear part. It ends with its standard
input, so it never outlives the program that started it.
"""

import asyncio
import json
import logging
import ssl
import sys
import xml.etree.ElementTree as ET

# Before slixmpp is imported: it warns then that its stringprep is the slow one.
logging.basicConfig(level=logging.DEBUG if "--debug" in sys.argv else logging.ERROR, stream=sys.stderr)

import slixmpp
from slixmpp.exceptions import IqError, IqTimeout, PresenceError
from slixmpp.xmlstream import tostring

# They matter only where something fails.
IQ_TIMEOUT = 60
LOGIN_TIMEOUT = 90


def say(**what):
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def text_of(element):
    """The element as XML whose namespaces are all spelt out."""
    return ET.tostring(element, encoding="unicode")


def condition_of(stanza):
    error = stanza.find("{*}error")
    if error is None:
        return ""
    for child in error:
        if child.tag.startswith("{urn:ietf:params:xml:ns:xmpp-stanzas}") and not child.tag.endswith("}text"):
            return child.tag.split("}")[1]
    return ""


class Reporter:
    """Reports what a session receives."""

    def report(self, stanza):
        element = stanza.xml
        kind = element.tag.split("}")[-1]
        if kind in ("message", "presence", "iq"):
            body = element.find("{*}body")
            say(
                session=self.name, event=kind, type=element.get("type") or "", stanza_id=element.get("id") or "",
                **{"from": element.get("from") or "", "to": element.get("to") or ""},
                body=(body.text or "") if body is not None else "",
                names=[e.tag for e in element.iter()][1:], condition=condition_of(element),
                xml=text_of(element),
            )
        return stanza


class Component(Reporter, slixmpp.ComponentXMPP):
    """A program that is a domain of its own (XEP-0114)."""

    def __init__(self, name, command):
        super().__init__(command["jid"], command["password"], command["host"], command["port"])
        self.name = name
        self.auto_reconnect = False
        self.register_plugin("xep_0030")
        self.register_plugin("xep_0199")
        self.ready = asyncio.get_running_loop().create_future()
        self.add_event_handler("session_start", lambda _: self.ready.done() or self.ready.set_result(self.boundjid.bare))
        self.add_event_handler("disconnected", self.on_disconnected)
        self.add_event_handler("connection_failed", self.on_disconnected)
        self.add_filter("in", self.report)

    async def get_dns_records(self, domain, port=None):
        return []

    def on_disconnected(self, reason):
        if not self.ready.done():
            self.ready.set_exception(RuntimeError(f"disconnected: {reason}"))
        say(session=self.name, event="disconnected", body=str(reason or ""))

    async def login(self):
        self.connect()
        return await asyncio.wait_for(self.ready, LOGIN_TIMEOUT)


class Session(Reporter, slixmpp.ClientXMPP):
    """One logged-in client."""

    PLUGINS = (
        "xep_0004", "xep_0030", "xep_0045", "xep_0047", "xep_0050", "xep_0054", "xep_0060", "xep_0115",
        "xep_0163", "xep_0199", "xep_0203", "xep_0297",
    )

    def __init__(self, name, command):
        by_certificate = {"feature_mechanisms": {"use_mech": "EXTERNAL"}} if command.get("cert") else {}
        super().__init__(command["jid"], command.get("password", ""), plugin_config=by_certificate)
        if by_certificate:
            self.certfile, self.keyfile = command["cert"], command["key"]
            self.credentials["authzid"] = self.boundjid.bare
        self.name = name
        self.command = command
        self.ca_certs = command.get("ca") or None
        if not self.ca_certs:
            self.ssl_context.check_hostname = False
            self.ssl_context.verify_mode = ssl.CERT_NONE
        self.auto_authorize = None
        self.auto_subscribe = False
        self.auto_reconnect = False
        for plugin in self.PLUGINS:
            self.register_plugin(plugin)
        self.registered = ""
        if command.get("register"):
            self.register_plugin("xep_0077")
            # slixmpp 1.8.3 holds back every IQ but bind until the session has started, its own registration too.
            self._always_send_everything = True
            self.add_event_handler("register", self.on_register)
        for node in command.get("interests") or ():
            self.plugin["xep_0163"].add_interest(node)
        self.ready = asyncio.get_running_loop().create_future()
        self.add_event_handler("session_start", self.on_start)
        self.add_event_handler("failed_all_auth", lambda _: self.fail("authentication failed"))
        self.add_event_handler("connection_failed", lambda e: self.fail(f"connection failed: {e}"))
        self.add_event_handler("ssl_invalid_chain", lambda e: self.fail(f"certificate: {e}"))
        self.add_event_handler("disconnected", self.on_disconnected)
        self.add_event_handler("stream_error", lambda e: say(session=self.name, event="stream-error", condition=e["condition"]))
        self.add_filter("in", self.report)

    async def get_dns_records(self, domain, port=None):
        return []  # the address was given: ask no resolver, not even in vain

    def fail(self, why):
        if not self.ready.done():
            self.ready.set_exception(RuntimeError(why + self.registered))

    def on_disconnected(self, reason):
        self.fail(f"disconnected: {reason}")
        say(session=self.name, event="disconnected", body=str(reason or ""))

    async def on_register(self, _form):
        iq = self.Iq()
        iq["type"] = "set"
        iq["register"]["username"] = self.boundjid.user
        iq["register"]["password"] = self.password
        try:
            await iq.send(timeout=IQ_TIMEOUT)
        except IqError as e:
            if e.condition != "conflict":  # conflict: the account is there already
                self.registered = f" (registration: {e.condition})"
        except IqTimeout:
            self.registered = " (registration timed out)"

    async def on_start(self, _event):
        try:
            await self.get_roster()
            if self.command.get("available", True):
                if self.command.get("interests"):
                    await self.plugin["xep_0115"].update_caps()
                self.send_presence()
        except (IqError, IqTimeout) as e:
            self.fail(f"session start: {e}")
            return
        if not self.ready.done():
            self.ready.set_result(str(self.boundjid))

    async def login(self):
        self.connect((self.command["host"], self.command["port"]), use_ssl=bool(self.command.get("direct_tls")))
        return await asyncio.wait_for(self.ready, LOGIN_TIMEOUT)


def extra(stanza, command):
    """Append the raw XML payloads of a command."""
    for xml in command.get("extra") or ():
        stanza.append(ET.fromstring(xml))


async def do_logout(s, _c):
    if not s.is_connected():
        return  # the server has ended it; nothing more would be heard of that
    s.disconnect(wait=1)
    await asyncio.wait_for(s.disconnected, 30)


async def do_abort(s, _c):
    s.abort()


async def do_send(s, c):
    m = s.make_message(mto=c["to"], mtype=c.get("type") or "chat")
    if c.get("body"):
        m["body"] = c["body"]
    if c.get("message_id"):
        m["id"] = c["message_id"]
    extra(m, c)
    m.send()


async def do_raw(s, c):
    s.send_raw(c["xml"])


async def do_presence(s, c):
    p = s.make_presence(pto=c.get("to") or None, ptype=c.get("type") or None, pstatus=c.get("body") or None)
    extra(p, c)
    p.send()


async def do_iq(s, c):
    iq = s.make_iq(ito=c.get("to") or None, itype=c.get("type") or "get")
    extra(iq, c)
    return text_of((await iq.send(timeout=c.get("timeout") or IQ_TIMEOUT)).xml)


async def do_join(s, c):
    await s.plugin["xep_0045"].join_muc_wait(slixmpp.JID(c["to"]), c["nick"], maxstanzas=0, timeout=IQ_TIMEOUT)


async def do_leave(s, c):
    s.plugin["xep_0045"].leave_muc(slixmpp.JID(c["to"]), c["nick"])


async def do_subject(s, c):
    s.plugin["xep_0045"].set_subject(slixmpp.JID(c["to"]), c["body"])


async def do_publish(s, c):
    result = await s.plugin["xep_0060"].publish(
        s.boundjid.bare if not c.get("to") else c["to"], c["node"], id=c.get("item") or None,
        payload=ET.fromstring(c["extra"][0]), timeout=IQ_TIMEOUT)
    return text_of(result.xml)


async def do_disco_info(s, c):
    result = await s.plugin["xep_0030"].get_info(jid=c["to"], node=c.get("node") or None, cached=False, timeout=IQ_TIMEOUT)
    return text_of(result.xml)


async def do_disco_items(s, c):
    result = await s.plugin["xep_0030"].get_items(jid=c["to"], node=c.get("node") or None, timeout=IQ_TIMEOUT)
    return text_of(result.xml)


async def do_vcard_get(s, c):
    return text_of((await s.plugin["xep_0054"].get_vcard(slixmpp.JID(c["to"]), timeout=IQ_TIMEOUT)).xml)


async def do_vcard_set(s, c):
    card = s.plugin["xep_0054"].make_vcard()
    card["FN"] = c["body"]
    await s.plugin["xep_0054"].publish_vcard(card, timeout=IQ_TIMEOUT)


async def do_adhoc(s, c):
    """Run a command with the client's own machinery (XEP-0050): fill in its form, if it has one, with the given var=value."""
    commands = s.plugin["xep_0050"]
    iq = await commands.send_command(slixmpp.JID(c["to"]), c["node"], timeout=IQ_TIMEOUT)
    if iq["command"]["status"] != "executing":
        return text_of(iq.xml)
    asked = iq["command"]["form"]
    filled = s.plugin["xep_0004"].make_form(ftype="submit")
    filled.add_field(var="FORM_TYPE", ftype="hidden", value=asked.get_values()["FORM_TYPE"])
    values = {}
    for pair in c.get("extra") or ():
        name, _, value = pair.partition("=")
        values.setdefault(name, []).append(value)
    for name, value in values.items():
        kind = asked.get_fields()[name]["type"]
        filled.add_field(var=name, ftype=kind, value=value if kind.endswith("-multi") else value[0])
    iq = await commands.send_command(
        slixmpp.JID(c["to"]), c["node"], action="complete", payload=filled, sessionid=iq["command"]["sessionid"], timeout=IQ_TIMEOUT)
    return text_of(iq.xml)


async def do_bytestream(s, c):
    """Ask for an in-band bytestream (XEP-0047), the simplest way to move a file."""
    await s.plugin["xep_0047"].open_stream(slixmpp.JID(c["to"]), timeout=IQ_TIMEOUT)


VERBS = {name[3:]: f for name, f in globals().items() if name.startswith("do_")}
SESSIONS = {}


async def run(c):
    if c["do"] == "login":
        s = (Component if c.get("component") else Session)(c["session"], c)
        SESSIONS[c["session"]] = s
        return await s.login()
    return await VERBS[c["do"]](SESSIONS[c["session"]], c)


async def serve(line):
    c = json.loads(line)
    try:
        say(id=c["id"], result=await run(c))
    except (IqError, PresenceError) as e:
        say(id=c["id"], error=f"error answer: {e}", condition=e.condition or "", xml=tostring_of(e))
    except IqTimeout:
        say(id=c["id"], error="no answer in time", condition="timeout")
    except Exception as e:  # every command is answered; the Go side decides what it means
        say(id=c["id"], error=f"{type(e).__name__}: {e}")


def tostring_of(e):
    stanza = getattr(e, "iq", None) or getattr(e, "presence", None)
    return tostring(stanza.xml) if stanza is not None else ""


async def main():
    reader = asyncio.StreamReader(limit=1 << 24)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    say(event="ready", version=slixmpp.__version__)
    tasks = set()
    while line := await reader.readline():
        task = asyncio.create_task(serve(line))
        tasks.add(task)
        task.add_done_callback(tasks.discard)


asyncio.run(main())
