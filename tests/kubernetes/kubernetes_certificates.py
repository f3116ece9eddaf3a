"""An authority that issues certificates for servers and clients of a test, and a kubeconfig that trusts it."""

import ssl
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from pathlib import Path

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class Authority:
    """Issues certificates, all of them also for localhost."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority")])
        self.pem = self._issue(self._name, self._key, authority=True)

    def issue(self, name: str) -> tuple[bytes, bytes]:
        """Certificate and key of somebody, as PEM."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._issue(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]), key)
        return certificate, key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    def server_side(self, folder: Path) -> ssl.SSLContext:
        """The TLS of a server on localhost; its files stay in the folder."""
        for name, content in zip(("server.crt", "server.key"), self.issue("server"), strict=True):
            (folder / name).write_bytes(content)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cadata=self.pem.decode())
        context.load_cert_chain(folder / "server.crt", folder / "server.key")
        return context

    def kubeconfig(self, path: Path, url: str, user: dict[str, object]) -> Path:
        """Writes a kubeconfig with one context, `main`, that trusts this authority."""
        cluster = {"server": url, "certificate-authority-data": b64encode(self.pem).decode()}
        config = {
            "current-context": "main",
            "contexts": [{"name": "main", "context": {"cluster": "main", "user": "me"}}],
            "clusters": [{"name": "main", "cluster": cluster}],
            "users": [{"name": "me", "user": user}],
        }
        path.write_text(yaml.safe_dump(config))
        return path

    def _issue(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, *, authority: bool = False) -> bytes:
        now = datetime.now(UTC)
        local = x509.SubjectAlternativeName([x509.DNSName("localhost")])
        made = (
            x509.CertificateBuilder().subject_name(subject).issuer_name(self._name).public_key(key.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1)).add_extension(x509.BasicConstraints(authority, None), True)
            .add_extension(local, False).sign(self._key, hashes.SHA256())
        )  # fmt: skip
        return made.public_bytes(serialization.Encoding.PEM)
