"""JSON lines and zip files: exact values, named lines, and archives that mean harm."""

import errno
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from khochung.errors import ContractError, LoadError
from khochung.extract import archive
from tests.ingest.test_files import deliver, drop, folder, rows, settle
from tests.ingest.test_files_workbook import write_xlsx

__all__ = ["folder"]
JSONL: dict[str, Any] = {"kind": "jsonl"}
ZIPPED: dict[str, Any] = {"kind": "csv", "delimiter": ";", "member": "*.csv"}


def test_json_lines_keep_what_was_sent(folder: Path) -> None:
    lines = [
        '{"id": 1.10, "ai": {"ten": "Ánh", "so": 12345678901234567890123}, "ds": [1, {"a": 2.50}], "moi": 1}',
        "",
        '{"id": "02", "ai": null, "ds": "x", "ok": true}\r',
        '{"id": 1e5, "ai": {"ten": ""}}',
    ]
    drop(folder, "ds_20250901.jsonl", "\ufeff" + "\n".join(lines))
    columns = dict.fromkeys(("id", "ten", "so", "ds", "ok"), "text") | {"ds": "jsonb"}
    ((delivery, found),) = deliver(JSONL, columns=columns, paths={"ten": "ai.ten", "so": "ai.so"})
    assert found == [
        ["1.10", "Ánh", "12345678901234567890123", '[1,{"a":2.50}]', None],
        ["02", None, None, '"x"', "true"],
        ["1e5", "", None, None, None],
    ]
    assert (delivery.counted, delivery.unknown_fields, delivery.encoding) == (3, {"moi"}, "utf-8")


@settings(deadline=None)
@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["ma", "ten"]),
            st.text(st.characters(codec="utf-8", exclude_characters="\0")) | st.integers() | st.booleans() | st.none(),
        )
    )
)
def test_any_records(tmp_path_factory: pytest.TempPathFactory, records: list[dict[str, Any]]) -> None:
    place = tmp_path_factory.getbasetemp() / "jsonl"
    place.mkdir(exist_ok=True)
    records = [{"ma": "0", "ten": "0"}, *records]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KHOCHUNG_SOURCE_TOY_FOLDER", str(place))
        drop(place, "ds_20250901.jsonl", "\n".join(map(json.dumps, records)))
        found = rows(JSONL)
    expected = [[record.get(name) for name in ("ma", "ten")] for record in records]
    assert found == [
        [value if value is None or isinstance(value, str) else json.dumps(value) for value in row] for row in expected
    ]


@pytest.mark.parametrize(
    ("line", "match"),
    [
        ('{"ma": 1, "ten": "a', "line 2 is no JSON object, or cut short"),
        ('{"ma": 1, "ma": 2, "ten": 3}', r"line 2 .*twice"),
        ('{"ma": NaN, "ten": 3}', "line 2 .*NaN and Infinity"),
        ('[{"ma": 1, "ten": 2}]', "line 2: no JSON object"),
        ('{"ma": {"a": 1}, "ten": 2}', "line 2: ma holds an object where the contract says text"),
        (r'{"ma": "\ud800", "ten": 2}', "line 2 .*half of a character"),
        (r'{"ma": "\u0000", "ten": 2}', "line 2 .*NUL"),
        ("[" * 100_000, "line 2 is no JSON object"),
    ],
)
def test_json_lines_that_cannot_be_taken(folder: Path, line: str, match: str) -> None:
    drop(folder, "ds_20250901.jsonl", '{"ma": "1", "ten": "x"}\n' + line)
    with pytest.raises(ContractError, match=match):
        rows(JSONL)


def test_a_field_that_no_record_has(folder: Path) -> None:
    drop(folder, "ds_20250901.jsonl", '{"ma": "1"}\n{"ma": "2"}\n')
    with pytest.raises(ContractError, match="lacks ten"):
        rows(JSONL)


def pack(folder: Path, members: dict[str, bytes | str], name: str = "ds_20250901.zip") -> Path:
    with zipfile.ZipFile(folder / name, "w", zipfile.ZIP_DEFLATED) as packed:
        for member, content in members.items():
            packed.writestr(member, content)
    return settle(folder / name)


def test_a_zip_of_several_files_is_one_delivery(folder: Path) -> None:
    pack(folder, {"b/ds2.csv": "ten;ma\nb;2\n", "đọc.txt": "x", "a/ds1.csv": "ma;ten\n1;a\n"})
    ((delivery, found),) = deliver(ZIPPED)
    assert found == [["1", "a"], ["2", "b"]]
    assert (delivery.origin, delivery.counted) == ("ds_20250901.zip", 2)
    assert delivery.origin_sha256 is not None
    assert deliver(ZIPPED, known=frozenset([delivery.origin_sha256])) == []


