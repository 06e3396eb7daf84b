"""Signatures that are none, or another's (xAPI 1.0.3, Data 2.6; RFC 7515, 7518, 8725)."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import json
import socket
from functools import cache
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from flask import Flask

from tests.xapi.hostile.attack import Attack, withstand
from tests.xapi.hostile.test_multipart import attached, body_of, describe, first_of, send
from tests.xapi.lrs import OTHER, Provider, statement
from xapi.lrs import signatures
from xapi.lrs.signatures import USAGE_TYPE
from xapi.lrs.signatures import _read as read_signature

STATEMENT = statement()


@cache
def key_of(bits: int, exponent: int = 65537) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(exponent, bits)


def certify(key: Any, by: Any = None) -> str:
    """Return a certificate of the key as x5c wants it."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Halden Freight")])
    start = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + dt.timedelta(days=3650))
        .sign(by or key, hashes.SHA256())
    )
    return base64.b64encode(made.public_bytes(serialization.Encoding.DER)).decode()


CERTIFICATE = certify(key_of(2048))


def encode(data: Any) -> bytes:
    text = data if isinstance(data, bytes) else json.dumps(data).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=")


def sign(payload: Any = STATEMENT, key: Any = None, **header: Any) -> bytes:
    """Return a compact signature; a header given as None is left out."""
    told = {"alg": "RS256", "x5c": [CERTIFICATE], **header}
    told = {name: value for name, value in told.items() if value is not None}
    message = encode(told) + b"." + encode(payload)
    signed = (key or key_of(2048)).sign(message, padding.PKCS1v15(), hashes.SHA256())
    return message + b"." + encode(signed)


def carrying(signature: bytes, of: dict[str, Any] = STATEMENT, **described: Any) -> dict[str, Any]:
    """Return what sends a statement with this signature attached."""
    told = {"usageType": USAGE_TYPE, "contentType": "application/octet-stream", **described}
    whole = {**of, "attachments": [describe(signature, **told)]}
    return send(body_of(first_of(whole), attached(signature)))


def confused(alg: str = "HS256") -> bytes:
    """Return a signature by HMAC whose secret is the public key."""
    public = key_of(2048).public_key()
    secret = public.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    message = encode({"alg": alg, "x5c": [CERTIFICATE]}) + b"." + encode(STATEMENT)
    return message + b"." + encode(hmac.digest(secret, message, "sha256"))


def changed(place: int, to: bytes) -> bytes:
    pieces = sign().split(b".")
    pieces[place] = to
    return b".".join(pieces)


def jwk_of(key: rsa.RSAPrivateKey) -> dict[str, str]:
    numbers = key.public_key().public_numbers()
    size = (numbers.n.bit_length() + 7) // 8
    return {
        "kty": "RSA",
        "n": encode(numbers.n.to_bytes(size, "big")).decode(),
        "e": encode(numbers.e.to_bytes(3, "big")).decode(),
    }


def huge_exponent() -> str:
    """Return a certificate whose key has an exponent of 2,048 bits: each check costs a second."""
    numbers = key_of(2048).public_key().public_numbers()
    public = rsa.RSAPublicNumbers(2**33 + 1, numbers.n).public_key()

    class Odd:
        def public_key(self) -> rsa.RSAPublicKey:
            return public

    return certify(Odd(), by=key_of(2048))


