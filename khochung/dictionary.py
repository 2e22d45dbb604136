"""The data dictionary: Markdown rendered from the source contracts and the dataset declarations.

The pages under `docs/data-dictionary/` are committed, and a test holds them to the declarations.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from khochung import contract, sharing
from khochung.contract import Dataset, DatasetColumn, Source, Table
from khochung.sharing import Shared

FOLDER = Path("docs") / "data-dictionary"
HEAD = "<!-- Written by `khochung docs` from the declarations in dbt_project/models: correct those. -->\n"
PRIVACY = {
    "none": "none",
    "quasi": "quasi-identifier: only its shape is shown",
    "identifier": "identifies: only its length is shown",
    "sensitive": "sensitive: only its length is shown",
}
LOAD = {
    "cursor": "rows changed since the watermark",
    "snapshot": "the full state each time",
    "append": "each new file",
}
PROTECTION = {
    "cell_key": "counts of {rule.unit} carry the noise of their cell; below {rule.threshold} they are withheld",
    "dominance": "values of fewer than three holders, or dominated by one, are withheld, with others that hide them",
}


def write(folder: Path) -> list[Path]:
    """Render `sources.md`, `datasets.md` and `sharing.md` into `folder`; returns their paths. Raises ContractError."""
    folder.mkdir(parents=True, exist_ok=True)
    pages = {"sources.md": sources_page(), "datasets.md": datasets_page(), "sharing.md": sharing_page()}
    for name, text in pages.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in pages]


def sources_page() -> str:
    """What every source promises: a section per source, a table per table."""
    found = contract.sources().values()
    blocks = [HEAD, "# Sources\n", _contents((s.name, f"{s.title_vi} (`{s.name}`)") for s in found)]
    blocks += [block for source in found for block in _source(source)]
    return "\n".join(blocks)


def datasets_page() -> str:
    """What is published: a section per dataset, in Vietnamese and English."""
    found = contract.datasets().values()
    blocks = [HEAD, "# Datasets\n", _contents((d.slug, f"{d.title.vi} / {d.title.en}") for d in found)]
    blocks += [block for dataset in found for block in _dataset(dataset)]
    return "\n".join(blocks)


def sharing_page() -> str:
    """What agencies of the province share with each other: a section per shared model."""
    found = sharing.declared().values()
    blocks = [
        HEAD,
        "# Shared inside the province\n",
        _contents((s.model, f"{s.title.vi} / {s.title.en}") for s in found),
    ]
    blocks += [block for shared in found for block in _shared(shared)]
    return "\n".join(blocks)


def _shared(shared: Shared) -> Iterator[str]:
    yield f"## {shared.model}\n"
    yield f"**{shared.title.vi}.** {shared.title.en}. {shared.description}\n"
    facts = {
        "Provider": shared.provider,
        "Legal basis": shared.legal_basis,
        "Purpose": f"{shared.purpose.vi} / {shared.purpose.en}",
        "Agencies": "all, each its own rows"
        if shared.agencies == "all"
        else f"{', '.join(shared.agencies)}; each its own rows",
        "View of the LGSP": f"`marts.{shared.delivered_as}`",
    }
    yield _facts(facts)
    yield _grid(["Column", "Type", "Meaning"], [[f"`{c.name}`", c.data_type, c.description] for c in shared.columns])


def _contents(entries: Iterable[tuple[str, str]]) -> str:
    return "".join(f"- [{title}](#{anchor})\n" for anchor, title in entries)


def _source(source: Source) -> Iterator[str]:
    yield f"## {source.name}\n"
    yield f"**{source.title_vi}.** {source.description}\n"
    facts = {
        "Owner": source.owner_agency,
        "Connector": f"`{source.connector}`",
        "Schedule": f"`{source.schedule}` (Asia/Ho_Chi_Minh), fresh within {source.fresh_within_hours} hours",
        "Legal basis": source.legal_basis,
    }
    yield _facts(facts)
    for table in source.tables:
        yield from _table(table)


def _table(table: Table) -> Iterator[str]:
    yield f"### {table.source}.{table.name}\n"
    yield f"{table.description}\n"
    facts = {
        "At the source": f"`{table.path}`",
        "Relation": f"`raw.{table.relation}`",
        "Key": ", ".join(f"`{name}`" for name in table.key),
        "Delivery": _delivery(table),
    }
    yield _facts(facts)
    rows = [
        [
            f"`{c.name}`",
            c.data_type,
            f"`{c.path}`",
            PRIVACY[c.privacy],
            c.date_format or c.unit or "",
            c.description,
        ]
        for c in table.columns
    ]
    yield _grid(["Column", "Type", "At the source", "Privacy", "Format or unit", "Meaning"], rows)


def _delivery(table: Table) -> str:
    text = f"`{table.load}`, {LOAD[table.load]}"
    if table.cursor:
        text += f" of `{table.cursor}`, read with {table.overlap_hours} hours of overlap"
    if table.load != "append":
        text += f"; a full delivery below {table.row_floor:.0%} of the rows held is refused"
    if table.load == "snapshot":
        text += f", and so is one without more than {table.delete_guard:.0%} of the keys held"
    return text


def _dataset(dataset: Dataset) -> Iterator[str]:
    yield f"## {dataset.slug}\n"
    yield f"**{dataset.title.vi}.** {dataset.summary.vi}\n"
    yield f"**{dataset.title.en}.** {dataset.summary.en}\n"
    rule = dataset.disclosure
    protection = f"none: {rule.reason.en}" if rule.reason else PROTECTION[rule.method].format(rule=rule)
    facts = {
        "Publisher": f"{dataset.publisher.vi} / {dataset.publisher.en}, {dataset.contact}",
        "Relation": f"`open_data.{dataset.model}`",
        "Frequency": dataset.frequency,
        "Geography": f"{rule.geography}, in force since {rule.vintage}" if rule.vintage else rule.geography,
        "Protection": protection,
        "Answered for by": f"{rule.approver.vi} / {rule.approver.en}",
        "Licence": dataset.licence,
        "Legal basis": dataset.legal_basis,
    }
    yield _facts(facts)
    columns = ["Column", "Type", "Role", "Label", "Unit", "Meaning"]
    yield _grid(columns, [_published(column) for column in dataset.columns])


def _published(column: DatasetColumn) -> list[str]:
    meaning = f"{column.description_vi}<br>{column.description}"
    if column.codes:
        meaning += "<br>" + "; ".join(f"`{code}` {text.vi} / {text.en}" for code, text in column.codes.items())
    label = f"{column.label.vi}<br>{column.label.en}"
    return [f"`{column.name}`", column.data_type, column.role, label, column.unit or "", meaning]


def _facts(facts: dict[str, str]) -> str:
    return "".join(f"- {name}: {value}\n" for name, value in facts.items())


def _grid(heads: list[str], rows: list[list[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)
