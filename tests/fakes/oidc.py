"""A provider of OpenID Connect that vouches for whom a test says: discovery, codes, signed tokens, keys."""

import secrets
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

import uvicorn
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

START_S = 30.0


class FakeProvider:
    """Logs everybody in as ``claims`` say, without asking for a password."""

    def __init__(self, client_id: str) -> None:
        """Know one client."""
        self.claims: dict[str, Any] = {}
        self.issuer = ""
        self._client_id = client_id
        self._key = RSAKey.generate_key(2048, parameters={"kid": "of the tests", "alg": "RS256"})
        self._nonces: dict[str, str] = {}

    @property
    def metadata_url(self) -> str:
        """Where clients find all the rest."""
        return f"{self.issuer}/.well-known/openid-configuration"

    def app(self) -> Starlette:
        """Return the provider's routes."""
        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self._discovery),
                Route("/authorize", self._authorize),
                Route("/token", self._token, methods=["POST"]),
                Route("/keys", self._keys),
            ]
        )

    def _discovery(self, _request: Request) -> Response:
        return JSONResponse(
            {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
                "response_types_supported": ["code"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "code_challenge_methods_supported": ["S256"],
            }
        )

    def _authorize(self, request: Request) -> Response:
        asked = request.query_params
        assert asked["client_id"] == self._client_id
        code = secrets.token_urlsafe()
        self._nonces[code] = asked.get("nonce", "")
        answer = urlencode({"code": code, "state": asked["state"]})
        return RedirectResponse(f"{asked['redirect_uri']}?{answer}", status_code=302)

    async def _token(self, request: Request) -> Response:
        nonce = self._nonces.pop(str((await request.form())["code"]))
        at = int(time.time())
        about = {"iss": self.issuer, "aud": self._client_id, "iat": at, "exp": at + 600, "nonce": nonce}
        token = jwt.encode({"alg": "RS256", "kid": "of the tests"}, {**about, **self.claims}, self._key)
        return JSONResponse({"access_token": "unused", "token_type": "Bearer", "id_token": token})

    def _keys(self, _request: Request) -> Response:
        return JSONResponse({"keys": [self._key.as_dict(private=False)]})


@contextmanager
def provider(client_id: str) -> Iterator[FakeProvider]:
    """Run a provider on a free port of this machine."""
    made = FakeProvider(client_id)
    listener = socket.create_server(("127.0.0.1", 0))
    made.issuer = f"http://127.0.0.1:{listener.getsockname()[1]}"
    server = uvicorn.Server(uvicorn.Config(made.app(), log_level="error"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield made
    finally:
        server.should_exit = True
        thread.join(START_S)
        listener.close()
