"""Logs one slixmpp client in and says how: one JSON object on standard output.

Arguments: port, address, password, file of the authority, starttls or direct, 1.2 or 1.3, mechanism or -.
"""

import json
import logging
import ssl
import sys

logging.basicConfig(level=logging.ERROR, stream=sys.stderr)

import slixmpp


class Client(slixmpp.ClientXMPP):
    def __init__(self, address, password, mechanism):
        super().__init__(address, password, sasl_mech=None if mechanism == "-" else mechanism)
        self.result = {}
        self.add_event_handler("session_start", self.started)
        self.add_event_handler("failed_auth", self.refused)
        self.add_event_handler("failed_all_auth", self.gone)
        self.add_event_handler("message", self.message)
        self.add_event_handler("disconnected", self.gone)

    def started(self, _):
        self.result["bound"] = self.boundjid.full
        self.result["mechanism"] = self["feature_mechanisms"].mech.name
        self.send_presence()
        self.send_message(mto=self.boundjid.bare, mbody="is anybody there?")

    def message(self, m):
        self.result["echo"] = m["body"]
        self.result["from"] = m["from"].full
        self.disconnect()

    def refused(self, stanza):
        self.result.setdefault("refused", []).append(stanza["condition"])

    def gone(self, _):
        if not self.disconnected.done():
            self.disconnected.set_result(True)


port, address, password, authority, how, version, mechanism = sys.argv[1:]
client = Client(address, password, mechanism)
client.ca_certs = authority
if version == "1.2":
    client.ssl_context.maximum_version = ssl.TLSVersion.TLSv1_2
client.connect(("127.0.0.1", int(port)), use_ssl=how == "direct", force_starttls=how != "direct", disable_starttls=how == "direct")
client.loop.call_later(20, client.abort)
client.loop.run_until_complete(client.disconnected)
print(json.dumps(client.result))
