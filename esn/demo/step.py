"""The network's step of the story: a signed webhook, and each day's acts sent through it."""

from __future__ import annotations

import random
from typing import Any

import httpx
import orjson

from esn.connectors.services import add_connector
from esn.connectors.webhook.signature import sign
from esn.demo.traffic import Traffic
from lms import clock
from lms.db import transaction
from lms.demo.company import SEED
from lms.demo.stage import Stage
from lms.errors import ForMachines, Unavailable

EVENTS_IN_A_DELIVERY = 100
EVENING = 22.5


class NetworkStep:
    """Sends every act over HTTP to the intake, signed, as a sender of the company's own would."""

    def prepare(self, stage: Stage) -> None:
        """Connect the network and make its accounts known."""
        with transaction():
            connector, self.secret = add_connector("webhook", "Halden Square")
            self.address = f"/esn/intake/{connector.uid}"
        self.traffic = Traffic(
            stage.company,
            stage.first_day,
            random.Random(SEED),  # noqa: S311 - a story
        )
        self.client = httpx.Client(base_url=stage.base_url, timeout=30)
        accounts = [{"id": member.key, "email": member.email} for member in stage.company.members]
        self._send({"accounts": accounts})
        stage.connections["webhook"] = {"url": self.address, "secret": self.secret}

    def day(self, stage: Stage, number: int) -> None:
        """Send the day's acts in the evening."""
        stage.set_clock(stage.moment(number, EVENING))
        events = self.traffic.day(number, stage.trained_on)
        for start in range(0, len(events), EVENTS_IN_A_DELIVERY):
            self._send({"events": events[start : start + EVENTS_IN_A_DELIVERY]})

    def finish(self, stage: Stage) -> None:
        """Close the line."""
        self.client.close()
        stage.say(f"{self.traffic.number} acts in the network")

    def _send(self, content: dict[str, Any]) -> None:
        body = orjson.dumps(content)
        timestamp = str(int(clock.now().timestamp()))
        answer = self.client.post(
            self.address,
            content=body,
            headers={
                "Content-Type": "application/json",
                "X-Ropes-Timestamp": timestamp,
                "X-Ropes-Signature": sign(self.secret, timestamp, body),
            },
        )
        if answer.status_code not in (200, 202):
            raise Unavailable(
                ForMachines(f"The intake refused a delivery of the demo: {answer.text}")
            )
