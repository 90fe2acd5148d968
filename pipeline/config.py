"""The settings of the service, and where they come from.

Later ones win: defaults, the connection file of a running embedded service, the settings file
(``halorow.toml`` in the working directory, or the one named by ``HALOROW_CONFIG``), the environment
(``HALOROW_`` and the name in capitals), arguments. All that is wrong is reported at once, each fault
with its place, what was expected and what was found.
"""

import os
from pathlib import Path
from typing import Literal, Self

from pydantic import ConfigDict, Field, SecretStr, ValidationError, field_validator

from pipeline.channels.addresses import Rules
from pipeline.decisions.places import Places
from pipeline.errors import SettingsError
from pipeline.settings.alerting import AlertSettings
from pipeline.settings.cluster import ClusterSettings
from pipeline.settings.connection_file import read_connection, write_values
from pipeline.settings.jobs import JobSettings
from pipeline.settings.keeping import KeepingSettings
from pipeline.settings.page import PageSettings
from pipeline.settings.sources import faults, from_environment, last_of, read_file
from pipeline.settings.stores import StoreSettings
from pipeline.settings.telling import TellingSettings
from pipeline.settings.values import roots, words

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


class Settings(
    StoreSettings,
    PageSettings,
    ClusterSettings,
    JobSettings,
    KeepingSettings,
    TellingSettings,
    AlertSettings,
):
    """Everything that can be set; never changed once made. Its ``repr`` hides secrets.

    Make one with :meth:`load`. Times are in seconds (``_s``), sizes in bytes (``1GiB`` is
    understood). What is set of one thing is a class of its own in ``pipeline.settings``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, hide_input_in_errors=True)

    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="least level logged")

    @field_validator("log_level", mode="before")
    @classmethod
    def _any_case(cls, level: object) -> object:
        return level.lower() if isinstance(level, str) else level

    @property
    def places(self) -> Places:
        """Where inputs and outputs may lie."""
        sources, sinks = (_SHARED_SOURCES, _SHARED_SINKS) if self.has_login else (("",), ("",))
        return Places(
            sources=roots(self.source_roots) or sources,
            sinks=roots(self.sink_roots) or sinks,
            buckets=self.allowed_buckets,
            private=self.has_login,
        )

    @property
    def operator_names(self) -> tuple[str, ...]:
        """Who is told of alerts: the operators, or whose the service is where there is no login."""
        return words(self.operators) if self.has_login else (self.user,)

    @property
    def notify_rules(self) -> Rules:
        """Which addresses people may be told at."""
        return Rules(
            services=words(self.notify_services),
            has_mail=bool(self.smtp_host),
            mail_to=tuple(word.lower() for word in words(self.mail_to)),
            anyone=not self.has_login,
        )

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
