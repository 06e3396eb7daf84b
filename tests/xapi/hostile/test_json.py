"""JSON that no honest client writes (xAPI 1.0.3, Data 2.2; RFC 8259)."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from typing import Any

import pytest
from flask import Flask

from tests.xapi.hostile.attack import Attack, count_rows, json_body, withstand
from tests.xapi.lrs import ACTIVITY, ACTOR, VERB, Provider, statement
from xapi.lrs.errors import Refused
from xapi.lrs.reading import read_json

SOUND = json.dumps(statement()).encode()
KIND = {"objectType": "Activity", "id": ACTIVITY["id"]}


def text_of(**parts: Any) -> bytes:
    return json.dumps(statement(**parts)).encode()


def with_score(number: str) -> bytes:
    return text_of(result={"score": {"raw": "HERE"}}).replace(b'"HERE"', number.encode())


def with_extension(value: str) -> bytes:
    found = text_of(context={"extensions": {"http://example.test/ext": "HERE"}})
    return found.replace(b'"HERE"', value.encode())


def with_response(escaped: bytes) -> bytes:
    return text_of(result={"response": "HERE"}).replace(b"HERE", escaped)


TWICE = b'{"actor": {"mbox": "mailto:a@example.test", "mbox": "mailto:b@example.test"}}'
ATTACKS = [
    Attack("key twice", "actor.mbox: this key stands twice", send=json_body(TWICE)),
    Attack(
        "key twice, once escaped",
        "id: this key stands twice",
        send=json_body(SOUND[:-1] + rb', "\u0069d": "x"}'),
    ),
    Attack(
        "key twice deep in a batch",
        "[1].context.extensions.http://example.test/ext[2].a: this key stands twice",
        send=json_body(
            b"[" + SOUND + b"," + with_extension('[1, 2, {"a": 1, "b": {"a": 2}, "a": 3}]') + b"]"
        ),
    ),
    Attack(
        "key twice before endless nesting",
        "this key stands twice",
        send=json_body(b'{"a":1,"a":' + b"[" * 5000),
    ),
    Attack("nested arrays", "deeper than 200", send=json_body(b"[" * 100_000 + b"]" * 100_000)),
    Attack(
        "nested objects", "deeper than 200", send=json_body(b'{"a":' * 9999 + b"1" + b"}" * 9999)
    ),
    Attack(
        "nested extension",
        "context.extensions: is nested deeper than 100 levels",
        send=json_body(with_extension("[" * 150 + "]" * 150)),
    ),
    Attack("not closed", "is not JSON", send=json_body(b'{"actor": {')),
    Attack("empty", "is not JSON", send=json_body(b"")),
    Attack("something after", "trailing characters", send=json_body(SOUND + b" {}")),
    Attack("NUL after", "trailing characters", send=json_body(SOUND + b"\0")),
    Attack("byte order mark", "byte order mark", send=json_body(b"\xef\xbb\xbf" + SOUND)),
    Attack("UTF-16", "is not UTF-8", send=json_body(SOUND.decode().encode("utf-16"))),
    Attack("not UTF-8", "is not UTF-8, from byte", send=json_body(with_response(b"\xff"))),
    Attack("overlong UTF-8", "is not UTF-8", send=json_body(with_response(b"\xc0\xaf"))),
    Attack("surrogate in UTF-8", "is not UTF-8", send=json_body(with_response(b"\xed\xa0\x80"))),
    Attack("half a pair", "is not JSON", send=json_body(with_response(rb"\ud800"))),
    Attack("the other half", "is not JSON", send=json_body(with_response(rb"\udc00x"))),
    Attack("a line break in a text", "is not JSON", send=json_body(with_response(b"\n"))),
    Attack("NUL as it is", "is not JSON", send=json_body(with_response(b"\0"))),
    Attack(
        "NUL escaped",
        "result.response: must not hold the character NUL",
        send=json_body(with_response(rb"a\u0000b")),
    ),
    Attack(
        "NUL in a name",
        "actor.name: must not hold the character NUL",
        send=json_body(text_of(actor={**ACTOR, "name": "Leila\0"})),
    ),
    Attack(
        "NUL in a key",
        r"context.extensions.http://example.test/\x00: a key must not hold the character NUL",
        send=json_body(text_of(context={"extensions": {"http://example.test/\0": 1}})),
    ),
    Attack("NaN", "is not JSON", send=json_body(with_score("NaN"))),
    Attack("infinity", "is not JSON", send=json_body(with_score("-Infinity"))),
    Attack("1e400", "result.score.raw: must be a number", send=json_body(with_score("1e400"))),
    Attack("-1e400", "result.score.raw: must be a number", send=json_body(with_score("-1e400"))),
    Attack("400 digits", "result.score.raw: must be", send=json_body(with_score("9" * 400))),
    Attack("9,000 digits", "out of range", send=json_body(with_score("9" * 9000))),
    Attack("65 bits", "result.score.raw: must be", send=json_body(with_score(str(2**64)))),
    Attack(
        "a number beyond all in an extension",
        "context.extensions: holds a number of more than 64 bits",
        send=json_body(with_extension('{"a": [{"b": -1e999}]}')),
    ),
    Attack(
        "length beyond all",
        "attachments[0].length: must be a number of bytes",
        send=json_body(
            text_of(
                attachments=[
                    {
                        "usageType": "http://example.test/u",
                        "display": {"en": "x"},
                        "contentType": "text/plain",
                        "length": 2**63,
                        "sha2": "0" * 64,
                        "fileUrl": "http://example.test/f",
                    }
                ]
            )
        ),
    ),
    Attack("a text for a score", "result.score.raw: must be", send=json_body(with_score('"1"'))),
    Attack("true for a score", "result.score.raw: must be", send=json_body(with_score("true"))),
    Attack("neither object nor array", "must be an object", send=json_body(b"12")),
    Attack("an array of arrays", "must be an object", send=json_body(b"[[[]]]")),
    Attack("null", "must be an object", send=json_body(b"null")),
    Attack(
        "a property without end",
        "…: is not a property of this object",
        send=json_body(SOUND[:-1] + b', "' + b"x" * 500_000 + b'": 1}'),
    ),
    Attack(
        "a property of Python's",
        "__class__: is not a property",
        send=json_body(SOUND[:-1] + b', "__class__": {"__init__": {}}}'),
    ),
    Attack(
        "compressed",
        "Content-Encoding: send the body as it is",
        415,
        send=json_body(gzip.compress(SOUND), **{"Content-Encoding": "gzip"}),
    ),
    Attack(
        "compressed twice",
        "Content-Encoding",
        415,
        send=json_body(gzip.compress(gzip.compress(SOUND)), **{"Content-Encoding": "gzip, br"}),
    ),
    Attack("too long", "at most", 413, send=json_body(b" " * 9_000_000)),
    Attack(
        "too much JSON", "bytes of JSON; at most 4194304", 413, send=json_body(b" " * 5_000_000)
    ),
    Attack(
        "too many",
        "holds 1001 statements; at most 1000",
        413,
        send=json_body(b"[" + b"{}," * 1000 + b"{}]"),
    ),
    Attack(
        "less than announced",
        f"Content-Length: {len(SOUND) + 500} bytes were announced",
        send={
            **json_body(SOUND),
            "environ_overrides": {"CONTENT_LENGTH": str(len(SOUND) + 500)},
        },
    ),
    Attack(
        "text/plain", "Content-Type: must be", send={"data": SOUND, "content_type": "text/plain"}
    ),
    Attack("form", "Content-Type: must be", send={"data": {"a": SOUND}}),
    Attack("no type", "Content-Type: must be", send={"data": SOUND}),
]


@pytest.fixture
def lrs(app: Flask) -> Provider:
    return Provider(app)


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda one: one.name)
def test_it_is_refused(lrs: Provider, attack: Attack, caplog: pytest.LogCaptureFixture) -> None:
    withstand(lrs, attack, caplog)


def test_limits_are_settings(make_app: Any) -> None:
    app = make_app(LMS_LRS_BATCH_MOST=2, LMS_LRS_JSON_MOST_BYTES=5000)
    with app.app_context():
        lrs = Provider(app)
        lrs.post([statement(), statement()])
        assert "at most 2" in lrs.post([statement()] * 3, 413)["error"]
        long = statement(result={"response": "x" * 6000})
        assert "at most 5000" in lrs.post(long, 413)["error"]


def test_what_a_stranger_sends_is_not_even_read(lrs: Provider) -> None:
    class Untouched:
        def read(self, *_size: int) -> bytes:
            raise AssertionError("somebody read it")

        readline = readinto = read

    def send(length: int, content_type: str, **headers: str) -> int:
        told = {"CONTENT_LENGTH": str(length), "wsgi.input": Untouched()}
        return lrs.ask(
            "POST", content_type=content_type, headers=headers, environ_overrides=told
        ).status_code

    assert send(50_000_000, "application/json") == 413
    assert send(50_000_000, "multipart/mixed; boundary=x") == 413
    assert send(2_000_000, "application/json", Authorization="Basic eDp5") == 401


def test_half_a_million_keys_made_to_collide_cost_no_more_than_others(lrs: Provider) -> None:
    """Python's hashes are salted; a table that is not would take minutes, not a moment."""
    keys = [f"http://example.test/{number * (2**61 - 1)}" for number in range(60_000)]
    sent = statement(context={"extensions": dict.fromkeys(keys, 1)})
    assert lrs.post(sent) == [sent["id"]]


