"""Every query of the cookbook, asked by the analyst of the hand-made province."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from bench.cookbook import PAGE, Question, questions

Query = Callable[..., list[tuple[Any, ...]]]


def test_every_question_of_the_page_is_read() -> None:
    text = PAGE.read_text(encoding="utf-8")
    found = questions()
    assert len(found) == len(re.findall(r"^### ", text, re.MULTILINE)) == text.count("```sql") >= 25
    assert [question.number for question in found] == list(range(1, len(found) + 1))


@pytest.mark.parametrize("question", questions(), ids=lambda question: f"{question.number} {question.en[:40]}")
def test_the_answer_has_rows_or_says_why_not(query: Query, question: Question) -> None:
    rows = query(question.sql, "analyst")
    assert bool(rows) is not bool(question.empty), question.empty or "no row, and the page does not say why"


@pytest.mark.parametrize(
    ("number", "answer"),
    [
        (8, [("27694", "Phường 1"), ("27694", "Phường Long An")]),
        (12, [("xa tan thanh", "Xã Tân Thành (25534), Xã Tân Thạnh (27826)")]),
        (34, [(9,)]),  # 26/4, 2 and 3/5, Saturday 4/5 in lieu of 29/4, 6 to 10/5
    ],
)
def test_what_is_known_from_elsewhere_is_found(query: Query, number: int, answer: list[tuple[Any, ...]]) -> None:
    question = next(question for question in questions() if question.number == number)
    assert [row[: len(answer[0])] for row in query(question.sql, "analyst")] == answer
