"""A service account with a key of its own, and the server's side of its tokens."""

import json
import secrets
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID
from fakes.gcs.answers import Request, Response, UnauthorizedError
from google.auth import jwt

TOKEN_LIFE_S = 3600


class ServiceAccount:
    """A generated service account; making one takes a tenth of a second or so."""

    def __init__(self, email: str = "halorow@example.iam.gserviceaccount.com") -> None:
        """Generate the key."""
        self.email = email
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._certificate = _certificate(self._key, email)
        self._tokens: set[str] = set()

    def info(self, token_uri: str) -> dict[str, str]:
        """Return what a key file of this account holds, its tokens coming from ``token_uri``."""
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
            "token_uri": token_uri,
        }

    def write(self, path: Path, token_uri: str) -> Path:
        """Write a key file, for processes that are told of it by path."""
        path.write_text(json.dumps(self.info(token_uri)))
        return path

    def give_token(self, request: Request, audience: str) -> Response:
        """Answer a request for a token (RFC 7523), whose assertion the account must have signed."""
        try:
            assertion = parse_qs(request.body.decode())["assertion"][0]
            claims: dict[str, Any] = dict(jwt.decode(assertion, certs=self._certificate, audience=audience))
        except (KeyError, ValueError) as error:
            raise UnauthorizedError(f"The assertion is not signed by {self.email}: {error}") from error
        if claims.get("iss") != self.email or claims["exp"] < time.time():
            raise UnauthorizedError("The assertion is for somebody else, or has expired.")
        token = secrets.token_urlsafe()
        self._tokens.add(token)
        return Response.json({"access_token": token, "expires_in": TOKEN_LIFE_S, "token_type": "Bearer"})

    def check_token(self, request: Request) -> None:
        """Refuse a request without a token of this account."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or token not in self._tokens:
            raise UnauthorizedError("The request has no valid token.")

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
