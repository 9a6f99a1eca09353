"""The certificates of one control plane: an authority, and what it signs for each component."""

import datetime
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

Key = ec.EllipticCurvePrivateKey

VALID_DAYS = 365
"""Longer than any of these clusters lives; nothing renews them."""

SIGNS_CERTIFICATES = x509.KeyUsage(
    digital_signature=True,
    key_cert_sign=True,
    crl_sign=True,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    encipher_only=False,
    decipher_only=False,
)
CRITICAL = (x509.BasicConstraints, x509.KeyUsage)


@dataclass(frozen=True)
class KeyPair:
    """A certificate and its private key, both PEM."""

    certificate: Path
    key: Path


def write_key(path: Path) -> Key:
    """Make a key that only this user may read."""
    key = ec.generate_private_key(ec.SECP256R1())
    path.touch(mode=0o600)
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
        )
    )
    return key


class Authority:
    """Signs the certificates of one control plane; all files are in ``folder``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = write_key(folder / "ca.key")
        self._subject = _name("kubernetes", "airflow-control-plane")
        self.certificate = self._write(
            "ca", self._subject, self._key, x509.BasicConstraints(ca=True, path_length=0), SIGNS_CERTIFICATES
        )

    def server(self, name: str, addresses: Sequence[str] = ("localhost", "127.0.0.1")) -> KeyPair:
        """Return a certificate for the host names and IP addresses; etcd also shows it as a client, to itself."""
        usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        return self._signed(name, name, "", usages, x509.SubjectAlternativeName([_general_name(one) for one in addresses]))

    def client(self, file: str, common_name: str, organization: str = "") -> KeyPair:
        """Return a certificate of the user ``common_name`` in the group ``organization``."""
        return self._signed(file, common_name, organization, [ExtendedKeyUsageOID.CLIENT_AUTH])

    def administrator(self) -> KeyPair:
        """Return a client certificate of a member of ``system:masters``, whom RBAC does not limit."""
        return self.client("admin", "admin", "system:masters")

    def _signed(
        self,
        file: str,
        common_name: str,
        organization: str,
        usages: Sequence[x509.ObjectIdentifier],
        *extensions: x509.ExtensionType,
    ) -> KeyPair:
        key = write_key(self._folder / f"{file}.key")
        subject = _name(common_name, organization or common_name)
        return KeyPair(
            self._write(file, subject, key, x509.ExtendedKeyUsage(usages), *extensions), self._folder / f"{file}.key"
        )

    def _write(self, file: str, subject: x509.Name, key: Key, *extensions: x509.ExtensionType) -> Path:
        now = datetime.datetime.now(datetime.UTC)
        # RFC 5280 wants every certificate to name its own key and its issuer's; Python 3.13 refuses one that does not.
        own, issuer = x509.SubjectKeyIdentifier, x509.AuthorityKeyIdentifier
        identifiers = own.from_public_key(key.public_key()), issuer.from_issuer_public_key(self._key.public_key())
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(days=VALID_DAYS))
        )
        for extension in (*identifiers, *extensions):
            builder = builder.add_extension(extension, critical=isinstance(extension, CRITICAL))
        path = self._folder / f"{file}.crt"
        path.write_bytes(builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
        return path


def _name(common_name: str, organization: str) -> x509.Name:
    attributes = {NameOID.COMMON_NAME: common_name, NameOID.ORGANIZATION_NAME: organization}
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in attributes.items()])


def _general_name(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)
