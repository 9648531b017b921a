"""Runs nbxmpp's label catalogue request without a network.

Reads the catalog element of an answer from standard input and writes one JSON object: the request that nbxmpp sends,
what it keeps of the answer, and for each choice the securitylabel that it puts into a message.
"""

import json
import sys

from nbxmpp.modules.security_labels import SecurityLabels
from nbxmpp.protocol import Iq
from nbxmpp.simplexml import Node


class Client:
    domain = "high.example"


def main():
    module = SecurityLabels.__new__(SecurityLabels)
    module._client = Client()
    steps = SecurityLabels.request_catalog.__wrapped__(module, "romeo@low.example")
    next(steps)  # asks for its task
    request = steps.send(None)
    answer = Iq(typ="result", frm="high.example", to="juliet@high.example/b")
    answer.addChild(node=Node(node=sys.stdin.read()))
    catalog = steps.send(answer)
    choices = []
    for name, label in catalog.labels.items():
        choice = {"name": name}
        if label is not None:
            choice["marking"] = label.displaymarking.name if label.displaymarking else ""
            choice["label"] = str(label.to_node())
        choices.append(choice)
    json.dump(
        {
            "request": str(request),
            "choices": choices,
            "default": catalog.default,
            "restrict": getattr(catalog, "restrict", None),
        },
        sys.stdout,
    )


main()
