"""Every issue code is explained to the clerk who mends it, and none is explained that nobody raises."""

import csv
import re

import pytest

from khochung.settings import REPOSITORY

PROJECT = REPOSITORY / "dbt_project"
WORDS = ("title_vi", "title_en", "remedy_vi", "remedy_en")
# `field|CODE|` in SQL, the second argument of the macro issue(), what registers say differently of one person, and what the
# loader sets rows aside with.
RAISED = re.compile(r"\|([A-Z_]{5,})\||issue\(\s*'\w+',\s*'([A-Z_]+)'|issue\(field, '([A-Z_]+)'")
COMPARED = re.compile(r"'([A-Z]+(?:_[A-Z]+)+)'")
SET_ASIDE = re.compile(r'"(KEY_[A-Z_]+|TYPE_[A-Z_]+)"')


def explained() -> dict[str, dict[str, str]]:
    with (PROJECT / "seeds" / "issue_code.csv").open(encoding="utf-8", newline="") as stream:
        return {row["issue_code"]: row for row in csv.DictReader(stream)}


def raised() -> set[str]:
    sql = [*(PROJECT / "models" / "staging").rglob("*.sql"), PROJECT / "macros" / "issues.sql"]
    found = {
        code for path in sql for codes in RAISED.findall(path.read_text(encoding="utf-8")) for code in codes if code
    }
    conflicts = sorted((PROJECT / "models" / "intermediate").glob("*/int_*__conflict.sql"))
    assert len(conflicts) == 2
    found |= {code for path in conflicts for code in COMPARED.findall(path.read_text(encoding="utf-8"))}
    loader = sorted((REPOSITORY / "khochung").rglob("*.py"))
    return found | {code for path in loader for code in SET_ASIDE.findall(path.read_text(encoding="utf-8"))}


def test_codes_raised_are_codes_explained() -> None:
    assert len(raised()) >= 32
    assert raised() == set(explained())


@pytest.mark.parametrize("code", explained())
def test_an_explanation_is_for_a_clerk(code: str) -> None:
    row = explained()[code]
    for name in WORDS:
        assert len(row[name].split()) >= 4, f"{code}: {name} says too little"
        assert not re.search(r"[a-z]_[a-z]|[A-Z]_[A-Z]", row[name]), f"{code}: {name} speaks of code"
    for name in ("title_vi", "remedy_vi"):
        assert re.search("[ăâđêôơưạảấầẩậắằặẹẻẽếềểệỉịọỏốồổộớờởợụủứừửữựỳỵỷỹáàãéèíìóòõúùý]", row[name]), f"{code}: {name}"
    for name in ("remedy_vi", "remedy_en"):
        assert row[name].endswith("."), f"{code}: {name} is a sentence"
    assert row["title_vi"] != row["remedy_vi"]