def test_looking_for_the_place_takes_no_more_memory_than_reading(app: Flask) -> None:
    nested = b"[" * 150 + b"0," * 300_000 + rb'"\u0000"' + b"]" * 150
    tracemalloc.start()
    try:
        with app.app_context(), pytest.raises(Refused, match=r"\[300000\]: must not hold"):
            read_json(nested)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 120_000_000


def test_what_is_allowed_comes_back_exactly(lrs: Provider) -> None:
    """An escaped backslash before u0000 is no NUL; 64 bits are kept; so is all of Unicode."""
    odd = {
        "http://example.test/a": [2**64 - 1, -(2**63), 5e-324, 1.7976931348623157e308, -0.5, 1.0],
        "http://example.test/b": "\\u0000 \U0001f600 \u202e\ufeff \x7f é e\u0301 </script>",
        "http://example.test/c": {"": {"": None}},
    }
    sent = statement(context={"extensions": odd})
    lrs.post(sent)
    got = lrs.ask("GET", query_string={"statementId": sent["id"]})
    assert got.json["context"]["extensions"] == odd
    assert json.loads(got.data)["context"]["extensions"] == odd


def test_a_document_that_cannot_be_merged_is_left_as_it_was(
    lrs: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    place = "activities/profile?activityId=http://example.test/a&profileId=p"
    put = lrs.ask("PUT", place, headers={"If-None-Match": "*"}, json={"kept": 1})
    assert put.status_code == 204
    before = count_rows()
    for body, says in (
        (b'{"a": 1, "a": 2}', "a: this key stands twice"),
        (b'{"a": [1e400]}', "a[0]: must be a number of at most 64 bits"),
        (b'{"a": "\\u0000"}', "a: must not hold the character NUL"),
        (b'{"a":' + b"[" * 300, "deeper than 200"),
        (b"[1]", "must be an object"),
    ):
        answer = lrs.ask("POST", place, **json_body(body))
        assert answer.status_code == 400
        assert says in answer.json["error"]
    assert lrs.ask("GET", place).json == {"kept": 1}
    assert count_rows() == before
    assert not caplog.records


def test_an_agent_parameter_is_json_like_any_other(
    lrs: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    for agent, says in (
        ('{"mbox": "mailto:a@example.test", "mbox": "mailto:b@example.test"}', "mbox: this key"),
        ('{"mbox": "mailto:a@example.test", "name": "\\u0000"}', "name: must not hold"),
        ("[" * 500, "The parameter agent is nested deeper"),
        ('{"mbox": ["mailto:a@example.test"]}', "agent.mbox: must be a mailto IRI"),
        (json.dumps({"account": KIND}), "agent.account.objectType: is not a property"),
    ):
        attack = Attack("agent", says, method="GET", send={"query_string": {"agent": agent}})
        withstand(lrs, attack, caplog)


def test_verb_and_actor_must_be_what_they_are(lrs: Provider) -> None:
    for parts, says in (
        ({"verb": [VERB]}, "verb: must be an object"),
        ({"actor": "Leila"}, "actor: must be an object"),
        ({"object": [ACTIVITY]}, "object: must be an object"),
        ({"object": {"objectType": ["Activity"]}}, "object.objectType: must be one of"),
        ({"id": {"$ne": None}}, "id: must be a UUID"),
        ({"timestamp": 1}, "timestamp: must be"),
    ):
        assert says in lrs.post(statement(**parts), 400)["error"]
