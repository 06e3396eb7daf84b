"""The LRS's step of the story: a credential that scripts may read the demo's statements with."""

from __future__ import annotations

from lms.db import transaction
from lms.demo.stage import Stage
from xapi.lrs import credentials


class RecordStoreStep:
    """Statements come from the other steps; here is the key to read them."""

    def prepare(self, stage: Stage) -> None:
        """Make the credential."""
        with transaction():
            made, secret = credentials.add("Demo scripts", [credentials.ALL])
            stage.connections["lrs"] = {"endpoint": "/xapi/", "key": made.key, "secret": secret}

    def day(self, stage: Stage, number: int) -> None:
        """Nothing happens here by itself."""

    def finish(self, stage: Stage) -> None:
        """Nothing is left to say."""
