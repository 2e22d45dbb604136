"""A policy is part of a dataset: what has none, or too weak a one, is not published."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from khochung import contract
from khochung.errors import ContractError

TOY = Path(__file__).parent.parent / "release" / "toy" / "_toy.yml"


def declared(tmp_path: Path, **changes: Any) -> contract.Dataset:
    """The toy dataset of residents with another policy; a change to None takes the key out."""
    content = yaml.safe_load(TOY.read_text(encoding="utf-8"))
    dataset = content["models"][0]["config"]["meta"]["dataset"]
    policy = {**dataset["disclosure"], **changes}
    dataset["disclosure"] = {key: value for key, value in policy.items() if value is not None}
    if not dataset["disclosure"]:
        del dataset["disclosure"]
    (tmp_path / "_toy.yml").write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    return contract.datasets(tmp_path)["dan-so-thu"]


def test_a_dataset_without_a_policy_is_refused(tmp_path: Path) -> None:
    keys = ("unit", "method", "threshold", "sensitivity", "geography", "vintage", "approver")
    with pytest.raises(ContractError, match=r"disclosure: Field required"):
        declared(tmp_path, **dict.fromkeys(keys))


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"method": "none"}, "needs its `reason`"),
        ({"reason": {"vi": "Vì", "en": "Because"}}, "only it has one"),
        ({"method": "none", "reason": {"vi": "Vì", "en": "Because"}}, "never for counts of people, or of what they have filed"),
        ({"threshold": 9}, "at least 10 for ordinary counts by commune"),
        ({"geography": "province", "vintage": None, "threshold": 4}, "at least 5 for ordinary counts by province"),
        ({"geography": "province", "vintage": None, "threshold": 5, "sensitivity": "sensitive"}, "at least 10 for sensitive"),
        ({"vintage": None}, "a commune needs its `vintage`|needs its `vintage`"),
        ({"unit": "business"}, "cell_key is for counts of people, or of what they have filed"),
        ({"approver": None}, "approver: Field required"),
        ({"parts": {"residents": "households"}}, "disclosure names households, which is no measure"),
        ({"linked": [{"dataset": "x", "by": ["month"], "running": "month"}]}, "is not one of `by`"),
        ({"secrecy": 1}, "Extra inputs"),
    ],
)  # fmt: skip
def test_a_policy_that_is_too_weak_is_refused(tmp_path: Path, changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(ContractError, match=problem):
        declared(tmp_path, **changes)


def test_every_measure_of_a_protected_dataset_can_be_withheld(tmp_path: Path) -> None:
    content = TOY.read_text(encoding="utf-8").replace("residents_suppressed", "residents_hidden")
    (tmp_path / "_toy.yml").write_text(content, encoding="utf-8")
    with pytest.raises(ContractError, match="residents: a protected measure needs its column"):
        contract.datasets(tmp_path)


def test_links_name_datasets_and_columns_that_exist() -> None:
    known = contract.datasets()
    links = [(dataset, link) for dataset in known.values() for link in dataset.disclosure.linked]
    assert links
    for dataset, link in links:
        columns = {column.name for column in dataset.columns} & {c.name for c in known[link.dataset].columns}
        assert {*link.by, *filter(None, [link.running])} <= columns, dataset.slug


def test_what_counts_people_is_protected() -> None:
    methods = {slug: dataset.disclosure.method for slug, dataset in contract.datasets().items()}
    assert {slug for slug, method in methods.items() if method == "cell_key"} == {
        "bao-hiem-theo-xa", "dan-so-theo-xa", "dang-ky-ho-tich-theo-thang", "ho-so-tthc", "ho-so-tthc-theo-linh-vuc",
        "phan-anh-1022-theo-linh-vuc", "sinh-tu-theo-thang", "tai-khoan-dinh-danh", "thanh-toan-truc-tuyen",
    }  # fmt: skip
    assert methods["su-dung-dat-theo-xa"] == "dominance"
