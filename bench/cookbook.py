"""The questions of docs/cookbook.md with their SQL."""

import re
from dataclasses import dataclass

from khochung.settings import REPOSITORY

PAGE = REPOSITORY / "docs" / "cookbook.md"
_QUESTION = re.compile(
    r"^### (?P<number>\d+)\. (?P<vi>[^\n]+)\n\*(?P<en>[^\n]+)\*\n\n```sql\n(?P<sql>.*?)\n```\n(?:\n\*(?P<empty>Không có dòng nào[^\n]+)\*\n)?",
    re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True)
class Question:
    """One question in both languages. empty: why the hand-made province has no row for it; '' where it has some."""

    number: int
    vi: str
    en: str
    sql: str
    empty: str


def questions() -> list[Question]:
    """Every question of the page, in its order."""
    text = PAGE.read_text(encoding="utf-8")
    return [
        Question(int(found["number"]), found["vi"], found["en"], found["sql"], found["empty"] or "")
        for found in _QUESTION.finditer(text)
    ]
