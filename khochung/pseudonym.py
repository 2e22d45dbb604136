"""The key of the pseudonyms of people: 32 random bytes that live outside the database.

`KHOCHUNG_PSEUDONYM_KEY` (64 hexadecimal digits) holds it on servers, `keys/pseudonym` (mode 0600) where the embedded
PostgreSQL runs; the variable wins. dbt's sessions get it as a connection option and as nothing else, so it stands in no
SQL, artefact or log. `macros/pseudonym.sql` uses it.
"""

import hashlib
import hmac
import os
import re
import secrets
from pathlib import Path

from khochung.errors import ConfigurationError
from khochung.settings import Settings, optional

VARIABLE = "KHOCHUNG_PSEUDONYM_KEY"
SETTING = "khochung.pseudonym_key"
_SHAPE = re.compile(r"[0-9a-f]{64}")


def path(settings: Settings) -> Path:
    """The file of the key."""
    return settings.keys / "pseudonym"


def is_there(settings: Settings) -> bool:
    """True when the variable or the file holds something."""
    return bool(optional(VARIABLE)) or path(settings).exists()


def key(settings: Settings) -> str:
    """The key, 64 hexadecimal digits. Raises ConfigurationError when there is none: nobody is hashed without a key."""
    place = VARIABLE if optional(VARIABLE) else str(path(settings))
    if not is_there(settings):
        raise ConfigurationError(
            f"no key for the pseudonyms of people: neither {VARIABLE} nor {place} is there; restore it from the backup of "
            "keys/, or make a new one, by which all person keys change: khochung rekey"
        )
    value = (optional(VARIABLE) or path(settings).read_text(encoding="utf-8")).strip().lower()
    if not _SHAPE.fullmatch(value):
        raise ConfigurationError(f"{place} is not 64 hexadecimal digits: make the key with `openssl rand -hex 32`")
    return value


def check(settings: Settings) -> str:
    """A mark by which two keys are told apart and that gives neither away: 16 hexadecimal digits."""
    return hmac.new(bytes.fromhex(key(settings)), b"khochung pseudonym key", hashlib.sha256).hexdigest()[:16]


def connection_options(settings: Settings) -> str:
    """The value of PGOPTIONS for a session that makes pseudonyms; what the environment holds stays in force."""
    return f"{optional('PGOPTIONS')} -c {SETTING}={key(settings)}".strip()


def make(settings: Settings) -> None:
    """Write a new key in the place of the old one, which is lost. Raises ConfigurationError when the variable holds it."""
    if optional(VARIABLE):
        raise ConfigurationError(f"the key is in {VARIABLE}: put the output of `openssl rand -hex 32` there")
    settings.keys.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = path(settings).with_name(".pseudonym.partial")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(secrets.token_hex(32))
    os.replace(fresh, path(settings))
