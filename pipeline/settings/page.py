"""What the page needs to know: where it listens, who may see it, what it takes."""

import re

from pydantic import BaseModel, ByteSize, Field, SecretStr, field_validator
from pydantic_core import PydanticCustomError
from pydantic_core.core_schema import ValidationInfo

from pipeline.decisions.people import Person, Role
from pipeline.decisions.quotas import UploadLimits
from pipeline.settings.values import plain_url, words


class PageSettings(BaseModel):
    """The page, and who may see it."""

    public_base_url: str = Field("", description="the page's address as browsers see it")
    page_host: str = Field("127.0.0.1", description="address that the page listens on")
    page_open: bool = Field(
        default=False,
        description="whether the page may listen beyond this machine without a login: whoever reaches it may"
        " do everything",
    )
    login_metadata_url: str = Field(
        "", description="OpenID Connect: the provider's .well-known/openid-configuration; empty: no login"
    )
    login_client_id: str = Field("", description="OpenID Connect: who the page is to the provider")
    login_client_secret: SecretStr = Field(SecretStr(""), description="OpenID Connect: the page's password")
    login_users: str = Field(
        "",
        description="who may log in: names, or @domain for all of one, separated by commas; by default"
        " everybody whom the provider vouches for",
    )
    operators: str = Field(
        "", description="who sees everybody's jobs: names as the provider gives them, separated by commas"
    )
    page_port: int = Field(8501, ge=1, le=65535, description="port that the page listens on")
    upload_bytes: ByteSize = Field(
        ByteSize(0), description="largest file that the page takes; 0: any for which there is room"
    )
    user_upload_bytes: ByteSize = Field(
        ByteSize(0), description="uploads of one user that are kept at a time, by the page; 0: any"
    )
    grafana_url: str = Field("", description="address of a Grafana with our dashboard, for operators")
    ray_dashboard_url: str = Field(
        "", description="address of Ray's dashboard as operators' browsers see it; on one machine it is known"
    )
    preview_processes: int = Field(4, ge=0, le=100, description="processes that make previews for the page")
    preview_idle_s: float = Field(
        180.0, ge=1, le=86_400, description="how long such a process waits for its visitor"
    )
    core_hour_price: float = Field(
        0.0, ge=0, description="what an hour of a core costs, for estimates on the page; 0: nothing is said"
    )
    currency: str = Field("USD", min_length=1, max_length=10, description="of core_hour_price")

    @field_validator("login_client_id", "login_client_secret")
    @classmethod
    def _goes_with_login(cls, value: str | SecretStr, info: ValidationInfo) -> str | SecretStr:
        if info.data.get("login_metadata_url") and not value:
            raise PydanticCustomError("login", "must be set where login_metadata_url is")
        return value

    @field_validator("login_metadata_url")
    @classmethod
    def _safe_provider(cls, url: str) -> str:
        # Without TLS whoever is in between could say who somebody is; on this machine nobody is.
        if url and not re.match(r"https://|http://(127\.0\.0\.1|localhost)[:/]", url):
            raise PydanticCustomError("url", "must start with https://")
        return url

    @field_validator("public_base_url", "grafana_url", "ray_dashboard_url")
    @classmethod
    def _plain_page_urls(cls, url: str) -> str:
        return plain_url(url)

    @property
    def has_login(self) -> bool:
        """Whether the page asks people who they are."""
        return bool(self.login_metadata_url)

    def person(self, name: str) -> Person:
        """Return somebody who has logged in under ``name``, with their role."""
        return Person(name, Role.OPERATOR if name in words(self.operators) else Role.USER)

    def may_enter(self, name: str) -> bool:
        """Whether somebody who has logged in may see the page."""
        allowed = {*words(self.login_users), *words(self.operators)}
        domain = f"@{name.rpartition('@')[2]}"
        return not self.login_users or name in allowed or ("@" in name and domain in allowed)

    @property
    def base_url(self) -> str:
        """The page's address as browsers see it; derived from host and port where not set."""
        return self.public_base_url or f"http://{self.page_host}:{self.page_port}"

    @property
    def upload_limits(self) -> UploadLimits:
        """What the page takes."""
        return UploadLimits(self.upload_bytes, self.user_upload_bytes)
