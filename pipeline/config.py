"""The settings of the service, and where they come from.

Later ones win: defaults, the connection file of a running embedded service, the settings file
(``halorow.toml`` in the working directory, or the one named by ``HALOROW_CONFIG``), the environment
(``HALOROW_`` and the name in capitals), arguments. All that is wrong is reported at once, each fault
with its place, what was expected and what was found.
"""

import os
import re
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ByteSize, ConfigDict, Field, SecretStr, ValidationError, field_validator
from pydantic_core import PydanticCustomError
from pydantic_core.core_schema import ValidationInfo

from pipeline.channels.addresses import CHATS, Rules
from pipeline.decisions.people import Person, Role
from pipeline.decisions.places import Places
from pipeline.decisions.quotas import Limits, UploadLimits
from pipeline.decisions.retention import MARGIN_S, Retention
from pipeline.errors import SettingsError
from pipeline.settings.connection_file import read_connection, write_values
from pipeline.settings.sources import faults, from_environment, last_of, read_file

LEASE_BEATS = 2
"""Renewals that must fit into a lease, so that one may be late."""

OF_SERVICE = "HALOROW_OF_SERVICE"
"""Set for the programs of an embedded service: what their supervisor has chosen counts before all else."""

SHARED = (
    "redis_url",
    "store_uri",
    "gcs_endpoint",
    "gcs_credentials_file",
    "link_secret",
    "public_base_url",
    "ray_address",
    "ray_namespace",
    "ray_dashboard_port",
)
"""What those who use a running embedded service must know of it."""


_SHARED_SOURCES = ("users/{user}/", "shared/")
_SHARED_SINKS = ("users/{user}/",)


def _roots(text: str) -> tuple[str, ...]:
    """Return the folders of a setting, each with its slash."""
    return tuple(f"{root.strip('/')}/" for root in _words(text))


def _words(text: str) -> tuple[str, ...]:
    """Return what a setting has between its commas."""
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _usable_cores() -> int:
    return len(os.sched_getaffinity(0))


