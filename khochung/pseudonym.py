"""The keys that dbt's sessions get (`khochung.key`): that of the pseudonyms of people, and that of the noise on counts.

They get them as connection options and as nothing else, so they stand in no SQL, artefact or log. `macros/pseudonym.sql` and
`macros/disclosure.sql` use them. There are two because a key that was seen must be changed, and new pseudonyms must not
change what was published: the noise of a cell belongs to it for ever.
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
NOISE = Key(
    "KHOCHUNG_NOISE_KEY",
    "noise",
    "the noise on published counts",
    "restore it from the backup of keys/: with another one every published count would get another noise",
)
SETTINGS = {SETTING: KEY, "khochung.noise_key": NOISE}


def path(settings: Settings) -> Path:
    """The file of the key of the pseudonyms."""
    return KEY.path(settings)


def key(settings: Settings) -> str:
    """The key, 64 hexadecimal digits. Raises ConfigurationError when there is none: nobody is hashed without a key."""
    return KEY.value(settings)


def check(settings: Settings, of: Key = KEY) -> str:
    """A mark by which two keys are told apart and that gives neither away: 16 hexadecimal digits."""
    secret = bytes.fromhex(of.value(settings))
    return hmac.new(secret, f"khochung {of.file} key".encode(), hashlib.sha256).hexdigest()[:16]


def connection_options(settings: Settings) -> str:
    """The value of PGOPTIONS for a session that makes pseudonyms and noise; what the environment holds stays in force.

    A key that is not there is left out: what needs it then fails in the database.
    """
    given = [f"-c {name}={one.value(settings)}" for name, one in SETTINGS.items() if one.is_there(settings)]
    return " ".join([optional("PGOPTIONS"), *given]).strip()


def make(settings: Settings) -> None:
    """Write a new key of the pseudonyms in the place of the old one, which is lost. Raises ConfigurationError when the
    variable holds it."""
    KEY.make(settings)
