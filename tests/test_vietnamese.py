"""The SQL helpers for Vietnamese text: search without accents, and the order of the dictionary."""

import random
import unicodedata
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from khochung import warehouse
from khochung.settings import Settings
from tests.toy_warehouse import server

__all__ = ["server"]
# The official alphabet (Quyết định 1989/QĐ-BGDĐT, 2018), with f, j, w and z of borrowed words at their Latin places.
ALPHABET = list("aăâbcdđeêfghijklmnoôơpqrstuưvwxyz")
# As a dictionary has them: letters first, tones only among equal letters, capitals last among equals.
SORTED = [
    "An Lục Long", "An Ninh", "ảnh", "Ánh", "ăn", "Ân", "ba", "bà", "Bà", "bả", "bã", "bá", "Bá", "bạ", "Bạ", "Ban", "bàn",
    "Bến Cầu", "Bến Lức", "Bình Thành", "Bình Thạnh", "Cao Đài", "Cần Đước", "Cần Giuộc", "Dân", "Dương Minh Châu", "Đà",
    "Đức Hòa", "Đức Huệ", "Em", "Êm", "Gò Dầu", "Hòa Thành", "hoa thơm", "Hưng Điền", "Lộc Ninh", "Lương Hòa", "Ngọc",
    "Nhơn Hòa Lập", "Ớt", "Phước Vinh", "Phường", "Phường 1", "Phường 2", "Quý", "Tân Hòa", "Tân Thành", "Tân Thạnh",
    "Thủ Thừa", "Trảng Bàng", "Tuyên Bình", "Ưu", "Vàm Cỏ", "Xã", "Xá", "Yên",
]  # fmt: skip

Ask = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def ask(server: Settings) -> Ask:
    """Runs SQL as the analyst."""

    def run(statement: str, *values: Any) -> list[tuple[Any, ...]]:
        with warehouse.connect(server, "analyst") as connection:
            return connection.execute(statement, values).fetchall()

    return run


def sorted_by_key(ask: Ask, texts: list[str]) -> list[str]:
    shuffled = random.Random(80).sample(texts, len(texts))
    return [text for (text,) in ask("select t from unnest(%s::text[]) as t order by lib.vi_sort_key(t)", shuffled)]


def test_letters_stand_in_the_order_of_the_alphabet(ask: Ask) -> None:
    assert sorted_by_key(ask, ALPHABET) == ALPHABET


@pytest.mark.parametrize("vowel", list("aăâeêioôơuưy"))
def test_tones_stand_in_the_order_of_the_dictionary(ask: Ask, vowel: str) -> None:
    """ngang, huyền, hỏi, ngã, sắc, nặng; the small letter before the capital."""
    tones = [
        unicodedata.normalize("NFC", vowel + tone) for tone in ("", "\u0300", "\u0309", "\u0303", "\u0301", "\u0323")
    ]
    expected = [letter for tone in tones for letter in (tone, tone.upper())]
    assert sorted_by_key(ask, expected) == expected


def test_names_stand_as_in_a_dictionary(ask: Ask) -> None:
    assert sorted_by_key(ask, SORTED) == SORTED


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("Đức Hòa", "duc hoa"), ("ĐỨC HOÀ", "duc hoa"), ("\u00d0ức\u00a0Hòa ", "duc hoa"), ("Thạnh Phú", "thanh phu"),
        ("Thành Phú", "thanh phu"), (unicodedata.normalize("NFD", "Đường số 9, Xã Mỹ Lệ"), "duong so 9 xa my le"),
        ("ỄỘỬỸẶ", "eouya"), ("", ""), ("…", ""),
    ],
)  # fmt: skip
def test_search_needs_no_accents(ask: Ask, written: str, found: str) -> None:
    assert ask("select lib.vi_search(%s)", written) == [(found,)]


def test_every_letter_has_a_plain_one(ask: Ask) -> None:
    """No accented letter is left in what search compares, and none falls out of it."""
    tones = ("", "\u0300", "\u0309", "\u0303", "\u0301", "\u0323")
    letters = [unicodedata.normalize("NFC", letter + tone) for letter in "aăâeêioôơuưy" for tone in tones] + ["đ"]
    for letter in letters:
        plain = "d" if letter == "đ" else unicodedata.normalize("NFD", letter)[0]
        assert ask("select lib.vi_search(%s), lib.vi_search(%s)", letter, letter.upper()) == [(plain, plain)]


def test_nothing_said_is_nothing_found(ask: Ask) -> None:
    assert ask("select lib.vi_search(null), lib.vi_sort_key(null)") == [(None, None)]


def test_both_serve_in_an_index(server: Settings) -> None:
    """An expression index takes immutable functions only, and answers the search."""
    with psycopg.connect(**warehouse.parameters(server, "transformer")) as connection:
        connection.execute("create temp table place as select 'Xã ' || n as name from generate_series(1, 20000) as n")
        connection.execute("create index on place (lib.vi_search(name))")
        connection.execute("create index on place (lib.vi_sort_key(name))")
        connection.execute("analyze place")
        plan = connection.execute(
            "explain select name from place where lib.vi_search(name) = lib.vi_search('XA 77')"
        ).fetchall()
        ordered = connection.execute("explain select name from place order by lib.vi_sort_key(name) limit 5").fetchall()
    assert "Index" in str(plan) and "Index Scan" in str(ordered)
