"""What the search of the pages knows: one small document per language, made from declarations and place names.

Abbreviations and synonyms (`data/synonyms.json`) are spelled out here, when the site is built, so that the browser needs
to know nothing of them: a dataset whose texts hold one spelling is found by all the others.
"""

import json
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from khochung.portal.places import COMMUNE, Commune
from khochung.portal.vietnamese import fold
from khochung.release.catalogue import Entry
from khochung.strict import Text


@cache
def _synonyms() -> tuple[tuple[tuple[str, str], ...], ...]:
    """Groups of (spelling, folded spelling) that mean the same."""
    groups = json.loads((files("khochung.portal") / "data" / "synonyms.json").read_bytes())
    return tuple(tuple((word, fold(word)) for word in group) for group in groups)


def spelled_out(text: str) -> str:
    """The other spellings of what `text` speaks of: `đăng ký kinh doanh` for a text with `ĐKKD`."""
    folded = f" {fold(text)} "
    found = []
    for group in _synonyms():
        if any(f" {plain} " in folded for _, plain in group):
            found += [word for word, plain in group if f" {plain} " not in folded]
    return " ".join(dict.fromkeys(found))


def document(
    entries: Iterable[Entry], communes: Iterable[Commune], former: Mapping[str, list[str]], lang: str
) -> dict[str, Any]:
    """The index of one language. `s` slug, `t` title, `d` summary, `k` other words, `c` 1 when it knows communes."""
    other = "en" if lang == "vi" else "vi"
    return {
        "datasets": [_entry(entry, lang, other) for entry in entries],
        "places": [
            {"c": commune.code, "n": commune.name, "o": former.get(commune.code, [])}
            for commune in communes
        ],
    }  # fmt: skip


def _entry(entry: Entry, lang: str, other: str) -> dict[str, Any]:
    dataset = entry.dataset

    def texts(wanted: str) -> list[str]:
        chosen: list[Text] = [dataset.title, dataset.summary, *dataset.keywords, dataset.publisher]
        return [getattr(text, wanted) for text in chosen]

    words = [getattr(keyword, lang) for keyword in dataset.keywords]
    words += [getattr(c.label, lang) for c in dataset.columns] + [getattr(dataset.publisher, lang)]
    words += [getattr(dataset.title, other), *(getattr(keyword, other) for keyword in dataset.keywords)]
    return {
        "s": dataset.slug,
        "t": getattr(dataset.title, lang),
        "d": getattr(dataset.summary, lang),
        "k": f"{' '.join(dict.fromkeys(words))} {spelled_out(' '.join(texts('vi') + texts('en')))}".strip(),
        "c": int(any(column.name == COMMUNE for column in dataset.columns)),
    }
