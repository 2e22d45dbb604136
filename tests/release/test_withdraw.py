"""What can happen to a version after its release, and before: withdrawal, embargo, announced changes, its history."""

import json
import os
import pwd
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

import httpx
import pytest
from starlette.testclient import TestClient

from khochung import release, transform
from khochung.contract import Dataset, Upcoming
from khochung.errors import GateError
from khochung.portal.serve import application
from khochung.publication import release_build
from khochung.release import diff, files, ledger, store
from khochung.release.withdraw import withdraw
from khochung.settings import PROJECT
from khochung.strict import Text
from tests.toy_warehouse import Toy

SLUG = "dan-so-thu"
OCTOBER, NOVEMBER = date(2025, 10, 31), date(2025, 11, 30)
WHY = Text(vi="Nhầm số liệu.", en="Wrong <figures>.")
MORE = "insert into open_data.toy_residents values ('27694', '1', 7654321, false)"


def states(made: release.Release) -> dict[str, tuple[str | None, str]]:
    return {item.slug: (item.version, item.state) for item in made.items}


def everything(folder: Path) -> bytes:
    return b"\0".join(path.read_bytes() for path in files.walk(folder))


def take_back(toy: Toy, version: str, slug: str = SLUG) -> release.Release:
    return withdraw(toy.settings, slug, version, WHY, on=NOVEMBER, datasets=toy.datasets)


def document(toy: Toy, path: str) -> dict:  # type: ignore[type-arg]
    content: dict = json.loads((toy.settings.public / path).read_text(encoding="utf-8"))  # type: ignore[type-arg]
    return content


def test_a_withdrawn_version_leaves_nothing_but_its_tombstone(toy: Toy) -> None:
    toy.release()
    toy.sql(MORE)
    toy.release(OCTOBER)
    assert b"7654321" in (toy.settings.public / f"data/{SLUG}/latest/{SLUG}.csv").read_bytes()
    made = take_back(toy, "2025.10.0")
    assert states(made) == {SLUG: ("2025.9.0", "unchanged"), "don-vi-thu": ("2025.9.0", "unchanged")}
    assert store.identifiers(toy.settings) == ["2025-09-30.1", made.release_id]
    left = everything(toy.settings.releases)
    assert not any(form in left for form in (b"7654321", b"7.654.321", b"7,654,321")), (
        "a release on disk still has the bytes"
    )
    folder = toy.settings.public / f"data/{SLUG}/v/2025.10.0"
    assert sorted(path.name for path in folder.iterdir()) == ["index.html", "tombstone.json"]
    page = (folder / "index.html").read_text(encoding="utf-8")
    assert WHY.vi in page and "Wrong &lt;figures&gt;." in page
    log = document(toy, "api/v1/withdrawals.json")["withdrawals"]
    assert log == [{"dataset": SLUG, "version": "2025.10.0", "on": "2025-11-30", "reason": WHY.model_dump()}]
    index = document(toy, f"data/{SLUG}/versions.json")
    assert index["latest"] == "2025.9.0" and index["versions"][0]["files"] == []
    assert "Wrong &lt;figures&gt;." in (toy.settings.public / "en/withdrawals/index.html").read_text(encoding="utf-8")
    assert toy.sql("select slug, version, reason_en from ops.withdrawal", "operator") == [(SLUG, "2025.10.0", WHY.en)]
    assert release.verify(toy.settings.public).versions == 2


