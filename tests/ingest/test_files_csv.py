"""CSV through two parsers: whatever a file holds, Arrow's way gives what Python's csv module gives, or neither does."""

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from khochung.contract import FileFormat
from khochung.errors import ContractError
from khochung.extract import Delivery, delimited, encodings, text_schema
from khochung.extract.delimited import Csv
from tests.ingest.toy_source import make_source

_, TABLE = make_source("toy", "files", {"ma": "text", "ten": "text"}, path="ds_*", format={"kind": "csv"})
Rows = list[list[str | None]]
BROKEN = "refused"


def read(path: Path, encoding: str = "utf-8", **form: Any) -> Rows:
    delivery = Delivery(text_schema(TABLE), iter(()), path.name)
    table = Csv(path, TABLE, FileFormat(kind="csv", delimiter=";", **form), encoding, path.name)
    return [list(row.values()) for batch in table.batches(delivery) for row in batch.to_pylist()]


def outcome(call: Callable[[], Rows]) -> Rows | str:
    try:
        return call()
    except ContractError:
        return BROKEN


def reference(content: str) -> Rows:
    """What Python's csv module sees: rows of two cells below the header, empty rows left out."""
    try:
        rows = list(csv.reader(io.StringIO(content, newline=""), delimiter=";", strict=True))[1:]
    except csv.Error as error:
        raise ContractError("csv") from error
    found: Rows = []
    for row in rows:
        if not any(row) or (len(row) == 1 and not row[0].strip()):
            continue
        if len(row) < 2 or any(row[2:]):
            raise ContractError("ragged")
        found.append([cell or None for cell in row[:2]])
    return found


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("csv") / "ds_20250901.csv"


@settings(max_examples=600, deadline=None)
@given(
    soup=st.lists(st.sampled_from(["a", "Ế", "01", ";", ";", '"', '""', "\n", "\n", "\r\n", "\r", " ", ";b\n", '"c"'])),
    block=st.sampled_from([3, 16, 64, 1 << 20]),
)
def test_any_soup_of_signs(path: Path, soup: list[str], block: int) -> None:
    content = "ma;ten\n" + "".join(soup)
    path.write_bytes(content.encode())
    with mock.patch.object(encodings, "BLOCK", block):
        assert outcome(lambda: read(path)) == outcome(lambda: reference(content))


CELL = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=8)


@settings(max_examples=200, deadline=None)
@given(
    rows=st.lists(st.tuples(CELL, CELL), max_size=40),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    end=st.sampled_from(["\n", "\r\n"]),
    block=st.sampled_from([64, 1 << 20]),
)
def test_what_a_program_wrote_comes_back(
    path: Path, rows: list[tuple[str, str]], quoting: Any, end: str, block: int
) -> None:
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=";", quoting=quoting, lineterminator=end).writerows([("ma", "ten"), *rows])
    path.write_bytes(out.getvalue().encode("utf-8-sig"))
    expected = [[cell or None for cell in row] for row in rows if any(row)]
    with mock.patch.object(encodings, "BLOCK", block):
        assert read(path) == expected


def test_regular_files_do_not_need_the_exact_parser(path: Path) -> None:
    rows = "".join(f'{number};"Nguyễn ""A"";\r\n{number}"\r\n' for number in range(50_000))
    path.write_bytes(f"\ufeffma;ten\r\n{rows}".encode())
    with mock.patch.object(delimited.tabular, "batches", side_effect=AssertionError("the exact parser was asked")):
        found = read(path)
    assert (len(found), found[-1]) == (50_000, ["49999", 'Nguyễn "A";\r\n49999'])
