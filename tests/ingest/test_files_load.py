"""A dropped file all the way into the warehouse: what its bytes told is in the manifest, the log and the ledger."""

import logging
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from khochung import landing, load
from khochung.extract import Window, open_delivery
from tests.ingest.test_files import drop, folder
from tests.ingest.toy_source import Lab, make_source

__all__ = ["folder"]
WINDOW = Window(date(2025, 9, 30), None, datetime(2025, 10, 1, tzinfo=UTC))


def test_the_encoding_that_was_found_is_recorded(lab: Lab, folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    form = {"kind": "csv", "delimiter": ";", "encoding": "auto"}
    source, table = make_source("toy", "files", {"ma": "text", "ten": "text"}, path="ds_*", format=form)
    lab.contracts["toy"] = source
    drop(folder, "ds_20250901.csv", "ma;ten\n1;Nguyễn Thị Hường\n2;Lê Văn Đạt xã Đức Hòa\n".encode("tcvn3"))
    with caplog.at_level(logging.INFO), open_delivery(source, table, WINDOW, frozenset()) as (delivery,):
        path = landing.write(lab.settings, table, WINDOW, delivery)
    assert "ds_20250901.csv: read as tcvn3, told from its bytes" in caplog.text
    manifest = landing.read_manifest(path)
    assert manifest.origin_encoding == "tcvn3"
    load.load(lab.settings, path)
    assert lab.rows(table) == [("1", "Nguyễn Thị Hường", False), ("2", "Lê Văn Đạt xã Đức Hòa", False)]
    ledger = "select origin_encoding, source_rows from ops.load where source_name = 'toy'"
    assert lab.query(ledger) == [("tcvn3", 2)]
    assert load.known_files(lab.settings, table) == {manifest.origin_sha256}
