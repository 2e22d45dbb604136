"""The page Data status: the same record as `khochung status`, with filters in the address, for those who may."""

import json
from html.parser import HTMLParser
from typing import Any

import pytest
from fastapi import Depends, HTTPException
from fastapi.testclient import TestClient

from khochung.ops import status, status_page
from khochung.settings import Settings

LOAD = {
    "load_id": 1, "as_of": "2025-09-28", "source_rows": 12345, "extracted_rows": 12345, "inserted_rows": 2, "updated_rows": 3,
    "unchanged_rows": 12339, "duplicate_rows": 0, "refused_rows": 1, "tombstoned_rows": 7, "landing_bytes": 90_000,
    "seconds": 2.0, "median_seconds": None, "fresh_on": None,
}  # fmt: skip


def table(source: str, state: str, agency: str = "Sở Tài chính", **more: Any) -> status.Record:
    usual = {
        "source": source, "table": "unit", "title": f"Nguồn {source}", "agency": agency, "state": state, "reason": None,
        "hours_left": None, "load": None, "quarantined_rows": 0, "issues": {"open": 0, "critical": 0, "oldest_days": 0},
        "gate": None, "next_step": None,
    }  # fmt: skip
    return usual | more


def dataset(slug: str, state: str, **more: Any) -> status.Record:
    usual = {
        "slug": slug, "title": f"Bộ {slug}", "state": state, "version": None, "as_of": None, "rows": None, "reason": None,
        "gate": None, "blocked_by": [], "next_step": None,
    }  # fmt: skip
    return usual | more


FOUND: status.Record = {
    "now": "2025-10-01T00:00:00+07:00", "state": "late", "build": None,
    "sources": [
        table("land", "late", "Sở <b>Nông nghiệp</b>", load=LOAD, hours_left=-60.0, reason="<i>chậm</i>", next_step="khochung x"),
        table("admin", "ok"),
    ],
    "datasets": [dataset("dat", "held", reason="Không đạt: tổng", blocked_by=["land__unit"]), dataset("dan", "ok")],
}  # fmt: skip


class Text(HTMLParser):
    """The rows of the tables as texts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.rows: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "tr":
            self.rows.append("")

    def handle_data(self, data: str) -> None:
        if self.rows:
            self.rows[-1] += f" {data.strip()}"


def test_a_row_says_what_is_wrong_and_what_to_do() -> None:
    page = Text(status_page.render(FOUND))
    (land,) = [row for row in page.rows if "land.unit" in row]
    assert "chậm" in land and "quá 2 ngày" in land and "khochung x" in land and "12.345" in land
    assert any("Không đạt: tổng" in row and "land__unit" in row for row in page.rows)
    assert ("a", {"href": "/dags/ingest__land", "title": "Nguồn land, Sở <b>Nông nghiệp</b>"}) in page.tags
    assert not any(tag in ("b", "i") for tag, _ in page.tags)
    turned = FOUND | {"sources": FOUND["sources"][::-1]}
    assert [row.split()[0] for row in Text(status_page.render(turned)).rows[1:3]] == ["land.unit", "admin.unit"]


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ({}, {"land.unit", "admin.unit", "Bộ dat", "Bộ dan"}),
        ({"state": "late"}, {"land.unit"}),
        ({"state": "held"}, {"Bộ dat"}),
        ({"agency": "Sở Tài chính"}, {"admin.unit"}),
        ({"q": "NGUỒN land"}, {"land.unit"}),
        ({"q": "dat"}, {"Bộ dat"}),
    ],
)
def test_filters_stand_in_the_address(asked: dict[str, str], shown: set[str]) -> None:
    rows = Text(status_page.render(FOUND, **asked)).rows
    names = {"land.unit", "admin.unit", "Bộ dat", "Bộ dan"}
    assert {name for name in names if any(f" {name} " in f"{row} " for row in rows)} == shown


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Settings:
    monkeypatch.setattr(status, "collect", lambda settings: FOUND)
    return Settings(tmp_path)


def test_page_json_and_style_are_served_with_a_strict_policy(answers: Settings) -> None:
    with TestClient(status_page.application(answers)) as client:
        page = client.get("/?state=late")
        assert page.status_code == 200 and "land.unit" in page.text and "admin.unit" not in page.text
        assert "unsafe" not in page.headers["Content-Security-Policy"] and "<style" not in page.text
        assert client.get("/status.json").json() == json.loads(json.dumps(FOUND))
        assert client.get("/status.css").headers["Content-Type"].startswith("text/css")
        assert "pushState" in client.get("/status.js").text
        assert client.get("/status.html").status_code == client.get("/secrets.css").status_code == 404
        assert client.post("/").status_code == 405


def test_nobody_reads_it_whom_airflow_does_not_know(answers: Settings) -> None:
    def refuse() -> None:
        raise HTTPException(403)

    with TestClient(status_page.application(answers, [Depends(refuse)])) as client:
        assert {client.get(path).status_code for path in ("/", "/status.json", "/status.css")} == {403}


def test_a_thousand_datasets_are_a_page_like_any_other() -> None:
    many = FOUND | {"datasets": [dataset(f"bo-{i}", "ok") for i in range(1000)]}
    assert len(Text(status_page.render(many)).rows) == 2 + 2 + 1000