class Settings(BaseModel):
    """Everything that can be set; never changed once made. Its ``repr`` hides secrets.

    Make one with :meth:`load`. Times are in seconds (``_s``), sizes in bytes (``1GiB`` is
    understood).
    """

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, hide_input_in_errors=True)

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
    workers: int = Field(default_factory=_usable_cores, ge=0, le=10_000, description="one-rank workers")
    cores: int = Field(default_factory=_usable_cores, ge=1, le=100_000, description="cores a world may use")
    interface: str = Field("", description="network interface by which nodes talk; empty takes Ray's")
    idle_s: float = Field(
        20.0, ge=0, le=86_400, description="how long an idle world keeps its cores and nodes"
    )
    more_nodes_s: float = Field(
        60.0, ge=0, le=86_400, description="how long a world waits for nodes that are to come"
    )
    band_bytes: ByteSize | None = Field(
        None,
        ge=1 << 10,
        description="pixels of a band of any output; only large ones have bands if unset",
    )
    stall_s: float = Field(
        300.0, ge=1, le=86_400, description="no progress for so long, and a world counts as hung"
    )
    nodes_max: int = Field(
        0, ge=0, le=10_000, description="worker nodes that the queue may ask for; 0 leaves their number alone"
    )
    nodes_min: int = Field(0, ge=0, le=10_000, description="worker nodes at any time")
    nodes_standby: int = Field(
        0, ge=0, le=10_000, description="worker nodes beyond those that the queue needs"
    )
    node_cores: int = Field(
        default_factory=_usable_cores, ge=1, le=1000, description="cores of a worker node"
    )
    drain_s: float = Field(300.0, ge=10, le=86_400, description="how long emptying the queue may take")
    node_start_s: float = Field(90.0, ge=0, le=3600, description="how long a node takes to start")
    quiet_s: float = Field(
        60.0, ge=0, le=86_400, description="how long the queue is empty before nodes are let go"
    )
    preemption_url: str = Field(
        "http://metadata.google.internal/computeMetadata/v1",
        description="metadata server that tells a node of its end",
    )
    memory_bytes: ByteSize = Field(
        ByteSize(1 << 30), ge=64 << 20, description="memory that a rank may use, at least 64 MiB"
    )
    job_pixels: int = Field(
        100_000_000_000, ge=1, description="pixels that a job may read, make on the way or write"
    )
    decoded_ratio: int = Field(
        10_000, ge=1, description="decoded bytes that a job may have for each stored byte of its input"
    )
    decode_s: float = Field(
        5.0, ge=1, le=3600, description="processor time of a decoder beside a second for each megabyte"
    )
    user: str = Field("local", min_length=1, max_length=100, description="whose jobs these are")
    lease_s: float = Field(15.0, ge=0.1, le=3600, description="how long a silent worker keeps its job")
    heartbeat_s: float = Field(5.0, gt=0, le=1800, description="how often a worker renews its lease")
    progress_s: float = Field(0.5, gt=0, le=60, description="how often progress is reported")
    reconcile_s: float = Field(
        10.0, gt=0, le=86_400, description="how often manifests and Redis are compared"
    )
    max_attempts: int = Field(5, ge=1, le=100, description="attempts of a job in all")
    max_deaths: int = Field(3, ge=1, le=100, description="workers that a job may kill")
    user_queued_pixels: int = Field(0, ge=0, description="pixels of one user's jobs in the queue; 0: any")
    user_jobs_per_minute: int = Field(
        0, ge=0, le=1_000_000, description="jobs that one user may submit in a minute; 0: any"
    )
    queued_jobs: int = Field(0, ge=0, description="jobs of all users in the queue; 0: any")
    upload_bytes: ByteSize = Field(
        ByteSize(0), description="largest file that the page takes; 0: any for which there is room"
    )
    user_upload_bytes: ByteSize = Field(
        ByteSize(0), description="uploads of one user that are kept at a time, by the page; 0: any"
    )
    finished_ttl_s: int = Field(30 * 86_400, ge=60, description="how long finished jobs are listed")
    input_ttl_s: int = Field(7 * 86_400, ge=0, description="how long uploads are kept after their job's end")
    band_ttl_s: int = Field(86_400, ge=0, description="the same for parts of unfinished outputs")
    result_ttl_s: int = Field(30 * 86_400, ge=0, description="the same for results in the service's folders")
    record_ttl_s: int = Field(
        90 * 86_400, ge=0, description="the same for what is known of jobs; 0: for ever"
    )
    clean_s: float = Field(3600.0, ge=1, le=86_400, description="how often is removed what is kept no longer")
    link_life_s: int = Field(3600, ge=1, le=7 * 86_400, description="how long a signed link works")
    webhook_allow_private: bool = Field(
        default=False, description="whether webhooks may lead to private addresses"
    )
    smtp_host: str = Field("", description="server that mail is sent through; empty: no mail is sent")
    smtp_port: int = Field(587, ge=1, le=65535, description="its port")
    smtp_security: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="how the connection to it is kept secret; none for a server on this machine"
    )
    smtp_user: str = Field("", description="who this service is to that server; empty: it does not log in")
    smtp_password: SecretStr = Field(SecretStr(""), description="its password there")
    mail_from: str = Field("", description="address that mail comes from")
    mail_to: str = Field(
        "",
        description="with a login: addresses, or @domain for all of one, that anybody's mail may go to,"
        " separated by commas; beside them everybody's own",
    )
    notify_services: str = Field(
        "slack,discord,tgram,gchat,pover",
        description="services of Apprise that people may be told by, separated by commas;"
        " docs/notifications.md lists them",
    )
    notify_per_minute: int = Field(
        30, ge=0, le=100_000, description="mails and chat messages of one channel in a minute; 0: any"
    )
    alert_cpu_percent: float = Field(
        95.0, ge=0, le=100, description="a node's CPU that raises an alert when it lasts; 0: never"
    )
    alert_cpu_s: float = Field(900.0, ge=0, le=86_400, description="how long it must last for that")
    alert_queue_s: float = Field(
        1800.0, ge=0, description="a job that waits longer for its turn raises an alert; 0: never"
    )
    alert_failures: int = Field(
        10, ge=0, description="failures in half an hour that raise an alert; 0: never"
    )
    alert_dead: int = Field(1, ge=0, description="dead letters of a day that raise an alert; 0: never")
    alert_disk_percent: float = Field(
        90.0, ge=0, le=100, description="a disk so full raises an alert; 0: never"
    )
    alert_away_s: float = Field(
        60.0, ge=0, le=86_400, description="store or Redis away for so long raise an alert; 0: never"
    )
    alert_clear_s: float = Field(
        120.0, ge=0, le=86_400, description="how long all must be well before an alert is cleared"
    )
    alert_look_s: float = Field(10.0, ge=0.1, le=3600, description="how often that is looked at")
    grafana_url: str = Field("", description="address of a Grafana with our dashboard, for operators")
    ray_dashboard_url: str = Field(
        "", description="address of Ray's dashboard as operators' browsers see it; on one machine it is known"
    )
    ray_address: str = Field("", description="address of a running Ray; empty starts one or finds one")
    ray_namespace: str = Field("halorow", min_length=1, description="Ray namespace of the actors")
    ray_dashboard_port: int = Field(8265, ge=1, le=65535, description="port of Ray's dashboard")
    preview_processes: int = Field(4, ge=0, le=100, description="processes that make previews for the page")
    preview_idle_s: float = Field(
        180.0, ge=1, le=86_400, description="how long such a process waits for its visitor"
    )
    core_hour_price: float = Field(
        0.0, ge=0, description="what an hour of a core costs, for estimates on the page; 0: nothing is said"
    )
    currency: str = Field("USD", min_length=1, max_length=10, description="of core_hour_price")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="least level logged")

    @field_validator("redis_url")
    @classmethod
    def _known_scheme(cls, url: SecretStr) -> SecretStr:
        if not url.get_secret_value().startswith(("redis://", "rediss://", "unix://")):
            raise PydanticCustomError("url", "must start with redis://, rediss:// or unix://")
        return url

    @field_validator("log_level", mode="before")
    @classmethod
    def _any_case(cls, level: object) -> object:
        return level.lower() if isinstance(level, str) else level

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

    @field_validator("input_ttl_s", "band_ttl_s", "result_ttl_s", "record_ttl_s")
    @classmethod
    def _long_enough(cls, life_s: int) -> int:
        if 0 < life_s < 2 * MARGIN_S:
            least = {"least_s": int(2 * MARGIN_S)}
            raise PydanticCustomError("life", "must be at least {least_s} s, or 0 for ever", least)
        return life_s

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

    @field_validator("notify_services")
    @classmethod
    def _known_services(cls, services: str) -> str:
        unknown = set(_words(services)) - set(CHATS)
        if unknown:
            known = {"known": ", ".join(CHATS), "unknown": ", ".join(sorted(unknown))}
            raise PydanticCustomError("service", "must be some of {known}; {unknown} is not", known)
        return services

    @field_validator("mail_from")
    @classmethod
    def _goes_with_server(cls, address: str, info: ValidationInfo) -> str:
        if info.data.get("smtp_host") and "@" not in address:
            raise PydanticCustomError("mail", "must be a mail address where smtp_host is set")
        return address

    @field_validator("nodes_min", "nodes_standby")
    @classmethod
    def _within_maximum(cls, nodes: int, info: ValidationInfo) -> int:
        most = info.data.get("nodes_max")
        if most is not None and nodes > most:
            raise PydanticCustomError("nodes", "must be at most nodes_max ({most})", {"most": most})
        return nodes

    @field_validator("public_base_url", "preemption_url", "grafana_url", "ray_dashboard_url")
    @classmethod
    def _no_slash(cls, url: str) -> str:
        if url and not url.startswith(("http://", "https://")):
            raise PydanticCustomError("url", "must start with http:// or https://")
        return url.rstrip("/")

    @field_validator("heartbeat_s")
    @classmethod
    def _fits_lease(cls, heartbeat_s: float, info: ValidationInfo) -> float:
        lease_s = info.data.get("lease_s")
        if lease_s is not None and heartbeat_s * LEASE_BEATS > lease_s:
            raise PydanticCustomError(
                "heartbeat", "must be at most half of lease_s ({lease_s} s)", {"lease_s": lease_s}
            )
        return heartbeat_s

    @property
    def allowed_buckets(self) -> tuple[str, ...]:
        """The buckets beside the store's that inputs may lie in."""
        return _words(self.input_buckets)

    @property
    def has_login(self) -> bool:
        """Whether the page asks people who they are."""
        return bool(self.login_metadata_url)

    @property
    def places(self) -> Places:
        """Where inputs and outputs may lie."""
        sources, sinks = (_SHARED_SOURCES, _SHARED_SINKS) if self.has_login else (("",), ("",))
        return Places(
            sources=_roots(self.source_roots) or sources,
            sinks=_roots(self.sink_roots) or sinks,
            buckets=self.allowed_buckets,
            private=self.has_login,
        )

    def person(self, name: str) -> Person:
        """Return somebody who has logged in under ``name``, with their role."""
        return Person(name, Role.OPERATOR if name in _words(self.operators) else Role.USER)

    def may_enter(self, name: str) -> bool:
        """Whether somebody who has logged in may see the page."""
        allowed = {*_words(self.login_users), *_words(self.operators)}
        domain = f"@{name.rpartition('@')[2]}"
        return not self.login_users or name in allowed or ("@" in name and domain in allowed)

    @property
    def world_cores(self) -> int:
        """Cores that a world may use: no more than the cluster may ever have."""
        return min(self.cores, self.most_cores or self.cores)

    @property
    def most_cores(self) -> int:
        """Cores that the cluster may ever have, 0 where its size is nobody's business."""
        return self.nodes_max * self.node_cores

    @property
    def base_url(self) -> str:
        """The page's address as browsers see it; derived from host and port where not set."""
        return self.public_base_url or f"http://{self.page_host}:{self.page_port}"

    @property
    def retention(self) -> Retention:
        """How long what the service makes is kept."""
        return Retention(self.input_ttl_s, self.band_ttl_s, self.result_ttl_s, self.record_ttl_s)

    @property
    def limits(self) -> Limits:
        """What is let into the queue."""
        return Limits(self.user_queued_pixels, self.queued_jobs, self.user_jobs_per_minute)

    @property
    def operator_names(self) -> tuple[str, ...]:
        """Who is told of alerts: the operators, or whose the service is where there is no login."""
        return _words(self.operators) if self.has_login else (self.user,)

    @property
    def notify_rules(self) -> Rules:
        """Which addresses people may be told at."""
        return Rules(
            services=_words(self.notify_services),
            has_mail=bool(self.smtp_host),
            mail_to=tuple(word.lower() for word in _words(self.mail_to)),
            anyone=not self.has_login,
        )

    @property
    def upload_limits(self) -> UploadLimits:
        """What the page takes."""
        return UploadLimits(self.upload_bytes, self.user_upload_bytes)

    @classmethod
    def load(cls, *, find_service: bool = True, **overrides: object) -> Self:
        """Return the settings in force; an override of None counts as not given.

        With ``find_service``, and unless Redis and store are set otherwise, those of the embedded
        service that runs in ``data_dir`` are used; in its own programs (``OF_SERVICE``) they come last.
        Raises SettingsError with every fault.
        """
        given = {name: value for name, value in overrides.items() if value is not None}
        file_path, from_file = read_file()
        places = [
            (str(file_path), from_file),
            ("environment", from_environment(cls.model_fields)),
            ("argument", given),
        ]
        explicit = {name for _, values in places for name in values}
        directory = Path(last_of(places, "data_dir") or cls.model_fields["data_dir"].default)
        if find_service and OF_SERVICE in os.environ:
            places.append(("connection file", read_connection(directory)))
        elif find_service and not explicit & {"redis_url", "store_uri"}:
            places.insert(0, ("connection file", read_connection(directory)))
        merged = {name: value for _, values in places for name, value in values.items()}
        try:
            return cls.model_validate(merged)
        except ValidationError as error:
            raise SettingsError(faults(error, places, merged, cls.model_fields)) from None


def write_connection(settings: Settings) -> Path:
    """Tell others on this machine how to reach the service; the file is for its owner alone (0600)."""
    values = {name: getattr(settings, name) for name in SHARED}
    plain = {
        name: value.get_secret_value() if isinstance(value, SecretStr) else value
        for name, value in values.items()
        if value is not None
    }
    if settings.gcs_credentials_file is not None:
        plain["gcs_credentials_file"] = str(settings.gcs_credentials_file.absolute())
    return write_values(settings.data_dir, plain | {"public_base_url": settings.base_url})
