"""Where the service keeps things, and what jobs may read and write there."""

from pathlib import Path

from pydantic import BaseModel, Field, SecretStr, field_validator
from pydantic_core import PydanticCustomError
from pydantic_core.core_schema import ValidationInfo

from pipeline.settings.values import words


class StoreSettings(BaseModel):
    """Where things are kept."""

    data_dir: Path = Field(Path("halorow-data"), description="where embedded mode keeps everything")
    store_uri: str = Field("", description="object store: gs://bucket/prefix, file:///path or memory://name")
    gcs_endpoint: str = Field("", description="address of Google Cloud Storage; empty for Google's own")
    gcs_credentials_file: Path | None = Field(
        None, description="key of a service account, JSON; the machine's own credentials by default"
    )
    input_buckets: str = Field(
        "", description="buckets beside the store's that inputs may lie in, separated by commas"
    )
    source_roots: str = Field(
        "",
        description="folders of the store that inputs may lie in, separated by commas, {user} standing for"
        " the user's name; by default all, and with a login users/{user}/ and shared/",
    )
    sink_roots: str = Field(
        "",
        description="the same for outputs; by default all, and with a login users/{user}/",
    )
    redis_url: SecretStr = Field(
        SecretStr("redis://127.0.0.1:6379/0"), description="redis://[:password@]host:port/db"
    )
    link_secret: SecretStr = Field(SecretStr(""), description="signs the links of a local store")
    link_life_s: int = Field(3600, ge=1, le=7 * 86_400, description="how long a signed link works")

    @field_validator("redis_url")
    @classmethod
    def _known_scheme(cls, url: SecretStr) -> SecretStr:
        if not url.get_secret_value().startswith(("redis://", "rediss://", "unix://")):
            raise PydanticCustomError("url", "must start with redis://, rediss:// or unix://")
        return url

    @field_validator("data_dir")
    @classmethod
    def _absolute(cls, directory: Path) -> Path:
        return directory.expanduser().absolute()

    @field_validator("store_uri")
    @classmethod
    def _local_store(cls, uri: str, info: ValidationInfo) -> str:
        if uri or "data_dir" not in info.data:
            return uri
        return Path(info.data["data_dir"], "store").as_uri()

    @property
    def allowed_buckets(self) -> tuple[str, ...]:
        """The buckets beside the store's that inputs may lie in."""
        return words(self.input_buckets)
