"""How people are told of what happens."""

from typing import Literal

from pydantic import BaseModel, Field, SecretStr, field_validator
from pydantic_core import PydanticCustomError
from pydantic_core.core_schema import ValidationInfo

from pipeline.channels.addresses import CHATS
from pipeline.settings.values import words


class TellingSettings(BaseModel):
    """Mail, chats, webhooks."""

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

    @field_validator("notify_services")
    @classmethod
    def _known_services(cls, services: str) -> str:
        unknown = set(words(services)) - set(CHATS)
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
