"""One file says which province is served, and nothing else knows one by name, code or number."""

import ast
import csv
import os
import re
from pathlib import Path

import pytest

from khochung import contract, gate, province
from khochung.errors import ConfigurationError, ContractError, GateError
from khochung.settings import REPOSITORY, Settings
from simulator import province as stand_in

DATA = REPOSITORY / "simulator" / "data"
# What tells one province from another: in rules and programs they may stand in comments and docstrings only.
NAMES = {text for one in province.declared().values() for p in one.predecessors for text in (p.name.vi, p.name.en)}
AGENCIES = {p.agency_prefix for one in province.declared().values() for p in one.predecessors}
CODES = {code for one in province.declared().values() for code in one.codes}
PLACE = re.compile("|".join([*sorted(NAMES), *(rf"\b{prefix}\b" for prefix in sorted(AGENCIES))]), re.IGNORECASE)
QUOTED_CODE = re.compile(rf"""(['"])({"|".join(sorted(CODES))})\1""")


def communes() -> set[str]:
    """Codes of every commune and district of every declared province."""
    lists = [csv.DictReader(path.open(encoding="utf-8")) for path in DATA.glob("*/units.csv")]
    return {row["ma"] for rows in lists for row in rows if len(row["ma"]) > 2}


COMMUNES = communes()


def literals(text: str) -> list[str]:
    """What in a text belongs to one province."""
    numbers = [number for number in re.findall(r"(?<![\w.-])[0-9]{5}(?![\w.-])", text) if number in COMMUNES]
    return [*PLACE.findall(text), *(match[1] for match in QUOTED_CODE.findall(text)), *numbers]


