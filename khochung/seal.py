"""The seal of the gate: an HMAC-SHA-256 over what it has recorded, with a key that is not in the database.

Rights keep the pipeline's roles from changing a verdict; the seal shows a change by whoever has more rights than they.
"""

import hashlib
import hmac
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from khochung.key import Key
from khochung.settings import Settings

VARIABLE = "KHOCHUNG_GATE_KEY"
KEY = Key(
    VARIABLE,
    "gate",
    "the seal of verdicts and approvals",
    "restore it from the backup of keys/, or make a new one: then nothing is released before a new build is judged and "
    "its datasets are approved anew",
)


def seal(settings: Settings, record: dict[str, Any]) -> str:
    """64 hexadecimal digits over every field of a row, as it comes back from the database. Raises ConfigurationError."""
    text = json.dumps(_plain(record), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hmac.new(bytes.fromhex(KEY.value(settings)), text.encode(), hashlib.sha256).hexdigest()


def is_sealed(settings: Settings, record: dict[str, Any], given: str | None) -> bool:
    """True when this installation's gate has written the row as it is."""
    return given is not None and hmac.compare_digest(seal(settings, record), given)


def _plain(value: Any) -> Any:
    """Texts for what PostgreSQL may write otherwise than Python: numbers (1e20, 1.0) and times."""
    if isinstance(value, dict):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return f"{Decimal(str(value)).normalize() + 0:f}"
    return value
