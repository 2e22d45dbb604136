"""Publishing from end to end on the toy warehouse."""

import json
from datetime import date

import pytest

from khochung import release
from khochung.errors import GateError
from tests.toy_warehouse import Toy


def states(made: release.Release) -> dict[str, tuple[str | None, str]]:
    return {item.slug: (item.version, item.state) for item in made.items}


def test_the_gate_and_the_release_work_together(toy: Toy) -> None:
    build_id = toy.build()
    verdicts = toy.judge(build_id)
    assert [verdict.passed for verdict in verdicts] == [True, True]
    made = toy.publish(build_id)
    assert made.created
    assert states(made) == {"dan-so-thu": ("2025.9.0", "new"), "don-vi-thu": ("2025.9.0", "new")}
    csv = (toy.settings.public / "data/dan-so-thu/latest/dan-so-thu.csv").read_text(encoding="utf-8")
    assert csv == "commune_code,sex_code,residents\n25510,1,120\n25510,2,131\n28036,1,\n28036,2,15\n"
    assert release.verify(toy.settings.public).versions == 2
    quality = json.loads((toy.settings.public / "data/don-vi-thu/latest/quality.json").read_text(encoding="utf-8"))
    assert [check["passed"] for check in quality["checks"]] == [True, False]
