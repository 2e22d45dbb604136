"""Vietnamese text as `khochung/sql/vietnamese.sql` and the portal's scripts treat it; one table of cases tests all three."""

import re
import unicodedata

_TONES = (
    "àáảãạăằắẳẵặâầấẩẫậđèéẻẽẹêềếểễệìíỉĩịòóỏõọôồốổỗộơờớởỡợùúủũụưừứửữựỳýỷỹỵ",
    "aaaaaaaaaaaaaaaaadeeeeeeeeeeeiiiiiooooooooooooooooouuuuuuuuuuuyyyyy",
)
_PLAIN = str.maketrans(*_TONES)
# Letters that look like đ and are another code point: Icelandic eth and African d.
_LOOKALIKE = str.maketrans("\u00d0\u0189\u00f0", "đđđ")
_TONED = "àáảãạằắẳẵặầấẩẫậèéẻẽẹềếểễệìíỉĩịòóỏõọồốổỗộờớởỡợùúủũụừứửữựỳýỷỹỵ"
_TONELESS = str.maketrans(_TONED, "aaaaaăăăăăâââââeeeeeêêêêêiiiiioooooôôôôôơơơơơuuuuuưưưưưyyyyy")
_TONE = str.maketrans(_TONED, "12345" * 12)
_LETTERS = "aăâbcdđeêfghijklmnoôơpqrstuưvwxyz"
_RANK = str.maketrans(_LETTERS, "".join(chr(0x100 + i) for i in range(len(_LETTERS))))


def lower(text: str) -> str:
    """Lower case in NFC; the letters that only look like đ become it."""
    return unicodedata.normalize("NFC", text).translate(_LOOKALIKE).lower()


def fold(text: str) -> str:
    """Without accents, đ included, for search only: `Đức Hòa` is `duc hoa`. Other characters separate words."""
    return re.sub(r"[^a-z0-9]+", " ", lower(text).translate(_PLAIN)).strip()


def sort_key(text: str) -> tuple[str, str]:
    """The order of the Vietnamese dictionary: the letters first (a ă â b c d đ …), then the tones."""
    low = lower(text)
    tones = "".join(chr(_TONE.get(ord(letter), ord("0"))) for letter in low)
    return low.translate(_TONELESS).translate(_RANK), tones
