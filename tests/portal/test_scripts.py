"""The scripts of the pages: built from their sources, small, and of one mind with Python and SQL about Vietnamese."""

import gzip
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from khochung import portal
from khochung.portal import templates
from khochung.portal.search import spelled_out
from khochung.portal.vietnamese import fold, sort_key
from tests.portal import sample
from tests.toy_warehouse import Toy

HERE = Path(__file__).parent
SOURCES = HERE.parents[1] / "portal_src"
CASES = json.loads((HERE / "cases.json").read_text(encoding="utf-8"))
node = pytest.mark.skipif(
    not (shutil.which("node") and (SOURCES / "node_modules").exists()),
    reason="Node and its packages are needed: run `npm ci` in portal_src/",
)


@pytest.mark.parametrize(("text", "folded"), CASES["fold"])
def test_python_folds_as_the_table_says(text: str, folded: str) -> None:
    assert fold(text) == folded


def test_sql_folds_as_the_table_says(toy: Toy) -> None:
    cases = json.dumps(CASES["fold"]).replace("'", "''")
    query = f"select e->>0, e->>1, lib.vi_search(e->>0) from jsonb_array_elements('{cases}'::jsonb) as e"
    found = toy.sql(query)
    assert len(found) == len(CASES["fold"]) and all(wanted == got for _, wanted, got in found), found


@node
def test_scripts_fold_and_find_as_the_table_says(tmp_path: Path) -> None:
    portal.write(sample.make(tmp_path, versions=1), tmp_path)
    run = subprocess.run(
        ["node", "--test", "test/"],
        cwd=SOURCES, env=os.environ | {"INDEX": str(tmp_path / "api/v1/search.vi.json")},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout[-4000:]
    assert run.stdout.count("ok ") >= len(CASES["fold"]) + len(CASES["search"])


@node
def test_the_committed_bundles_are_those_of_their_sources() -> None:
    run = subprocess.run(["node", "build.mjs", "--check"], cwd=SOURCES, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


def test_our_own_scripts_weigh_little() -> None:
    """35 kB at most, compressed, all of them together; the SQL engine is fetched when a query is run."""
    scripts = [templates.asset_bytes(name) for name in templates.ASSETS if name.endswith(".js")]
    assert len(scripts) == 4 and all(scripts)
    assert sum(len(gzip.compress(script)) for script in scripts) <= 35_000


def test_every_spelling_leads_to_the_others() -> None:
    assert "ĐKKD" in spelled_out("Đăng ký doanh nghiệp theo tháng")
    assert "thủ tục hành chính" in spelled_out("Danh mục TTHC")
    assert spelled_out("mưa") == ""


def test_names_stand_in_the_order_of_the_dictionary() -> None:
    names = ["Đức Hòa", "Dương Minh Châu", "Âu Cơ", "An Ninh", "Ăn Thịnh", "Châu Thành", "Cần Đước"]
    assert sorted(names, key=sort_key) == [
        "An Ninh", "Ăn Thịnh", "Âu Cơ", "Cần Đước", "Châu Thành", "Dương Minh Châu", "Đức Hòa",
    ]  # fmt: skip
