"""The first page: both languages, no script, nothing from elsewhere, and everything escaped."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from khochung import portal
from khochung.strict import Text
from tests.toy_warehouse import Toy


class Outline(HTMLParser):
    """Tags in order, with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture
def public(toy: Toy) -> Path:
    toy.sql("update open_data.toy_residents set residents = 3 where residents = 15")
    build_id = toy.build()
    toy.pass_all(build_id)
    toy.verdict(build_id, "dan-so-thu", passed=False)
    toy.publish(build_id, notice=Text(vi="<b>Giả lập</b>", en="<b>Generated</b>"))
    return toy.settings.public


@pytest.mark.parametrize(("lang", "path"), portal.LANGUAGES.items())
def test_a_page_is_semantic_and_safe(public: Path, lang: str, path: str) -> None:
    text = (public / path).read_text(encoding="utf-8")
    page = Outline(text)
    assert page.all("html") == [{"lang": lang}]
    assert len(page.all("h1")) == len(page.all("main")) == 1
    assert page.all("a")[0]["href"] == "#datasets"
    assert len(page.all("table")) == len(page.all("caption"))
    assert all("scope" in attributes for attributes in page.all("th"))
    assert not page.all("script") and not page.all("style")
    assert not any(name == "style" or name.startswith("on") for _, attributes in page.tags for name in attributes)
    assert "default-src 'none'" in (page.all("meta")[1]["content"] or "")
    loaded = [
        attributes["href"] or "" for attributes in page.all("link") if attributes["rel"] in ("stylesheet", "icon")
    ]
    assert all(re.fullmatch(r"/assets/\w+\.[0-9a-f]{10}\.(css|svg)", address) for address in loaded)
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert "&lt;b&gt;" in text and "<b>Giả lập" not in text and "<b>Generated" not in text


def test_a_page_says_what_can_be_had_and_what_is_late(public: Path) -> None:
    page = (public / "index.html").read_text(encoding="utf-8")
    assert "2 bộ dữ liệu, 3 dòng" in page
    assert "Chưa được công bố lần nào. Không đạt kiểm tra: Quy tắc" in page
    assert "2/2 quy tắc đạt" in page
    for suffix in ("csv", "csv.gz", "json", "parquet"):
        assert f'href="/data/don-vi-thu/v/2025.9.0/don-vi-thu.{suffix}" download' in page
    english = (public / "en/index.html").read_text(encoding="utf-8")
    assert "Not yet published." in english and "2 of 2 checks passed" in english and "30 September 2025" in english


def test_every_word_exists_in_both_languages() -> None:
    words = portal._words()
    assert words["vi"].keys() == words["en"].keys()
    assert all(text for texts in words.values() for text in texts.values())


def test_numbers_sizes_and_days_follow_the_language() -> None:
    assert (portal._number("vi")(1234567), portal._number("en")(1234567)) == ("1.234.567", "1,234,567")
    assert (portal._size("vi")(1_234_567), portal._size("en")(999), portal._size("en")(1000)) == (
        "1,2 MB",
        "999 B",
        "1.0 kB",
    )


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_contrast_is_at_least_that_of_wcag_aa(scheme: int) -> None:
    """WCAG 2.2, 1.4.3: 4.5 to 1 for text."""
    style = portal._read("assets", "site.css").decode()
    blocks = re.findall(r":root \{([^}]*)\}", style)
    colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", blocks[scheme]))
    pairs = [(t, b) for t in ("text", "soft", "link") for b in ("page", "card")]
    pairs += [("good", "good-back"), ("late", "late-back"), ("link", "good-back")]
    for text, back in pairs:
        high, low = sorted((luminance(colours[text]), luminance(colours[back])), reverse=True)
        assert (high + 0.05) / (low + 0.05) >= 4.5, (text, back)
