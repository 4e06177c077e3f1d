"""A certificate authority for one run, which everything that is measured trusts among all that it trusts already.

So whoever reads a whole bundle of certificates pays for a whole bundle, as in AWS.
"""

import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.packages import Built, run

#: The server's certificate is its own authority. What Python 3.13 wants of one is spelled out.
OPENSSL: Final = (
    *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"),
    *("-subj", "/CN=Offtape bench", "-addext", "subjectAltName=IP:127.0.0.1"),
    *("-addext", "keyUsage=critical,keyCertSign,digitalSignature"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """A server's certificate, and its key."""

    certificate: Path
    key: Path

    @classmethod
    def made_in(cls, folder: Path) -> "Authority":
        """Make one."""
        authority = cls(certificate=folder / "bench-ca.pem", key=folder / "bench-ca.key")
        run([*OPENSSL, "-out", str(authority.certificate), "-keyout", str(authority.key)])
        return authority

    def context(self) -> ssl.SSLContext:
        """Give what a server needs."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        return context

    def be_trusted_by(self, built: Built) -> None:
        """Add the certificate to every bundle and to every hashed folder."""
        certificate = self.certificate.read_text()
        command = ["openssl", "x509", "-hash", "-noout", "-in", str(self.certificate)]
        subject = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
        for packages in (*built.layers.values(), built.peer, built.peer_no_bytecode, built.runtime):
            for bundle in packages.glob("*/cacert.pem"):
                with bundle.open("a") as file:
                    file.write(certificate)
            for folder in packages.glob("call_recording/ca"):
                (folder / f"{subject}.0").write_text(certificate)
