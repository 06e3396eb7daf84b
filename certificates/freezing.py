"""What an award freezes of its evidence: rule, conditions, counts, and what they rested on.

Of what was counted there are the ids of its statements and a salted digest of its keys: enough to
show later that these acts and no others earned it, and nothing that tells what they were.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from certificates.catalogue import Offered
from certificates.rules.compile import Standing
from certificates.rules.model import Condition, Rule
from lms.evidence import Basis, bases_of


def bases(rule: Rule, standings: Sequence[Standing]) -> Mapping[str, Mapping[int, Basis]]:
    """Return what each met condition rests on, by condition id and person: a query for each."""
    return {
        condition.id: bases_of(
            condition.measure,
            [one.person_id for one in standings if one.met[condition.id]],
            condition.window,
            condition.where,
            condition.at_least,
        )
        for condition in rule.conditions
    }


def freeze(
    certificate: Offered,
    standing: Standing,
    rests_on: Mapping[str, Mapping[int, Basis]],
    moment: dt.datetime,
    salt: str,
) -> dict[str, Any]:
    """Return the evidence as plain data. `rests_on` comes from the transaction of `standing`."""
    rule = certificate.rule
    return {
        "rule": {"slug": rule.slug, "version": certificate.number, "digest": certificate.digest},
        "evaluated_at": moment.isoformat(),
        "need": rule.need.value,
        "conditions": [
            condition.plain()
            | {
                "have": standing.values[condition.id],
                "met": standing.met[condition.id],
                "asked": standing.asked[condition.id],
            }
            | _basis(condition, standing, rests_on, salt)
            for condition in rule.conditions
        ],
    }


def _basis(
    condition: Condition,
    standing: Standing,
    rests_on: Mapping[str, Mapping[int, Basis]],
    salt: str,
) -> dict[str, Any]:
    if not standing.met[condition.id]:
        return {}
    basis = rests_on[condition.id].get(standing.person_id, Basis())
    return {"statements": list(basis.statements), "things_digest": things_digest(salt, basis)}


def things_digest(salt: str, basis: Basis) -> str:
    """Return the SHA-256 of salt and the keys of what was counted, in their order; "" for none."""
    if not basis.things:
        return ""
    return hashlib.sha256("\n".join([salt, *sorted(basis.things)]).encode()).hexdigest()


def evidence_digest(salt: str, evidence: dict[str, Any]) -> str:
    """Return the SHA-256 of salt and evidence, keys sorted: what shows that a row was changed."""
    text = orjson.dumps(evidence, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(salt.encode() + text).hexdigest()
