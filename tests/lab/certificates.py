"""An authority of the lab's own, which also makes certificates that nobody should believe."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

# Long before any run and long after: the lab's clock is the machine's.
BEGINS = datetime(2020, 1, 1, tzinfo=UTC)
ENDS = datetime(2069, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Certificate:
    """A server's certificate and key, as files."""

    certificate: Path
    key: Path


@dataclass(frozen=True, repr=False)
class Authority:
    """Signs servers' certificates. file: what a client has to know to believe them."""

    file: Path
    key: Path

    @classmethod
    def create(cls, folder: Path) -> Self:
        """A new authority in a folder, which begins to exist."""
        folder.mkdir(parents=True, exist_ok=True)
        made = cls(folder / "ca.pem", folder / "ca.key")
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name("Directory lab")
        builder = (
            _builder(name, name, key.public_key(), ENDS)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(_usage(signs=True), critical=True)
        )
        _write(made.file, builder.sign(key, hashes.SHA256()))
        _write_key(made.key, key)
        return made

    @classmethod
    def load(cls, folder: Path) -> Self:
        return cls(folder / "ca.pem", folder / "ca.key")

    def issue(self, folder: Path, names: Sequence[str], *, expired: bool = False) -> Certificate:
        """A certificate for these host names and addresses, in a folder, which begins to exist."""
        folder.mkdir(parents=True, exist_ok=True)
        made = Certificate(folder / "server.pem", folder / "server.key")
        issuer = x509.load_pem_x509_certificate(self.file.read_bytes())
        signer = serialization.load_pem_private_key(self.key.read_bytes(), None)
        assert isinstance(signer, ec.EllipticCurvePrivateKey)
        key = ec.generate_private_key(ec.SECP256R1())
        ends = BEGINS + timedelta(days=1) if expired else ENDS
        builder = (
            _builder(_name(names[0]), issuer.subject, key.public_key(), ends)
            .add_extension(
                x509.SubjectAlternativeName([_general(name) for name in names]), critical=False
            )
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()),
                critical=False,
            )
        )
        _write(made.certificate, builder.sign(signer, hashes.SHA256()))
        _write_key(made.key, key)
        return made


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, ends: datetime
) -> x509.CertificateBuilder:
    return x509.CertificateBuilder(
        issuer_name=issuer,
        subject_name=subject,
        public_key=key,
        serial_number=x509.random_serial_number(),
        not_valid_before=BEGINS,
        not_valid_after=ends,
    ).add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        key_cert_sign=signs,
        crl_sign=signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _write(path: Path, certificate: x509.Certificate) -> None:
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


def _write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    """Readable by its owner alone: Samba refuses to start with any other key."""
    path.touch(mode=0o600)
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
