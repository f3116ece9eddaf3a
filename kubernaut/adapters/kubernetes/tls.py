"""TLS to one API server, made from certificates and a key that are held in memory.

The ssl module takes a client's key from files only. What a kubeconfig carries inline must not become a file that a killed process
leaves behind or a cleaner of temporary files takes away, so the key goes through a file that has no name and ends with its
descriptor.
"""

import contextlib
import os
import ssl
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Tls:
    """Whom to trust and who we are, as PEM.

    Args:
        ca: certificates of the authority; empty for those that the machine trusts.
        verify: False takes any certificate (`insecure-skip-tls-verify`).
        server_name: the name that the server's certificate must bear, where it is not the host's.
    """

    ca: bytes = b""
    certificate: bytes = b""
    key: bytes = field(default=b"", repr=False)
    verify: bool = True
    server_name: str | None = None

    def context(self) -> ssl.SSLContext:
        """The context of a client. Raises ssl.SSLError for what is no certificate or no key of it."""
        with contextlib.ExitStack() as files:
            context = ssl.create_default_context(cafile=files.enter_context(_file(self.ca)) if self.ca else None)
            if self.certificate:
                key = files.enter_context(_file(self.key)) if self.key else None
                context.load_cert_chain(files.enter_context(_file(self.certificate)), key)
        if not self.verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT  # as kubectl: cluster CAs often lack key identifiers
        return context


@contextlib.contextmanager
def _file(content: bytes) -> Iterator[str]:
    """A path at which the content can be read for the duration of the block."""
    if hasattr(os, "memfd_create") and os.path.isdir("/proc/self/fd"):
        with open(os.memfd_create("kubernaut"), "wb") as memory:
            memory.write(content)
            memory.flush()
            yield f"/proc/self/fd/{memory.fileno()}"
    else:
        with tempfile.NamedTemporaryFile(prefix="kubernaut-") as file:
            file.write(content)
            file.flush()
            yield file.name
