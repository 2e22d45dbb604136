"""Where things are: one frozen object, read from the environment once per process."""

import os
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from zoneinfo import ZoneInfo

from khochung.errors import ConfigurationError

TIMEZONE = ZoneInfo("Asia/Ho_Chi_Minh")
REPOSITORY = Path(__file__).resolve().parent.parent
# The folder of `dbt_project/` and `expectations/`: a province may keep its declarations in a repository of their own.
PROJECT = Path(os.environ.get("KHOCHUNG_PROJECT") or REPOSITORY).expanduser().resolve()
ROLES = ("loader", "transformer", "analyst", "publisher", "operator")


@dataclass(frozen=True)
class Settings:
    """Paths and addresses of one installation.

    Environment: `KHOCHUNG_HOME` (local state, default `.khochung/` beside the package),
    `KHOCHUNG_WAREHOUSE_DSN` (an external PostgreSQL in place of the embedded one), `KHOCHUNG_PROJECT` (the folder
    of `dbt_project/` and `expectations/`, default the repository).
    """

    home: Path
    warehouse_dsn: str | None = None

    @classmethod
    def from_environment(cls) -> "Settings":
        home = Path(os.environ.get("KHOCHUNG_HOME") or REPOSITORY / ".khochung")
        return cls(home.expanduser().resolve(), os.environ.get("KHOCHUNG_WAREHOUSE_DSN") or None)

    @property
    def postgres(self) -> Path:
        return self.home / "postgres"

    @property
    def airflow(self) -> Path:
        return self.home / "airflow"

    @property
    def landing(self) -> Path:
        return self.home / "landing"

    @property
    def public(self) -> Path:
        """The docroot: a symbolic link to the release in force. Nothing below it is not public."""
        return self.home / "public"

    @property
    def releases(self) -> Path:
        return self.home / "releases"

    @property
    def keys(self) -> Path:
        return self.home / "keys"

    @property
    def logs(self) -> Path:
        return self.home / "logs"

    @property
    def artefacts(self) -> Path:
        """Internal by-products: dbt targets, Data Docs. Never published."""
        return self.home / "artefacts"

    @property
    def internal(self) -> Path:
        """What single agencies are told, mode 0700: their error lists. Never published."""
        return self.home / "internal"

    @property
    def pinned_day(self) -> Path:
        """The file that holds the business day of a simulated province."""
        return self.home / "as_of"

    def business_date(self) -> date:
        """The day that the data describes: the pinned day, else today."""
        pinned = self.pinned_day
        return date.fromisoformat(pinned.read_text(encoding="utf-8").strip()) if pinned.exists() else today()

    @cached_property
    def dbt_project(self) -> Path:
        return PROJECT / "dbt_project"

    @cached_property
    def expectations(self) -> Path:
        return PROJECT / "expectations"


def today() -> date:
    """The current day in Việt Nam (UTC+7, no daylight saving)."""
    return datetime.now(TIMEZONE).date()


def required(name: str, purpose: str) -> str:
    """The environment variable `name`, or a ConfigurationError that says what it is for."""
    value = os.environ.get(name, "")
    if not value:
        raise ConfigurationError(f"environment variable {name} is not set: it holds {purpose}; set it and run again")
    return value


def optional(name: str) -> str:
    """The environment variable `name`, or '' when it is not set."""
    return os.environ.get(name, "")
