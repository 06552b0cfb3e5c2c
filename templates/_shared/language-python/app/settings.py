"""Settings: the environment, checked once at start, so that a wrong value stops the rollout and not a request."""

from pathlib import Path
from typing import Any, Literal

<% if database %>
from pydantic import Field, SecretStr
<% else %>
from pydantic import Field
<% endif %>
from pydantic_settings import BaseSettings, SettingsConfigDict

# Docker mounts its secrets here, one file each, named like the setting; elsewhere the folder is not there.
SECRETS = Path("/run/secrets")


class Settings(BaseSettings):
    """One field, one variable of the same name in capitals."""

    model_config = SettingsConfigDict(extra="ignore", secrets_dir=SECRETS if SECRETS.is_dir() else None)

    port: int = Field(default=<{ port }>, ge=1, le=65535)
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    environment: str = "local"
    version: str = "dev"
    shutdown_grace_s: int = Field(default=20, ge=1, le=300)
<% if database %>
    # Required: a service without its database must not start. Never printed: SecretStr hides it from logs and errors.
    database_url: SecretStr
<% endif %>

    def __init__(self, **values: Any) -> None:
        # Values come from the environment; the signature says so to type checkers.
        super().__init__(**values)
