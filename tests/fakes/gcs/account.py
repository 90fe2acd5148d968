"""A service account with a key of its own, and the verification of what it signs."""

import json
import time
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID
from fakes.gcs.answers import Request, UnauthorizedError
from google.auth import jwt
from google.auth.crypt import RSASigner
from google.oauth2 import service_account

UNIVERSE = "halorow.test"
"""With a universe of its own, an account makes its tokens itself: nothing is asked of any other host."""


class ServiceAccount:
    """A generated service account; making one takes a tenth of a second or so."""

    def __init__(self, email: str = "halorow@example.iam.gserviceaccount.com") -> None:
        """Generate the key."""
        self.email = email
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._certificate = _certificate(self._key, email)

    def info(self) -> dict[str, str]:
        """Return what a key file of this account holds."""
        key = self._key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        return {
            "type": "service_account",
            "project_id": "example",
            "private_key_id": "generated",
            "private_key": key.decode(),
            "client_email": self.email,
            "client_id": "1",
            "token_uri": f"https://oauth2.{UNIVERSE}/token",
            "universe_domain": UNIVERSE,
        }

    @cached_property
    def credentials(self) -> service_account.Credentials:
        """The account's credentials as the real client takes them."""
        return service_account.Credentials.from_service_account_info(self.info())

    def write(self, path: Path) -> Path:
        """Write a key file, for processes that are told of it by path."""
        path.write_text(json.dumps(self.info()))
        return path

    def token(self, life_s: int = 3600) -> str:
        """Return a token for the account, as a caller without Google's libraries gets one from elsewhere."""
        now = int(time.time())
        claims = {"iss": self.email, "sub": self.email, "iat": now, "exp": now + life_s}
        signed: bytes = jwt.encode(RSASigner.from_string(self.info()["private_key"]), claims)
        return signed.decode()

    def check_token(self, request: Request) -> None:
        """Refuse a request without a token (a JWT, RFC 7519) that the account has signed."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer":
            raise UnauthorizedError("The request has no token.")
        try:
            claims: dict[str, Any] = dict(jwt.decode(token, certs=self._certificate))
        except ValueError as error:
            raise UnauthorizedError(f"The token is not valid: {error}") from error
        if claims.get("iss") != self.email:
            raise UnauthorizedError("The token is for somebody else.")

    def verify(self, signature: bytes, message: bytes) -> bool:
        """Whether the account's key made the signature (RSA PKCS #1 v1.5, SHA-256)."""
        try:
            self._key.public_key().verify(signature, message, padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature:
            return False
        return True


def _certificate(key: rsa.RSAPrivateKey, email: str) -> bytes:
    """Return a self-signed certificate, the form in which google-auth takes public keys."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, email[:64])])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM)