OTHER_KEY = rsa.generate_private_key(65537, 2048)
HEADER = {"alg": "RS256", "x5c": [CERTIFICATE]}
SIGNATURES: list[tuple[str, bytes, str]] = [
    ("none", encode({"alg": "none"}) + b"." + encode(STATEMENT) + b".", "signature.alg"),
    ("none in capitals", sign(alg="nOnE"), "signature.alg"),
    ("no algorithm", sign(alg=None), "signature.alg"),
    ("algorithm is a list", sign(alg=["RS256"]), "signature.alg"),
    ("HMAC with the public key", confused(), "signature.alg"),
    ("HMAC that says RSA", confused("RS256"), "does not fit the certificate"),
    ("PSS", sign(alg="PS256"), "signature.alg"),
    ("elliptic", sign(alg="ES256"), "signature.alg"),
    ("another hash than it says", sign(alg="RS512"), "does not fit the certificate"),
    ("another's key", sign(key=OTHER_KEY), "does not fit the certificate"),
    (
        "another's key, given along",
        sign(key=OTHER_KEY, jwk=jwk_of(OTHER_KEY), jku="https://evil.example.test/keys"),
        "does not fit the certificate",
    ),
    (
        "another's certificate second",
        sign(key=OTHER_KEY, x5c=[CERTIFICATE, certify(OTHER_KEY)]),
        "does not fit the certificate",
    ),
    ("crit", sign(crit=["exp"], exp=1), "signature.crit"),
    ("crit that is empty", sign(crit=[]), "signature.crit"),
    ("payload not encoded", sign(b64=False), "signature.b64"),
    ("compressed", sign(zip="DEF"), "signature.zip"),
    ("detached", changed(1, b""), "payload is not base64url"),
    ("two pieces", b".".join(sign().split(b".")[:2]), "compact form"),
    ("as JSON", json.dumps({"payload": "", "signatures": []}).encode(), "compact form"),
    ("encrypted", sign() + b".a.b", "compact form"),
    ("empty", b"", "compact form"),
    ("no signature at its end", changed(2, b""), "last part is not base64url"),
    ("padded", changed(1, encode(b"{} ") + b"="), "payload is not base64url"),
    ("of the other alphabet", changed(2, b"ab+/"), "last part is not base64url"),
    ("not canonical", changed(0, b"eyJh"[:3] + b"f"), "The header of the signature"),
    ("bits to spare", changed(2, b"QR"), "last part is not base64url"),
    ("a line break inside", changed(1, b"ab\ncd"), "payload is not base64url"),
    ("NUL", changed(0, b"\0\0\0\0"), "header is not base64url"),
    ("header is no object", changed(0, encode([1])), "its header must be an object"),
    (
        "alg twice",
        changed(0, encode(b'{"alg": "none", "alg": "RS256"}')),
        "alg: this key stands twice",
    ),
    ("header without end", changed(0, encode(b" " * 500_000)), "longer than"),
    ("header nested", changed(0, encode(b"[" * 10_000)), "deeper than 200"),
    ("another statement", sign({**STATEMENT, "actor": OTHER}), "is not this statement"),
    ("another id", sign(statement()), "is not this statement"),
    ("more than a statement", sign({**STATEMENT, "paid": True}), "signature.payload.paid: is not"),
    ("no statement", sign({"verb": {}}), "signature.payload"),
    ("an array of statements", sign([STATEMENT]), "signature.payload: must be an object"),
    (
        "payload with a key twice",
        sign(json.dumps(STATEMENT).encode()[:-1] + b', "id": "x"}'),
        "id: this key stands twice",
    ),
    ("chain is a text", sign(x5c=CERTIFICATE), "signature.x5c: must be an array"),
    ("chain is null", changed(0, encode({"alg": "RS256", "x5c": None})), "signature.x5c: must be"),
    ("chain is empty", sign(x5c=[]), "signature.x5c: must be an array"),
    ("chain of numbers", sign(x5c=[1]), "signature.x5c[0]: this is no certificate"),
    ("chain of objects", sign(x5c=[{"a": 1}]), "signature.x5c[0]: this is no certificate"),
    ("chain of junk", sign(x5c=[CERTIFICATE, "AAAA"]), "signature.x5c[1]: this is no certificate"),
    (
        "chain without end",
        sign(x5c=[CERTIFICATE] * 60),
        "signature.x5c: must be an array of 1 to 10",
    ),
    ("a huge certificate", sign(x5c=["A" * 100_000]), "signature.x5c[0]: this is no certificate"),
    (
        "certificate in base64url",
        sign(x5c=[CERTIFICATE.replace("+", "-").replace("/", "_")]),
        "signature.x5c[0]: this is no certificate",
    ),
    (
        "certificate as PEM",
        sign(x5c=[f"-----BEGIN CERTIFICATE-----\n{CERTIFICATE}\n-----END CERTIFICATE-----"]),
        "signature.x5c[0]: this is no certificate",
    ),
    (
        "a key of another kind",
        sign(x5c=[certify(ec.generate_private_key(ec.SECP256R1()))]),
        "signature.x5c[0]: this certificate holds no RSA key",
    ),
    ("a short key", sign(key=key_of(1024), x5c=[certify(key_of(1024))]), "2048 to 8192 bits"),
    ("a huge exponent", sign(x5c=[huge_exponent()]), "exponent of this key is too large"),
]
ATTACKS = [
    *(Attack(name, says, send=carrying(signature)) for name, signature, says in SIGNATURES),
    Attack(
        "type of a signature",
        "attachments.contentType: of a signature must be",
        send=carrying(sign(), contentType="text/plain"),
    ),
    Attack(
        "a link to a signature",
        "a signature must be attached",
        send={
            "json": statement(
                attachments=[
                    describe(
                        sign(),
                        usageType=USAGE_TYPE,
                        contentType="application/octet-stream",
                        fileUrl="http://127.0.0.1:9/signature",
                    )
                ]
            )
        },
    ),
    Attack(
        "one good, one bad",
        "signature.alg",
        send=send(
            body_of(
                first_of(
                    {
                        **STATEMENT,
                        "attachments": [
                            describe(
                                one, usageType=USAGE_TYPE, contentType="application/octet-stream"
                            )
                            for one in (sign(), confused())
                        ],
                    }
                ),
                attached(sign()),
                attached(confused()),
            )
        ),
    ),
]


