"""A secret key of this installation: 32 random bytes that live outside the database.

An environment variable (64 hexadecimal digits) holds it on servers, a file under `keys/` (mode 0600) where the embedded
PostgreSQL runs; the variable wins.
"""

import os
import re
import secrets
from dataclasses import dataclass
from pathlib import Path

from khochung.errors import ConfigurationError
from khochung.settings import Settings, optional

_SHAPE = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Key:
    """Where one key is kept. `purpose` and `remedy` are what whoever lacks it is told."""

    variable: str
    file: str
    purpose: str
    remedy: str

    def path(self, settings: Settings) -> Path:
        """The file of the key."""
        return settings.keys / self.file

    def is_there(self, settings: Settings) -> bool:
        """True when the variable or the file holds something."""
        return bool(optional(self.variable)) or self.path(settings).exists()

    def value(self, settings: Settings) -> str:
        """The key, 64 hexadecimal digits. Raises ConfigurationError when there is none or it has another shape."""
        place = self.variable if optional(self.variable) else str(self.path(settings))
        if not self.is_there(settings):
            raise ConfigurationError(
                f"no key for {self.purpose}: neither {self.variable} nor {place} is there; {self.remedy}"
            )
        value = (optional(self.variable) or self.path(settings).read_text(encoding="utf-8")).strip().lower()
        if not _SHAPE.fullmatch(value):
            raise ConfigurationError(f"{place} is not 64 hexadecimal digits: make the key with `openssl rand -hex 32`")
        return value

    def make(self, settings: Settings, value: str = "") -> None:
        """Write a new key, drawn here or given, in the place of the old one, which is lost.

        Raises ConfigurationError when the variable holds it.
        """
        if optional(self.variable):
            raise ConfigurationError(f"the key is in {self.variable}: put the output of `openssl rand -hex 32` there")
        settings.keys.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = self.path(settings).with_name(f".{self.file}.partial")
        fresh.unlink(missing_ok=True)
        descriptor = os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(value or secrets.token_hex(32))
        os.replace(fresh, self.path(settings))
