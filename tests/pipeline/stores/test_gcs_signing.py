"""Who signs links, with a key file and on a machine whose service account has no key."""

import base64
import json
from collections.abc import Mapping
from datetime import timedelta

import httpx
import pytest
from fakes.gcs.account import ServiceAccount
from fakes.gcs.fixture import BUCKET
from fakes.gcs.server import FakeGcs
from google.auth.credentials import AnonymousCredentials, Credentials
from google.cloud import storage

from pipeline.errors import LinkError
from pipeline.stores.gcs import GcsStore
from pipeline.stores.gcs_signing import IamSigning, signing_credentials


class AttachedCredentials(Credentials):
    """What the metadata server of a machine gives: tokens and, with the first one, an address."""

    def __init__(self, email: str) -> None:
        super().__init__()
        self.service_account_email = "default"
        self._email = email

    def refresh(self, request: object) -> None:
        del request
        self.token = "token"  # noqa: S105 any text will do
        self.service_account_email = self._email


class IamService:
    """The ``signBlob`` method of Google's IAM service, with the generated account's key."""

    def __init__(self, fake: FakeGcs) -> None:
        self._fake = fake
        self.status = 200
        self.data = b""

    def __call__(self, url: str, method: str, body: bytes, headers: Mapping[str, str]) -> "IamService":
        assert method == "POST"
        assert f"{self._fake.account.email}:signBlob" in url
        assert headers["authorization"] == "Bearer token"
        message = base64.b64decode(json.loads(body)["payload"])
        signature = self._fake.account.credentials.sign_bytes(message)
        self.data = json.dumps({"signedBlob": base64.b64encode(signature).decode()}).encode()
        return self


def test_credentials_with_a_key_sign_themselves(fake_gcs: FakeGcs) -> None:
    credentials = fake_gcs.account.credentials

    assert signing_credentials(credentials, lambda: pytest.fail("asked somebody")) is credentials


def test_iam_signs_for_an_account_without_a_key(fake_gcs: FakeGcs, gcs_client: storage.Client) -> None:
    attached = AttachedCredentials(fake_gcs.account.email)
    service = IamService(fake_gcs)

    signer = signing_credentials(attached, lambda: service)
    store = GcsStore(BUCKET, client=gcs_client, endpoint=fake_gcs.address, signer=signer)
    store.put_bytes("key", b"bytes")

    assert isinstance(signer, IamSigning)
    assert httpx.get(store.sign("key"), trust_env=False).content == b"bytes"


def test_credentials_of_no_service_account_cannot_sign() -> None:
    with pytest.raises(LinkError, match="need a service account"):
        signing_credentials(AnonymousCredentials(), lambda: pytest.fail("asked somebody"))


def test_the_fake_takes_only_links_of_its_own_account(fake_gcs: FakeGcs, gcs_client: storage.Client) -> None:
    rival = ServiceAccount(fake_gcs.account.email).credentials
    blob = gcs_client.bucket(BUCKET).blob("key")
    blob.upload_from_string(b"bytes")

    link = blob.generate_signed_url(
        version="v4",
        expiration=timedelta(minutes=1),
        credentials=rival,
        api_access_endpoint=fake_gcs.address,
    )

    assert httpx.get(link, trust_env=False).status_code == 403