@pytest.fixture
def lrs(app: Flask) -> Provider:
    return Provider(app)


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda one: one.name)
def test_it_is_refused(
    lrs: Provider,
    attack: Attack,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def look_up(*_args: Any, **_more: Any) -> None:
        raise AssertionError("a signature made us look for an address")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    withstand(lrs, attack, caplog)


@pytest.mark.parametrize("alg", ["RS256", "RS384", "RS512"])
def test_an_honest_signature_is_taken(lrs: Provider, alg: str) -> None:
    whole = statement(result={"score": {"raw": 1}})
    header = encode({"alg": alg, "x5c": [CERTIFICATE], "kid": "1", "x5u": "https://x.example.test"})
    # As another library may write the same statement.
    payload = {"result": {"score": {"raw": 1.0}}, **whole, "version": "1.0.3"}
    message = header + b"." + encode(payload)
    signed = key_of(2048).sign(
        message, padding.PKCS1v15(), getattr(hashes, alg.replace("RS", "SHA"))()
    )
    answer = lrs.ask("POST", **carrying(message + b"." + encode(signed), of=whole))
    assert answer.json == [whole["id"]], answer.text


def test_without_a_certificate_nothing_is_believed_and_nothing_fetched(lrs: Provider) -> None:
    """The standard takes a signature without one; it proves nothing then, and so we claim nothing."""
    signature = sign(x5c=None, jku="http://127.0.0.1:9/keys", jwk=jwk_of(OTHER_KEY))
    assert lrs.ask("POST", **carrying(signature)).status_code == 200


def test_one_signature_named_ten_thousand_times_is_checked_once(
    lrs: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[bytes] = []

    def count(content: bytes, version: int) -> dict[str, Any]:
        read.append(content)
        return read_signature(content, version)

    monkeypatch.setattr(signatures, "_read", count)
    signature = sign()
    described = describe(signature, usageType=USAGE_TYPE, contentType="application/octet-stream")
    whole = {**STATEMENT, "attachments": [described] * 10_000}
    answer = lrs.ask("POST", **send(body_of(first_of(whole), attached(signature))))
    assert answer.status_code == 200, answer.text
    assert read == [signature]
    assert hashlib.sha256(signature).hexdigest() == described["sha2"]