@contextmanager
def nginx(toy: Toy, place: Path) -> Iterator[httpx.Client]:
    """nginx of this machine with the configuration of `deploy/`, but for the places and the port."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None:
        pytest.skip("no nginx: the configuration of deploy/ was not tried; install Debian's `nginx-light`")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config = (PROJECT / "deploy/nginx.conf").read_text(encoding="utf-8").replace("/tmp/", f"{place}/")
    config = config.replace("listen 8080", f"listen 127.0.0.1:{port}").replace("/dev/stdout", f"{place}/access")
    config = config.replace("root /var/lib/khochung/public", f"root {toy.settings.public}")
    # As root, workers would be nobody's, who may not enter the folder of a test.
    (place / "nginx.conf").write_text(f"user {pwd.getpwuid(os.getuid()).pw_name};\n{config}", encoding="utf-8")
    process = subprocess.Popen([program, "-c", place / "nginx.conf", "-g", "daemon off;"])
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", transport=httpx.HTTPTransport(retries=8)) as client:
            yield client
    finally:
        process.terminate()
        process.wait()


@pytest.mark.parametrize("server_of", ["local", "nginx"])
def test_addresses_of_a_withdrawn_version_are_gone(toy: Toy, tmp_path: Path, server_of: str) -> None:
    """410 with the page that says why; tombstone and page themselves are files of the release, which is verified by them."""
    toy.release()
    toy.sql(MORE)
    toy.release(OCTOBER)
    take_back(toy, "2025.10.0")
    site = nginx(toy, tmp_path) if server_of == "nginx" else TestClient(application(toy.settings.public))
    with site as client:
        below = f"/data/{SLUG}/v/2025.10.0/"
        for name in ("", f"{SLUG}.csv", f"{SLUG}.parquet", "quality.json"):
            answer = client.get(below + name)
            assert (answer.status_code, WHY.vi in answer.text) == (410, True), name
            assert answer.headers["content-type"].startswith("text/html")
        assert client.get(below + "tombstone.json").json()["withdrawn"]["on"] == "2025-11-30"
        assert client.get(f"/data/{SLUG}/v/2025.9.0/{SLUG}.csv").status_code == 200
        assert client.get(f"/data/{SLUG}/v/2025.9.0/other.csv").status_code == 404


def test_withdrawn_data_do_not_come_back_and_the_number_is_spent(toy: Toy) -> None:
    toy.release()
    toy.sql(MORE)
    toy.release(OCTOBER)
    take_back(toy, "2025.10.0")
    again = toy.release(OCTOBER)
    assert states(again)[SLUG] == ("2025.9.0", "held")
    assert "withdrawn version" in (again.items[0].reason or "")
    toy.sql("update open_data.toy_residents set residents = 55 where residents = 7654321")
    assert states(toy.release(OCTOBER))[SLUG] == ("2025.10.1", "new")
    assert document(toy, f"data/{SLUG}/v/2025.10.1/diff.json")["previous"] == "2025.9.0"


def test_an_only_version_and_one_that_is_no_longer_declared_can_be_withdrawn(toy: Toy) -> None:
    toy.release()
    made = take_back(toy, "2025.9.0")
    assert states(made)[SLUG] == (None, "held")
    assert not (toy.settings.public / f"data/{SLUG}/latest").exists()
    del toy.datasets["don-vi-thu"]
    toy.release()
    take_back(toy, "2025.9.0", "don-vi-thu")
    assert {gone["dataset"] for gone in document(toy, "api/v1/withdrawals.json")["withdrawals"]} == {SLUG, "don-vi-thu"}
    with pytest.raises(GateError, match=r"2025\.9\.0 is not public; public are: none"):
        take_back(toy, "2025.9.0")


def test_a_withdrawal_that_was_killed_is_finished_by_the_next_call(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    toy.release()
    toy.sql(MORE)
    toy.release(OCTOBER)
    with monkeypatch.context() as patch:
        patch.setattr(ledger, "record_withdrawal", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            take_back(toy, "2025.10.0")
    with pytest.raises(GateError, match=r"there is no release 2025-10-31\.1"):
        release.rollback(toy.settings, "2025-10-31.1")
    assert b"7654321" not in everything(toy.settings.releases)


def with_changes(toy: Toy, **changes: object) -> Dataset:
    toy.datasets[SLUG] = toy.datasets[SLUG].model_copy(update=changes)
    return toy.datasets[SLUG]


def test_nothing_new_goes_out_before_an_embargo_ends(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    toy.release()
    toy.sql(MORE)
    end = datetime(2025, 11, 6, 1, tzinfo=UTC)
    with_changes(toy, embargo_until=end)
    build = toy.build(OCTOBER)
    toy.pass_all(build)
    toy.sql(f"update ops.build set status = 'succeeded' where build_id = {build}", "operator")
    before = toy.publish(build, OCTOBER, now=datetime(2025, 11, 6, 0, 59, tzinfo=UTC))
    assert states(before)[SLUG] == ("2025.9.0", "held")
    assert "until 2025-11-06 08:00 (Việt Nam)" in (before.items[0].reason or "")
    assert b"7654321" not in everything(toy.settings.releases)
    monkeypatch.setattr("khochung.publication.publish", lambda *_: before)
    assert release_build(toy.settings, build) == [], "an embargo is no failure"
    waiting = transform.unpublished(toy.settings)
    assert waiting is not None and waiting.build_id == build, "the end of the embargo is in the past, so it waits"
    after = toy.publish(build, OCTOBER, now=end)
    assert states(after)[SLUG] == ("2025.10.0", "new")


def test_a_breaking_change_is_held_until_the_public_has_been_told(toy: Toy) -> None:
    toy.release()
    kept = tuple(column for column in toy.datasets[SLUG].columns if column.name != "residents_suppressed")
    shorter = toy.datasets[SLUG].model_copy(update={"columns": kept})
    full = toy.datasets[SLUG]
    toy.datasets[SLUG] = shorter
    made = toy.release(OCTOBER)
    assert states(made)[SLUG] == ("2025.9.0", "held")
    assert "residents_suppressed" in (made.items[0].reason or "")
    note = Upcoming(columns=("residents_suppressed",), note=WHY)
    toy.datasets[SLUG] = full.model_copy(update={"upcoming": note})
    toy.release(OCTOBER)
    told = document(toy, f"data/{SLUG}/versions.json")["upcoming"]
    assert told == {"columns": ["residents_suppressed"], "note": WHY.model_dump(), "since": "2025-10-31"}
    toy.datasets[SLUG] = shorter
    assert states(toy.release(OCTOBER))[SLUG][1] == "held", "told on the same day is not told ahead"
    toy.datasets[SLUG] = full.model_copy(update={"upcoming": note})
    toy.release(OCTOBER)
    toy.datasets[SLUG] = shorter
    assert states(toy.release(NOVEMBER))[SLUG] == ("2025.11.0", "new")
    change = document(toy, f"data/{SLUG}/v/2025.11.0/diff.json")
    assert change["schema"]["columns_removed"] == ["residents_suppressed"] and change["schema"]["breaking"]
    assert change["reason"]["en"] == "The structure changes, as announced."


def test_a_column_more_breaks_nothing(toy: Toy) -> None:
    fewer = tuple(column for column in toy.datasets[SLUG].columns if column.name != "residents_suppressed")
    full = toy.datasets[SLUG]
    with_changes(toy, columns=fewer)
    toy.release()
    toy.datasets[SLUG] = full
    assert states(toy.release())[SLUG] == ("2025.9.1", "new")


def test_a_version_says_what_changed_and_nothing_that_only_the_one_before_held(toy: Toy) -> None:
    toy.release()
    first = document(toy, f"data/{SLUG}/v/2025.9.0/diff.json")
    assert (first["previous"], first["rows"]["added"], first["reason"]["en"]) == (None, 4, "First version.")
    toy.sql(MORE)
    toy.sql("update open_data.toy_residents set residents = 17 where residents = 15")
    toy.sql("delete from open_data.toy_residents where residents = 131")
    toy.release(OCTOBER)
    change = document(toy, f"data/{SLUG}/v/2025.10.0/diff.json")
    assert change["rows"] == {"added": 1, "removed": 1, "changed": 1, "unchanged": 2}
    assert change["added"] == [["27694", "1"]]
    assert change["changed"] == [{"key": ["28036", "2"], "columns": ["residents"]}]
    assert change["schema"]["breaking"] is False and change["reason"]["vi"] == "Số liệu đến ngày 31/10/2025."
    text = json.dumps(change)
    assert "131" not in text and '["25510", "2"]' not in text
    folder = toy.settings.public / f"data/{SLUG}/v"
    rows = diff.rows(*(diff.Table.published(folder / v, SLUG) for v in ("2025.9.0", "2025.10.0")))
    assert rows["removed"] == [
        {"commune_code": "25510", "sex_code": "2", "residents": "131", "residents_suppressed": "false"}
    ]
    assert rows["changed"] == [{"key": ["28036", "2"], "before": {"residents": "15"}, "after": {"residents": "17"}}]


def test_a_version_names_its_build_its_code_and_its_loads(toy: Toy) -> None:
    build = toy.build()
    toy.pass_all(build)
    toy.publish(build)
    found = document(toy, f"data/{SLUG}/v/2025.9.0/provenance.json")
    assert found["build"] == {"id": build, "as_of": "2025-09-30", "loads_until": 0}
    assert found["code"]["sha256"] == transform.code_sha256() and found["sources"] == []
    assert [verdict["suite"] for verdict in found["verdicts"]] == [SLUG] and found["approval"]


def test_cells_that_a_spreadsheet_would_run_are_harmless_and_whole(toy: Toy) -> None:
    toy.sql("update open_data.toy_units set unit_name = '=HYPERLINK(\"x\")' where unit_code = '25510'")
    toy.sql("update open_data.toy_units set area_km2 = -3 where unit_code = '25510'")
    toy.release()
    folder = toy.settings.public / "data/don-vi-thu/latest"
    line = (folder / "don-vi-thu.csv").read_text(encoding="utf-8").splitlines()[1]
    assert line.startswith('25510,"\'=HYPERLINK(""x"")",') and ",-3," in line
    assert json.loads((folder / "don-vi-thu.json").read_text(encoding="utf-8"))[0]["unit_name"] == '=HYPERLINK("x")'
