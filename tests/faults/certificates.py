"""Certificates for faults of TLS: an authority of the test's own, and what is wrong with each."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

AUTHORITY = "authority.crt"


def write(folder: Path) -> Path:
    """Write good, expired, wrong_name and self_signed (.pem, key and all); return the authority's."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Halden Freight test authority")])
    root = _sign(name, name, key, key, authority=True)
    (folder / AUTHORITY).write_bytes(root.public_bytes(serialization.Encoding.PEM))
    for file, host, days in (
        ("good", "localhost", 30),
        ("expired", "localhost", -1),
        ("wrong_name", "lrs.example.test", 30),
    ):
        own = ec.generate_private_key(ec.SECP256R1())
        _write(folder / f"{file}.pem", own, _sign(_named(host), name, own, key, days, host))
    own = ec.generate_private_key(ec.SECP256R1())
    itself = _named("localhost")
    _write(folder / "self_signed.pem", own, _sign(itself, itself, own, own, 30, "localhost"))
    return folder / AUTHORITY


def _named(host: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])


def _sign(
    subject: x509.Name,
    issuer: x509.Name,
    own: ec.EllipticCurvePrivateKey,
    signer: ec.EllipticCurvePrivateKey,
    days: int = 30,
    host: str = "",
    authority: bool = False,
) -> x509.Certificate:
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(own.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=60))
        .not_valid_after(now + dt.timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(own.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
        )
    )
    if authority:
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        made = made.add_extension(usage, critical=True)
    if host:
        names = x509.SubjectAlternativeName([x509.DNSName(host)])
        made = made.add_extension(names, critical=False)
    return made.sign(signer, hashes.SHA256())


def _write(path: Path, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> None:
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
