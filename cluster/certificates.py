"""Certificates of a control plane that lives as long as the tests: an authority, a server, an administrator."""

import datetime
import ipaddress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

Key = ec.EllipticCurvePrivateKey


@dataclass(frozen=True)
class KeyPair:
    certificate: Path
    key: Path


def _name(common_name: str, organization: str) -> x509.Name:
    attributes = {NameOID.COMMON_NAME: common_name, NameOID.ORGANIZATION_NAME: organization}
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in attributes.items()])


def write_key(path: Path) -> Key:
    key = ec.generate_private_key(ec.SECP256R1())
    path.touch(mode=0o600)
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
        )
    )
    return key


class Authority:
    """Signs the certificates of one control plane."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = write_key(folder / "ca.key")
        self._subject = _name("tests", "tests")
        self.certificate = self._write("ca", self._subject, self._key, x509.BasicConstraints(ca=True, path_length=0))

    def server(self) -> KeyPair:
        """Return a certificate for this machine."""
        addresses = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        return self._signed(
            "server", "kube-apiserver", "", ExtendedKeyUsageOID.SERVER_AUTH, x509.SubjectAlternativeName(addresses)
        )

    def administrator(self) -> KeyPair:
        """Return a client certificate of a member of ``system:masters``."""
        return self._signed("admin", "admin", "system:masters", ExtendedKeyUsageOID.CLIENT_AUTH)

    def _signed(
        self, file: str, common_name: str, organization: str, usage: x509.ObjectIdentifier, *extensions: x509.ExtensionType
    ) -> KeyPair:
        key = write_key(self._folder / f"{file}.key")
        subject = _name(common_name, organization or common_name)
        return KeyPair(
            self._write(file, subject, key, x509.ExtendedKeyUsage([usage]), *extensions), self._folder / f"{file}.key"
        )

    def _write(self, file: str, subject: x509.Name, key: Key, *extensions: x509.ExtensionType) -> Path:
        now = datetime.datetime.now(datetime.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(days=1))
        )
        for extension in extensions:
            builder = builder.add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
        path = self._folder / f"{file}.crt"
        path.write_bytes(builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
        return path
