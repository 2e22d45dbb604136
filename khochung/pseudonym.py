"""The key of the pseudonyms of people (`khochung.key`).

dbt's sessions get it as a connection option and as nothing else, so it stands in no SQL, artefact or log.
`macros/pseudonym.sql` uses it.
"""

import hashlib
import hmac
from pathlib import Path

from khochung.key import Key
from khochung.settings import Settings, optional

VARIABLE = "KHOCHUNG_PSEUDONYM_KEY"
SETTING = "khochung.pseudonym_key"
KEY = Key(
    VARIABLE,
    "pseudonym",
    "the pseudonyms of people",
    "restore it from the backup of keys/, or make a new one, by which all person keys change: khochung rekey",
)


def path(settings: Settings) -> Path:
    """The file of the key."""
    return KEY.path(settings)


def is_there(settings: Settings) -> bool:
    """True when the variable or the file holds something."""
    return KEY.is_there(settings)


def key(settings: Settings) -> str:
    """The key, 64 hexadecimal digits. Raises ConfigurationError when there is none: nobody is hashed without a key."""
    return KEY.value(settings)


def check(settings: Settings) -> str:
    """A mark by which two keys are told apart and that gives neither away: 16 hexadecimal digits."""
    return hmac.new(bytes.fromhex(key(settings)), b"khochung pseudonym key", hashlib.sha256).hexdigest()[:16]


def connection_options(settings: Settings) -> str:
    """The value of PGOPTIONS for a session that makes pseudonyms; what the environment holds stays in force."""
    return f"{optional('PGOPTIONS')} -c {SETTING}={key(settings)}".strip()


def make(settings: Settings) -> None:
    """Write a new key in the place of the old one, which is lost. Raises ConfigurationError when the variable holds it."""
    KEY.make(settings)
