"""Signed statements (xAPI 1.0.3, Data 2.6): the signature is about this statement, and is one.

The signature is a JSON web signature in compact form, attached. What it signs must be the
statement it came with, by the rules of `xapi.lrs.compare`. Only RSA with SHA-2 is allowed; the
certificate that the header may carry proves that the bytes were not changed, not who signed.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from xapi.lrs.compare import same
from xapi.lrs.errors import Refused

USAGE_TYPE = "http://adlnet.gov/expapi/attachments/signature"
_HASHES: dict[str, hashes.HashAlgorithm] = {
    "RS256": hashes.SHA256(),
    "RS384": hashes.SHA384(),
    "RS512": hashes.SHA512(),
}


def check_signatures(
    statements: Sequence[dict[str, Any]], attachments: Mapping[str, bytes]
) -> None:
    """Raise Refused unless every signature among the attachments signs its statement."""
    for statement in statements:
        for attachment in statement.get("attachments", ()):
            if attachment["usageType"] != USAGE_TYPE:
                continue
            if attachment["contentType"] != "application/octet-stream":
                raise Refused(
                    "attachments.contentType: of a signature must be application/octet-stream"
                )
            content = attachments.get(attachment["sha2"].lower())
            if content is None:
                raise Refused("attachments: a signature must be attached, a fileUrl is not enough")
            _check(statement, content)


def _check(statement: dict[str, Any], signature: bytes) -> None:
    pieces = signature.strip().split(b".")
    if len(pieces) != 3:
        raise Refused("signature: must be a JSON web signature in compact form")
    try:
        header, payload = (orjson.loads(_decode(piece)) for piece in pieces[:2])
        signed = _decode(pieces[2])
    except (binascii.Error, ValueError) as error:
        raise Refused("signature: its header or payload cannot be read") from error
    if not isinstance(header, dict) or header.get("alg") not in _HASHES:
        raise Refused("signature: its algorithm must be RS256, RS384 or RS512")
    try:
        matches = isinstance(payload, dict) and same(payload, statement)
    except (KeyError, TypeError, AttributeError):
        matches = False
    if not matches:
        raise Refused("signature: what it signs is not this statement")
    chain = header.get("x5c")
    if chain is not None:
        _verify(chain, _HASHES[header["alg"]], b".".join(pieces[:2]), signed)


def _verify(chain: Any, algorithm: hashes.HashAlgorithm, message: bytes, signed: bytes) -> None:
    try:
        certificate = x509.load_der_x509_certificate(base64.b64decode(chain[0]))
        key = certificate.public_key()
    except (ValueError, TypeError, IndexError, KeyError) as error:
        raise Refused("signature: the certificate in its header (x5c) cannot be read") from error
    if not isinstance(key, RSAPublicKey):
        raise Refused("signature: the certificate in its header holds no RSA key")
    try:
        key.verify(signed, message, padding.PKCS1v15(), algorithm)
    except InvalidSignature as error:
        raise Refused("signature: it does not fit the certificate in its header") from error


def _decode(piece: bytes) -> bytes:
    return base64.urlsafe_b64decode(piece + b"=" * (-len(piece) % 4))
