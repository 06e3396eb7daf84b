"""Signed statements (xAPI 1.0.3, Data 2.6): the signature is about this statement, and is one.

The signature is a JSON web signature in compact form (RFC 7515), attached. What it signs must be
the statement it came with, by the rules of `xapi.lrs.compare`. Only RSA with SHA-2 is allowed; the
certificate that the header may carry proves that the bytes were not changed, not who signed. No
other key that a header offers (jwk, jku, x5u) is believed, and none is ever fetched.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from xapi.lrs.compare import same
from xapi.lrs.errors import Refused
from xapi.lrs.reading import read_json
from xapi.lrs.validate import check_statement

USAGE_TYPE = "http://adlnet.gov/expapi/attachments/signature"
CHAIN_MOST = 10  # certificates
CERTIFICATE_MOST = 16 * 1024  # bytes, in base64
HEADER_MOST = 256 * 1024  # bytes, in base64
KEY_BITS = (2048, 8192)  # RFC 7518, 3.3; above that, checking one costs longer than storing many
EXPONENT_MOST = 2**32
_HASHES: dict[str, hashes.HashAlgorithm] = {
    "RS256": hashes.SHA256(),
    "RS384": hashes.SHA384(),
    "RS512": hashes.SHA512(),
}
_BASE64URL = re.compile(rb"[A-Za-z0-9_-]+")


def check_signatures(
    statements: Sequence[dict[str, Any]], attachments: Mapping[str, bytes], version: int
) -> None:
    """Raise Refused unless every signature among the attachments signs its statement."""
    read: dict[str, dict[str, Any]] = {}  # however often one is named, it is checked once
    for statement in statements:
        for sha2 in _signatures_of(statement):
            if sha2 not in read:
                content = attachments.get(sha2)
                if content is None:
                    raise Refused(
                        "attachments: a signature must be attached, a fileUrl is not enough"
                    )
                read[sha2] = _read(content, version)
            _compare(read[sha2], statement)


def _signatures_of(statement: dict[str, Any]) -> list[str]:
    found: dict[str, None] = {}
    for attachment in statement.get("attachments", ()):
        if attachment["usageType"] != USAGE_TYPE:
            continue
        if attachment["contentType"] != "application/octet-stream":
            raise Refused(
                "attachments.contentType: of a signature must be application/octet-stream"
            )
        found[attachment["sha2"].lower()] = None
    return list(found)


def _compare(payload: dict[str, Any], statement: dict[str, Any]) -> None:
    """Raise Refused unless the payload is this statement, but for what an LRS may have set."""
    own_id = statement["id"]
    if payload.get("id", own_id).lower() != own_id or not same(payload, statement):
        raise Refused("signature: what it signs is not this statement")


def _read(content: bytes, version: int) -> dict[str, Any]:
    """Return what a signature signs: a statement, if the signature fits its certificate."""
    pieces = content.strip().split(b".")
    if len(pieces) != 3:
        raise Refused("signature: must be a JSON web signature in compact form")
    if len(pieces[0]) > HEADER_MOST:
        raise Refused(f"signature: its header is longer than {HEADER_MOST} bytes")
    header = read_json(_decode(pieces[0], "header"), "The header of the signature")
    if not isinstance(header, dict):
        raise Refused("signature: its header must be an object")
    name = header.get("alg")
    algorithm = _HASHES.get(name) if isinstance(name, str) else None
    if algorithm is None:
        raise Refused("signature.alg: must be RS256, RS384 or RS512")
    for parameter in ("crit", "b64", "zip"):
        if parameter in header:
            raise Refused(f"signature.{parameter}: this extension is not known here")
    text, signed = _decode(pieces[1], "payload"), _decode(pieces[2], "last part")
    if "x5c" in header:  # first: no more is done for who cannot even sign
        _verify(header["x5c"], algorithm, b".".join(pieces[:2]), signed)
    payload: dict[str, Any] = read_json(text, "The payload of the signature")
    check_statement(payload, version, "signature.payload")
    return payload


def _verify(chain: Any, algorithm: hashes.HashAlgorithm, message: bytes, signed: bytes) -> None:
    if not isinstance(chain, list) or not 1 <= len(chain) <= CHAIN_MOST:
        raise Refused(f"signature.x5c: must be an array of 1 to {CHAIN_MOST} certificates")
    keys = [_read_key(certificate, place) for place, certificate in enumerate(chain)]
    key = keys[0]
    if not isinstance(key, RSAPublicKey):
        raise Refused("signature.x5c[0]: this certificate holds no RSA key")
    if not KEY_BITS[0] <= key.key_size <= KEY_BITS[1]:
        raise Refused(f"signature.x5c[0]: an RSA key has {KEY_BITS[0]} to {KEY_BITS[1]} bits here")
    if key.public_numbers().e > EXPONENT_MOST:
        raise Refused("signature.x5c[0]: the exponent of this key is too large")
    try:
        key.verify(signed, message, padding.PKCS1v15(), algorithm)
    except InvalidSignature as error:
        raise Refused("signature: it does not fit the certificate in its header (x5c)") from error


def _read_key(certificate: Any, place: int) -> Any:
    """Return the public key of a certificate: standard base64 of its DER (RFC 7515, 4.1.6)."""
    try:
        if not isinstance(certificate, str) or len(certificate) > CERTIFICATE_MOST:
            raise ValueError("no certificate, or one without end")
        der = base64.b64decode(certificate, validate=True)
        return x509.load_der_x509_certificate(der).public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion) as error:
        raise Refused(f"signature.x5c[{place}]: this is no certificate that we can read") from error


def _decode(piece: bytes, what: str) -> bytes:
    """Return what base64url without padding says; one text has one way to be written."""
    if _BASE64URL.fullmatch(piece) and len(piece) % 4 != 1:
        decoded = base64.urlsafe_b64decode(piece + b"=" * (-len(piece) % 4))
        if base64.urlsafe_b64encode(decoded).rstrip(b"=") == piece:
            return decoded
    raise Refused(f"signature: its {what} is not base64url")