def without_comments(path: Path) -> str:
    """SQL and Jinja without comments; YAML and JSON as they are; of Python the texts, without docstrings."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".sql":
        return re.sub(r"--[^\n]*|\{#.*?#\}", "", text, flags=re.DOTALL)
    return "\n".join(_values(ast.parse(text))) if path.suffix == ".py" else text


def _values(tree: ast.AST) -> list[str]:
    spoken = {
        id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    constants = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in spoken]
    return [repr(node.value) for node in constants if isinstance(node.value, str)]


def rules() -> list[Path]:
    """Everything that must serve any province; examples of unit tests and the national code lists aside."""
    folders = ("dbt_project/models", "dbt_project/macros", "dbt_project/tests", "expectations", "khochung", "dags")
    found = [path for folder in folders for path in (REPOSITORY / folder).rglob("*.*")]
    return sorted(
        path for path in found
        if path.suffix in (".sql", ".yml", ".json", ".py", ".html") and "unit_tests" not in path.name
    )  # fmt: skip


def test_no_rule_and_no_program_knows_a_province() -> None:
    assert len(rules()) > 200
    found = {str(path.relative_to(REPOSITORY)): literals(without_comments(path)) for path in rules()}
    assert {path: words for path, words in found.items() if words} == {}


def test_the_stand_in_knows_provinces_by_their_folders_only() -> None:
    """Two-digit codes of other provinces are drawn from when people move, so only names and communes are looked for."""
    paths = sorted(path for path in (REPOSITORY / "simulator").rglob("*.py") if path.parent != DATA)
    assert len(paths) > 20
    found = {path.name: set(literals(without_comments(path))) - CODES for path in paths}
    assert {name: words for name, words in found.items() if words} == {}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("when agency_code like 'H39%' then", ["H39"]),
        ("province_code = '80'", ["80"]),
        ("Công an tỉnh Hậu Giang", ["Hậu Giang"]),
        ("where commune_code = '27694'", ["27694"]),
        ("limit 80 offset 12345", []),
    ],
)
def test_what_counts_as_a_province_in_a_text(text: str, found: list[str]) -> None:
    assert literals(text) == found


@pytest.mark.parametrize("code", sorted(province.declared()))
def test_the_stand_in_plays_the_province_that_is_declared(code: str) -> None:
    declared, played = province.of(code), stand_in.load(code)
    assert played.code == declared.code and played.title == declared.name.vi
    assert [(p.code, p.agency_code, p.meridian) for p in played.parts] == [
        (p.code, p.agency_prefix, p.meridian) for p in declared.predecessors
    ]
    units = played.rows("units.csv")
    assert sum(row["cap"] == "XA" and not row["den_ngay"] for row in units) == declared.communes
    provinces = {row["ma"] for row in units if row["cap"] == "TINH" and row["den_ngay"]}
    assert provinces == {p.code for p in declared.predecessors}


def test_a_former_province_asks_for_what_it_has_become(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(province.VARIABLE, "93")
    assert province.served().code == "92"
    monkeypatch.delenv(province.VARIABLE)
    assert province.served().code == stand_in.DEFAULT
    with pytest.raises(ConfigurationError, match=r"KHOCHUNG_PROVINCE=01.*72, 80, 92, 93, 94"):
        province.of("01")


def test_datasets_are_published_by_the_province_that_is_served(monkeypatch: pytest.MonkeyPatch) -> None:
    own = contract.datasets()["sinh-tu-theo-thang"]
    monkeypatch.setenv(province.VARIABLE, "94")
    other = contract.datasets()["sinh-tu-theo-thang"]
    assert (own.publisher.vi, other.publisher.en) == ("Công an tỉnh Tây Ninh", "Police of Cần Thơ City")
    codes = [next(c.codes or {} for c in dataset.columns if c.name == "former_province") for dataset in (own, other)]
    assert [sorted(listed) for listed in codes] == [["72", "80"], ["92", "93", "94"]]
    assert codes[1]["93"].vi == "Hậu Giang (trước 1/7/2025)"
    assert other.contact != own.contact


def test_a_suite_takes_its_bounds_from_the_province(monkeypatch: pytest.MonkeyPatch) -> None:
    path = REPOSITORY / "expectations" / "open_data" / "dan-so-theo-xa.json"
    own = gate.suite_sha256(path)
    monkeypatch.setenv(province.VARIABLE, "92")
    suite = gate.read_suite(path, "dan-so-theo-xa")
    counted = [e for e in suite.expectations if e.kwargs.get("max_value") == 103]
    assert [e.meta.en for e in counted] == ["Exactly 103 different values of commune_code"]
    assert gate.suite_sha256(path) != own


def test_a_parameter_that_no_province_gives_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text('{"name": "x", "subject": "x", "expectations": ["$districts"]}', encoding="utf-8")
    with pytest.raises(GateError, match=r"\$districts is nothing that a province gives"):
        gate.read_suite(path, "x")
    text = (REPOSITORY / "dbt_project/models/open_data/_births_deaths_by_month.yml").read_text(encoding="utf-8")
    (tmp_path / "_x.yml").write_text(text.replace("$former_provinces", "$rivers"), encoding="utf-8")
    with pytest.raises(ContractError, match=r"\$rivers is nothing that a province gives"):
        contract.datasets(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("agency_prefix: H39", "agency_prefix: 39"), "agency_prefix"),
        (("communes: 96", "communes: many"), "communes"),
        (("communes: 96", "commune: 96"), "commune"),
        (('code: "80"\nname', 'code: "81"\nname'), "its name must be 81.yml"),
        (("H53", "H39"), "two predecessors have one agency_prefix"),
    ],
)
def test_a_malformed_province_is_refused(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    text = (province.FOLDER / "80.yml").read_text(encoding="utf-8")
    assert change[0] in text
    (tmp_path / "80.yml").write_text(text.replace(*change), encoding="utf-8")
    with pytest.raises(ConfigurationError, match=re.escape(message)):
        province.declared(tmp_path)


def test_a_home_is_bound_to_one_province(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(province.VARIABLE, "")
    settings = Settings(tmp_path / "home")
    assert province.serve(settings, "93").code == "92"
    assert os.environ[province.VARIABLE] == "92"
    monkeypatch.setenv(province.VARIABLE, "")
    province.recall(settings)
    assert province.served().code == "92"
    with pytest.raises(ConfigurationError, match="holds the data of province 92, not of 80"):
        province.serve(settings, "72")
