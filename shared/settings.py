"""Settings from the environment (FANGPIN_...); built once at the edge and passed in."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from shared.errors import FangpinError
from shared.outbound import Network, Outbound, checked_listing

ListedHost = Annotated[str, AfterValidator(checked_listing)]


class SettingsRefused(FangpinError):
    """The settings would start an unsafe system; start-up stops with the reason."""

    code, title = "settings_refused", "配置不安全，拒绝启动"


def at_commas(value: object) -> object:
    """A text as the list of its parts between commas; anything else as it is."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


class Settings(BaseSettings):
    """What all services are told from outside.

    `data` holds the embedded database and the key files. `demo` allows `fangpin token` and plain-http peers.
    """

    model_config = SettingsConfigDict(env_prefix="FANGPIN_", extra="ignore", frozen=True)

    data: Path = Path(".fangpin")
    demo: bool = False
    host: str = "127.0.0.1"
    port: int = 8000
    log_level: str = "INFO"

    database_url: str | None = None
    intake_database_url: str | None = None
    monitoring_database_url: str | None = None
    alerts_database_url: str | None = None
    directory_database_url: str | None = None
    pool_size: int = Field(default=8, ge=1, le=100)

    public_url: str = "http://127.0.0.1:8000"
    intake_url: str = "http://127.0.0.1:8000"
    monitoring_url: str = "http://127.0.0.1:8000"
    alerts_url: str = "http://127.0.0.1:8000"

    issuer: str = "fangpin"
    token_minutes: int = Field(default=10, ge=1, le=720)
    oidc_issuer: str | None = None
    oidc_jwks_url: str | None = None
    oidc_audience: str | None = None

    smtp_host: str | None = None
    smtp_port: int = 25
    smtp_from: str = "fangpin@localhost"
    smtp_username: str | None = None
    smtp_password: SecretStr | None = None
    smtp_starttls: bool = False

    webhook_allowed_hosts: Annotated[list[ListedHost], NoDecode] = Field(
        default_factory=list, description="hosts (with a port, if not 443) that webhooks and subscriptions may reach"
    )
    outbound_private_networks: Annotated[list[Network], NoDecode] = Field(
        default_factory=list, description="inner networks in which a listed host may lie, for example a gateway's"
    )
    body_limit_bytes: int = 1024 * 1024
    cors_origins: Annotated[list[str], NoDecode] = Field(default_factory=list)

    def database_url_of(self, service: str) -> str:
        """The DSN of a service: its own, or the common one."""
        url: str | None = getattr(self, f"{service}_database_url") or self.database_url
        if url is None:
            raise SettingsRefused(
                "没有数据库地址：请设置 FANGPIN_DATABASE_URL，例如 postgresql://fangpin@db:5432/fangpin，"
                "或先用 ./manage up 启动内置数据库"
            )
        return url

    @property
    def webhooks(self) -> Outbound:
        """Where webhooks and subscriptions may lead."""
        return Outbound(self.webhook_allowed_hosts, self.outbound_private_networks, self.demo)

    @field_validator("webhook_allowed_hosts", "outbound_private_networks", "cors_origins", mode="before")
    @classmethod
    def _separated_by_commas(cls, value: object) -> object:
        return at_commas(value)

    @model_validator(mode="after")
    def _oidc_is_whole(self) -> Self:
        given = [self.oidc_issuer, self.oidc_jwks_url, self.oidc_audience]
        if any(given) and not all(given):
            raise ValueError("FANGPIN_OIDC_ISSUER, FANGPIN_OIDC_JWKS_URL and FANGPIN_OIDC_AUDIENCE go together")
        return self