def test_members_may_be_written_by_different_programs(folder: Path) -> None:
    pack(folder, {"a.csv": "ma;ten\n1;a\n", "b.csv": "ma;ten\n2;Nguyễn Thị Hường, Đức Hòa\n".encode("vni")})
    ((delivery, found),) = deliver(ZIPPED | {"encoding": "auto"})
    assert (delivery.encoding, found) == ("utf-8, vni", [["1", "a"], ["2", "Nguyễn Thị Hường, Đức Hòa"]])


def test_a_workbook_in_a_zip(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    book = tmp_path_factory.mktemp("book") / "x.xlsx"
    write_xlsx(book, [["ma", "ten"], ["01", "a"]])
    pack(folder, {"sổ.xlsx": book.read_bytes()})
    assert rows({"kind": "xlsx", "member": "*.xlsx"}) == [["01", "a"]]


def test_what_is_wrong_in_a_member_names_it(folder: Path) -> None:
    pack(folder, {"a.csv": "ma;ten\n1;a\n", "b.csv": "ma;ten\n1\n"})
    with pytest.raises(ContractError, match=r"^ds_20250901\.zip/b\.csv, line 2: 1 cells under 2 headers"):
        deliver(ZIPPED)


GOOD = "ma;ten\n1;a\n"


def link() -> zipfile.ZipInfo:
    info = zipfile.ZipInfo("link.csv")
    info.external_attr = 0o120777 << 16
    return info


def inner() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        packed.writestr("a.csv", GOOD)
    return out.getvalue()


@pytest.mark.parametrize(
    ("members", "match"),
    [
        ({"../a.csv": GOOD}, r"'\.\./a\.csv' has a path that leads outside"),
        ({"/etc/a.csv": GOOD}, "leads outside"),
        ({"a\\..\\..\\b.csv": GOOD}, "leads outside"),
        ({"C:\\a.csv": GOOD}, "leads outside"),
        ({"a.csv": GOOD, "../other.txt": "x"}, "leads outside"),
        ({"a.csv": "ma;ten\n" + "1;a\n" * 10_000_000}, r"unpacks to 40,000,007 bytes from .*: a bomb"),
        ({"a.csv": GOOD, "b.zip": inner()}, r"b\.zip' is itself an archive"),
        ({"a.csv": inner()}, r"a\.csv' is itself an archive"),
        ({"a.txt": GOOD}, r"none of its 1 members is named \*\.csv"),
    ],
)
def test_archives_that_are_refused(folder: Path, members: dict[str, bytes | str], match: str) -> None:
    pack(folder, members)
    with pytest.raises(ContractError, match=match):
        deliver(ZIPPED)


def test_links_locks_twins_and_sizes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = folder / "ds_20250901.zip"
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr(link(), "/etc/passwd")
    settle(path)
    with pytest.raises(ContractError, match=r"link\.csv' is a link"):
        deliver(ZIPPED)
    body = bytearray(pack(folder, {"a.csv": GOOD}).read_bytes())
    body[body.index(b"PK\x01\x02") + 8] |= 1
    drop(folder, path.name, bytes(body))
    with pytest.raises(ContractError, match="locked with a password"):
        deliver(ZIPPED)
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(path, "w") as packed:
        packed.writestr("a.csv", GOOD)
        packed.writestr("a.csv", GOOD)
    settle(path)
    with pytest.raises(ContractError, match="two members have one name"):
        deliver(ZIPPED)
    pack(folder, {"a.csv": GOOD, "b.csv": GOOD})
    monkeypatch.setattr(archive, "MOST_MEMBERS", 1)
    with pytest.raises(ContractError, match="2 members of 22 bytes are more than we unpack"):
        deliver(ZIPPED)
    monkeypatch.setattr(archive, "MOST_MEMBERS", 10)
    monkeypatch.setattr(archive, "LARGEST", 21)
    with pytest.raises(ContractError, match="2 members of 22 bytes are more than we unpack"):
        deliver(ZIPPED)


def test_a_size_that_lies_and_damage(folder: Path) -> None:
    """The directory says 5 bytes: no more is unpacked, and the checksum tells."""
    body = bytearray(pack(folder, {"a.csv": GOOD}).read_bytes())
    at = body.index(b"PK\x01\x02") + 24
    body[at : at + 4] = (5).to_bytes(4, "little")
    drop(folder, "ds_20250901.zip", bytes(body))
    with pytest.raises(ContractError, match=r"^ds_20250901\.zip cannot be unpacked \(BadZipFile\)"):
        deliver(ZIPPED)
    whole = pack(folder, {"a.csv": GOOD * 100}).read_bytes()
    for damaged in (whole[:60], whole[:-10], b"", b"ma;ten\n1;a\n"):
        drop(folder, "ds_20250901.zip", damaged)
        with pytest.raises(ContractError, match="cannot be unpacked"):
            deliver(ZIPPED)


def test_a_disk_without_room_for_what_is_unpacked(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pack(folder, {"a.csv": GOOD})

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(archive.shutil, "copyfileobj", full)
    with pytest.raises(LoadError, match=r"^ds_20250901\.zip: disk full while .*TMPDIR"):
        deliver(ZIPPED)
