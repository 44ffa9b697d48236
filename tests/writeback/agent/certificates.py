"""An authority of the test's own, and certificates that are right or wrong in one way."""

from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class Authority:
    """Signs certificates for a name or address; `path` is what a client is told to trust."""

    def __init__(self, folder: Path, name: str, now: datetime) -> None:
        self._folder = folder
        self._now = now
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate = (
            self._builder(self._name, self._key.public_key(), now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.path = folder / f"{name}.crt"
        self.path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def issue(self, host: str, ends: timedelta = timedelta(hours=1)) -> Path:
        """A file with a certificate and its key."""
        return self._issued(host, ends, self._key, self._name)

    def issue_self_signed(self, host: str) -> Path:
        """Nobody vouches for it."""
        return self._issued(host, timedelta(hours=1), None, None)

    def _issued(
        self,
        host: str,
        ends: timedelta,
        signer: ec.EllipticCurvePrivateKey | None,
        issuer: x509.Name | None,
    ) -> Path:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        certificate = (
            self._builder(issuer or subject, key.public_key(), self._now + ends, subject)
            .add_extension(x509.SubjectAlternativeName([_name(host)]), critical=False)
            .sign(signer or key, hashes.SHA256())
        )
        path = self._folder / f"server-{certificate.serial_number}.pem"
        path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        return path

    def _builder(
        self,
        issuer: x509.Name,
        key: ec.EllipticCurvePublicKey,
        ends: datetime,
        subject: x509.Name | None = None,
    ) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject or issuer)
            .issuer_name(issuer)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(self._now - timedelta(days=2))
            .not_valid_after(ends)
        )


def _name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)
