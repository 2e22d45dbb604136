"""How values look to people: numbers, sizes, days and cells, in the language of the page."""

import json
from calendar import month_name
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from importlib.resources import files

from khochung.contract import DatasetColumn
from khochung.portal.addresses import LANGUAGES
from khochung.strict import Text

_HERE = files("khochung.portal")


@cache
def table() -> dict[str, dict[str, str]]:
    """The words of `words.json` by language: names of themes, frequencies and the like."""
    words: dict[str, dict[str, str]] = json.loads((_HERE / "data" / "words.json").read_bytes())
    return {lang: {name: texts[lang] for name, texts in words.items()} for lang in LANGUAGES}


@dataclass(frozen=True)
class Speech:
    """One language: what templates need to speak it."""

    lang: str

    def pick(self, text: Text) -> str:
        return text.en if self.lang == "en" else text.vi

    def say(self, vi: str, en: str) -> str:
        return en if self.lang == "en" else vi

    def word(self, name: str) -> str:
        """A word of `words.json`, some behind a prefix (`unit:ha`); a code that is not there stands for itself."""
        return table()[self.lang].get(name, name.rpartition(":")[2])

    def number(self, value: int | Decimal, places: int | None = None) -> str:
        """`1.234,5` or `1,234.5`; `places`: rounded to so many digits behind the point."""
        shown = f"{value:,}" if places is None else f"{value:,.{places}f}"
        return shown.translate(str.maketrans(",.", ".,")) if self.lang == "vi" else shown

    def size(self, value: int) -> str:
        """Bytes in decimal units, as file managers and download dialogues show them."""
        for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
            if value >= scale:
                return f"{self.number(Decimal(value) / Decimal(scale), 1)} {unit}"
        return f"{value} B"

    def day(self, value: date) -> str:
        if self.lang == "vi":
            return value.strftime("%d/%m/%Y")
        return f"{value.day} {month_name[value.month]} {value.year}"

    def period(self, text: str, column: DatasetColumn | None = None) -> str:
        """A date cell: a month for columns that stand for one (`month_start`, `month_end`), else a day."""
        value = date.fromisoformat(text)
        if column is None or not column.name.startswith("month"):
            return self.day(value)
        return f"{value.month}/{value.year}" if self.lang == "vi" else f"{month_name[value.month][:3]} {value.year}"

    def cell(self, text: str | None, column: DatasetColumn) -> str:
        """A published cell as people read it: codes with their words, numbers with separators; empty stays empty."""
        if text is None:
            return ""
        if column.codes and text in column.codes:
            return self.pick(column.codes[text])
        return _SHOWN.get(_kind(column), _plain)(self, text)


def _kind(column: DatasetColumn) -> str:
    name = column.data_type.lower()
    if name == "boolean" or name == "date":
        return name
    return "number" if column.role == "measure" and name != "text" else "text"


def _plain(_: Speech, text: str) -> str:
    return text


def _number(speech: Speech, text: str) -> str:
    return speech.number(Decimal(text))


def _boolean(speech: Speech, text: str) -> str:
    return speech.say("có", "yes") if text == "true" else speech.say("không", "no")


def _day(speech: Speech, text: str) -> str:
    return speech.day(date.fromisoformat(text))


_SHOWN: dict[str, Callable[[Speech, str], str]] = {"number": _number, "boolean": _boolean, "date": _day}
