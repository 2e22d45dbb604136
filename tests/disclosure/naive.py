"""A naive release: exact counts, small ones blanked. It crosses the reform, and has everything that gives people away."""

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from khochung.disclosure.cells import Rules

Rows = Iterable[Sequence[Any]]


def write(tree: Path, version: str, day: str, rules: Rules, rows: Rows, stated: bool = True) -> Path:
    """A version as `khochung.release` lays it out, as far as an attacker looks. rows: keys, then measures.

    stated: whether the version states its rules; those from before the audit do not.
    """
    folder = tree / "data" / rules.slug / "v" / version
    folder.mkdir(parents=True)
    names = [*rules.keys, *rules.measures]
    with (folder / f"{rules.slug}.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow([*names, *(f"{measure}_suppressed" for measure in rules.measures)])
        for row in rows:
            flags = [str(value is None).lower() for value in row[len(rules.keys) :]]
            writer.writerow(["" if value is None else value for value in row] + flags)
    fields = [{"name": name, "role": "key" if name in rules.keys else "measure"} for name in names]
    fields += [{"name": f"{measure}_suppressed", "role": "attribute"} for measure in rules.measures]
    package = {"created": f"{day}T00:00:00+07:00", "resources": [{"schema": {"fields": fields}}]}
    statement: dict[str, Any] = {"policy": {"method": "suppression", "unit": rules.unit, "threshold": rules.threshold}}
    statement |= {"rules": rules.record()} if stated else {}
    (folder / "datapackage.json").write_text(json.dumps(package), encoding="utf-8")
    (folder / "disclosure.json").write_text(json.dumps(statement), encoding="utf-8")
    return folder


def write_crosswalk(tree: Path, pairs: Iterable[tuple[str, str]]) -> None:
    """The published list of what became of the communes that ended with 30/6/2025."""
    slug = "chuyen-doi-don-vi-hanh-chinh"
    folder = tree / "data" / slug / "latest"
    folder.mkdir(parents=True)
    with (folder / f"{slug}.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["old_code", "old_valid_to", "new_code"])
        writer.writerows([old, "2025-06-30", new] for old, new in pairs)


def rules(slug: str, keys: Sequence[str], **changes: Any) -> Rules:
    plain: Mapping[str, Any] = {
        "slug": slug, "method": "suppression", "unit": "person", "threshold": 10, "noise": 0, "zeros": "withheld",
        "vintage": None, "keys": tuple(keys), "measures": ("people",), "parts": {}, "linked": (),
    }  # fmt: skip
    return Rules(**{**plain, **changes})


def blanked(rows: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return [(*row[:-1], row[-1] if row[-1] >= 10 else None) for row in rows]


def release(tree: Path) -> None:
    """June by former communes, July by those of the reform, births by month and since January, and a correction."""
    former = [("A1", 120), ("A2", 6), ("B1", 44), ("B2", 31), ("C1", 9), ("C2", 3)]
    present = [("A", 126), ("B", 75), ("C", 12)]
    keys = ["commune_code"]
    write(tree, "2025.6.0", "2025-06-30", rules("residents", keys, vintage="2004-01-01"), blanked(former))
    write(tree, "2025.7.0", "2025-07-31", rules("residents", keys, vintage="2025-07-01"), blanked(present))
    write_crosswalk(tree, [(old, old[0]) for old, _ in former])
    months = [("2025-01", 20), ("2025-02", 4), ("2025-03", 15)]
    sums = [("2025-01", 20), ("2025-02", 24), ("2025-03", 39)]
    running = {"linked": ({"dataset": "births-since-january", "by": [], "running": "month"},)}
    write(tree, "2025.6.0", "2025-06-30", _linked("births", ["month"], running), blanked(months))
    write(tree, "2025.6.0", "2025-06-30", rules("births-since-january", ["month"]), blanked(sums))
    write(
        tree, "2025.7.0", "2025-07-31", rules("births-since-january", ["month"]), blanked([*sums[:2], ("2025-03", 40)])
    )
    sexes = [("A", "f", 60), ("A", "m", 66), ("B", "f", 68), ("B", "m", 7), ("C", "f", 5), ("C", "m", 7)]
    ages = [
        ("A", "young", 61),
        ("A", "old", 65),
        ("B", "young", 30),
        ("B", "old", 45),
        ("C", "young", 12),
        ("C", "old", 0),
    ]
    write(tree, "2025.8.0", "2025-08-31", rules("by-sex", ["commune_code", "sex"]), blanked(sexes), stated=False)
    write(tree, "2025.8.0", "2025-08-31", rules("by-age", ["commune_code", "age"]), blanked(ages), stated=False)


def _linked(slug: str, keys: Sequence[str], changes: Mapping[str, Any]) -> Rules:
    from khochung.contract import Linked

    links = tuple(Linked.model_validate(link) for link in changes["linked"])
    return rules(slug, keys, linked=links)
