"""Logs one slixmpp client in, breaks its connection, and says what came after it resumed: one JSON object on standard output.

Arguments: port, address, password, file of the authority.
"""

import asyncio
import json
import logging
import sys

logging.basicConfig(level=logging.ERROR, stream=sys.stderr)

import slixmpp


class Client(slixmpp.ClientXMPP):
    def __init__(self, address, password):
        super().__init__(address, password, sasl_mech="PLAIN")
        self.register_plugin("xep_0198")
        self.end_session_on_disconnect = False
        self.result = {"came": [], "started": 0, "resumed": 0}
        self.over = asyncio.get_event_loop().create_future()
        self.add_event_handler("session_start", self.started)
        self.add_event_handler("session_resumed", self.resumed)
        self.add_event_handler("sm_enabled", self.enabled)
        self.add_event_handler("message", self.message)
        self.add_event_handler("disconnected", self.again)

    def started(self, _):
        self.result["started"] += 1

    def enabled(self, _):
        self.result["bound"] = self.boundjid.full
        self.send_message(mto=self.boundjid.bare, mbody="before")

    def resumed(self, _):
        self.result["resumed"] += 1
        self.send_message(mto=self.boundjid.bare, mbody="after")

    def message(self, m):
        self.result["came"].append(m["body"])
        if m["body"] == "before":
            self.transport.abort()
        if {"after", "meanwhile"} <= set(self.result["came"]) and not self.over.done():
            self.over.set_result(True)

    def again(self, _):
        if not self.over.done():
            self.begin()

    def begin(self):
        self.connect(("127.0.0.1", int(port)), use_ssl=True, disable_starttls=True)


port, address, password, authority = sys.argv[1:]
client = Client(address, password)
client.ca_certs = authority
client.begin()
client.loop.call_later(20, lambda: client.over.done() or client.over.set_result(False))
client.loop.run_until_complete(client.over)
print(json.dumps(client.result))
