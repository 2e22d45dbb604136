"""The pages: both languages, valid by their outline, nothing inline, nothing from elsewhere, everything escaped."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from khochung import portal
from khochung.portal import charts, serve, table, templates, words
from khochung.portal.press import Press
from khochung.portal.table import FLAG
from khochung.release.catalogue import Site
from khochung.settings import PROJECT
from khochung.strict import Text
from tests.portal import sample
from tests.toy_warehouse import Toy

LATE = "dan-so-theo-xa"


class Outline(HTMLParser):
    """Tags in order, with their attributes; scripts that are executed apart from data blocks."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, Path]]:
    root = tmp_path_factory.mktemp("site")
    made = sample.make(root, late=LATE)
    portal.write(made, root)
    yield made, root


def every_page(root: Path) -> list[Path]:
    found = sorted(root.rglob("*.html"))
    assert len(found) > 40
    return found


def test_every_page_is_semantic_and_safe(site: tuple[Site, Path]) -> None:
    for path in every_page(site[1]):
        page = Outline(path.read_text(encoding="utf-8"))
        assert page.all("html")[0]["lang"] in ("vi", "en"), path
        assert len(page.all("h1")) == len(page.all("main")) == 1 <= len(page.all("title")), path
        assert page.all("a")[0]["href"] == "#content", path
        assert len(page.all("table")) == len(page.all("caption")), path
        assert all("scope" in attributes for attributes in page.all("th")), path
        assert not page.all("style"), path
        assert not any(name == "style" or name.startswith("on") for _, a in page.tags for name in a), path
        run = [script for script in page.all("script") if script.get("type") != "application/ld+json"]
        assert all((script["src"] or "").startswith("/assets/") for script in run), path
        ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
        assert len(ids) == len(set(ids)), path
        policy = page.all("meta")[1]["content"] or ""
        assert policy.startswith("default-src 'none'") and "unsafe-inline" not in policy and "http" not in policy, path
        assert ("wasm-unsafe-eval" in policy) == (path.parent.name in ("truy-van", "sql")), path


def test_both_languages_have_the_same_pages_and_lead_to_each_other(site: tuple[Site, Path]) -> None:
    root = site[1]
    for path in every_page(root):
        if path.name == "404.html":
            continue
        page = Outline(path.read_text(encoding="utf-8"))
        here = "/" + path.relative_to(root).as_posix().removesuffix("index.html")
        (switch,) = [a["href"] or "" for a in page.all("a") if a.get("class") == "tongue"]
        assert switch.startswith("/en/") != here.startswith("/en/")
        back = Outline((root / switch.lstrip("/") / "index.html").read_text(encoding="utf-8"))
        assert [a["href"] for a in back.all("a") if a.get("class") == "tongue"] == [here]


def test_whole_addresses_tell_search_engines_of_both_languages(tmp_path: Path) -> None:
    made = replace(sample.make(tmp_path, communes=6), base_url="https://dulieu.example")
    portal.write(made, tmp_path)
    page = Outline((tmp_path / "en/commune/28075/index.html").read_text(encoding="utf-8"))
    links = {a.get("hreflang") or a["rel"]: a["href"] for a in page.all("link")}
    assert links["vi"] == "https://dulieu.example/xa/28075/"
    assert links["en"] == links["canonical"] == "https://dulieu.example/en/commune/28075/"


def test_no_link_is_broken_within_the_pages(site: tuple[Site, Path]) -> None:
    root = site[1]
    anchors = {path: {a["id"] for _, a in Outline(path.read_text()).tags if "id" in a} for path in every_page(root)}
    generated = {"/data/"}
    seen = 0
    for path in anchors:
        for tag, attributes in Outline(path.read_text(encoding="utf-8")).tags:
            for name in ("href", "src"):
                address, _, anchor = (attributes.get(name) or "").partition("#")
                address = address.partition("?")[0]
                if tag == "form" or "://" in address or address.startswith("mailto:"):
                    continue
                target = root / address.lstrip("/") if address else path
                target = target / "index.html" if target.is_dir() or address.endswith("/") else target
                assert target.is_file() or address in generated, f"{path}: {address}"
                assert not anchor or anchor in anchors.get(target, {anchor}), f"{path}: {address}#{anchor}"
                seen += 1
    assert seen > 1000


def test_a_dataset_page_says_what_can_be_had_what_is_late_and_why(site: tuple[Site, Path]) -> None:
    page = (site[1] / "bo-du-lieu/dan-so-theo-xa/index.html").read_text(encoding="utf-8")
    assert 'href="/data/dan-so-theo-xa/v/2025.9.1/dan-so-theo-xa.csv" download' in page
    assert "Không đạt kiểm tra: Tổng khớp" in page and "192 dòng" in page and "2/2 quy tắc đạt" in page
    assert "<i>ẩn</i>" in page and f"residents{FLAG}" in page
    assert "so-sanh/?dataset=dan-so-theo-xa&amp;from=2025.9.0&amp;to=2025.9.1" in page
    english = (site[1] / "en/dataset/dan-so-theo-xa/index.html").read_text(encoding="utf-8")
    assert "Checks failed: Totals agree" in english and "30 September 2025" in english and "<i>hidden</i>" in english
    assert (
        "mailto:" in page and "pd.read_csv" in page and 'dtype={"commune_code": "string"' in page.replace("&#34;", '"')
    )


def test_search_engines_are_told_what_the_page_is_about(site: tuple[Site, Path]) -> None:
    for name, kind in (("index.html", "DataCatalog"), ("en/dataset/dan-so-theo-xa/index.html", "Dataset")):
        text = (site[1] / name).read_text(encoding="utf-8")
        (found,) = re.findall(r'<script type="application/ld\+json">(.*?)</script>', text)
        assert json.loads(found)["@type"] == kind and "<" not in found


def test_a_commune_page_has_its_parts_and_every_indicator(site: tuple[Site, Path]) -> None:
    page = (site[1] / "xa/28084/index.html").read_text(encoding="utf-8")
    assert "<h1>Xã Vàm Cỏ</h1>" in page and "Xã Quê Mỹ Thạnh" in page and "toàn bộ" in page and "40,0%" in page
    for slug in ("dan-so-theo-xa", "su-dung-dat-theo-xa", "doanh-nghiep-dang-hoat-dong"):
        assert f'<h2 id="{slug}">' in page


def test_totals_on_pages_leave_withheld_cells_out_and_say_so(site: tuple[Site, Path]) -> None:
    press_rows = (site[1] / "data/dan-so-theo-xa/v/2025.9.1/dan-so-theo-xa.csv").read_text(encoding="utf-8")
    wanted = withheld = 0
    for line in press_rows.splitlines():
        cells = line.split(",")
        if cells[0] == "2025-09-30" and cells[1] == "28075":
            withheld += cells[6] == "true"
            wanted += int(cells[5] or 0)
    page = (site[1] / "xa/28075/index.html").read_text(encoding="utf-8")
    assert f"<b>{wanted}</b> người" in page and withheld and f"không tính {withheld} ô để trống" in page


def test_what_a_declaration_says_is_escaped(toy: Toy) -> None:
    build_id = toy.build()
    toy.pass_all(build_id)
    toy.verdict(build_id, "dan-so-thu", passed=False)
    toy.publish(build_id, notice=Text(vi="<b>Giả lập</b>", en="<b>Generated</b>"))
    for name in ("index.html", "en/index.html", "bo-du-lieu/don-vi-thu/index.html"):
        text = (toy.settings.public / name).read_text(encoding="utf-8")
        assert "&lt;b&gt;G" in text and "<b>G" not in text
    page = (toy.settings.public / "bo-du-lieu/dan-so-thu/index.html").read_text(encoding="utf-8")
    assert "Chưa được công bố lần nào. Không đạt kiểm tra: Quy tắc" in page
    unit = (toy.settings.public / "bo-du-lieu/don-vi-thu/index.html").read_text(encoding="utf-8")
    assert "Xã &#34;Trà Vong&#34;, cũ" in unit


def test_a_release_makes_only_the_pages_that_it_touches(site: tuple[Site, Path], tmp_path: Path) -> None:
    first = tmp_path / "first"
    made = sample.make(first, communes=8)
    count, linked = portal.write(made, first)
    assert linked == 0
    again = tmp_path / "again"
    assert portal.write(sample.make(again, communes=8), again, first) == (0, count)
    same = [path.relative_to(first) for path in every_page(first)]
    assert all((first / path).samefile(again / path) for path in same)
    third = tmp_path / "third"
    changed = sample.add_version(third, sample.make(third, communes=8), "sinh-tu-theo-thang")
    touched, linked = portal.write(changed, third, first)
    fresh = {str(path) for path in same if not (first / path).samefile(third / path)}
    assert {"bo-du-lieu/sinh-tu-theo-thang/index.html", "index.html", "tinh-trang/index.html"} <= fresh
    assert len(fresh) == touched <= 12 and not any(path.startswith(("xa/", "en/commune/")) for path in fresh)


def test_periods_are_read_out_of_a_table_once_and_again_when_it_changes(site: tuple[Site, Path]) -> None:
    slug = "dan-so-theo-xa"
    content = next(e.latest.content_sha256 for e in site[0].entries if e.dataset.slug == slug and e.latest)
    assert Press(*site).periods[slug] == [content, "2025-06-30", "2025-09-30"]
    assert Press(*site, {slug: [content, "1999-01-31", "1999-02-28"]}).periods[slug][1:] == ["1999-01-31", "1999-02-28"]
    assert Press(*site, {slug: ["other", "1999-01-31", "1999-02-28"]}).periods == Press(*site).periods


def test_the_same_release_gives_the_same_bytes(site: tuple[Site, Path], tmp_path: Path) -> None:
    made = sample.make(tmp_path, late=LATE)
    portal.write(made, tmp_path)
    for path in every_page(site[1]):
        assert path.read_bytes() == (tmp_path / path.relative_to(site[1])).read_bytes(), path


def test_nginx_and_the_local_server_send_the_same_policies() -> None:
    config = (PROJECT / "deploy/nginx.conf").read_text(encoding="utf-8")
    for path, pattern in (
        ("/truy-van/", "~^/(truy-van|en/sql)/(index\\.html)?$"),
        ("/assets/engine/x", "~^/assets/engine/"),
        ("/", "default"),
    ):
        line = next(
            line for line in config.splitlines() if line.strip().startswith(f"{pattern} ") and "default-src" in line
        )
        assert f'"{serve._policy(path)}"' in line, path
    assert serve._policy("/en/sql/") == serve._policy("/truy-van/") != serve._policy("/en/")


def test_nothing_is_drawn_of_what_is_mostly_withheld(tmp_path: Path) -> None:
    sample.make(tmp_path, versions=1)
    dataset = sample.datasets()["sinh-tu-theo-thang"]
    rows = table.read(tmp_path, dataset, "2025.9.0")
    flag = rows.place[f"events{FLAG}"]
    hidden = table.Table(dataset, tuple((*row[:flag], "true", *row[flag + 1 :]) for row in rows.rows))
    speech = words.Speech("vi")
    assert charts.lines(speech, rows) and charts.bars(speech, rows, "sex")
    assert charts.lines(speech, hidden) is None and charts.bars(speech, hidden, "sex") is None
    assert charts.too_much_withheld(rows, 4) and not charts.too_much_withheld(rows, 3)


def test_declared_pictures_name_columns_that_exist() -> None:
    declared = sample.datasets()
    for slug, wanted in charts._declared().items():
        names = {column.name for column in declared[slug].columns}
        assert {wanted[key] for key in ("by", "split") if key in wanted} <= names, slug


def test_numbers_sizes_and_days_follow_the_language() -> None:
    vi, en = words.Speech("vi"), words.Speech("en")
    assert (vi.number(1234567), en.number(1234567)) == ("1.234.567", "1,234,567")
    assert (vi.size(1_234_567), en.size(999), en.size(1000)) == ("1,2 MB", "999 B", "1.0 kB")
    assert (vi.period("2025-07-01"), en.period("2025-07-01")) == ("01/07/2025", "1 July 2025")


def test_every_word_exists_in_both_languages() -> None:
    known = words.table()
    assert known["vi"].keys() == known["en"].keys() and all(text for texts in known.values() for text in texts.values())
    for dataset in sample.datasets().values():
        asked = {dataset.theme, dataset.frequency} | {f"unit:{c.unit}" for c in dataset.columns if c.unit}
        asked |= {f"type:{c.data_type.split('(')[0]}" for c in dataset.columns}
        assert asked <= known["vi"].keys(), dataset.slug


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_contrast_is_at_least_that_of_wcag_aa(scheme: int) -> None:
    """WCAG 2.2: 4.5 to 1 for text (1.4.3), 3 to 1 for what must be seen to be used or read off a chart (1.4.11)."""
    style = templates.asset("assets", "site.css").decode()
    blocks = re.findall(r":root \{([^}]*)\}", style)
    colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", blocks[scheme]))
    pairs = [(t, b, 4.5) for t in ("text", "soft", "link") for b in ("page", "card")]
    pairs += [
        ("good", "good-back", 4.5),
        ("late", "late-back", 4.5),
        ("on-brand", "brand", 4.5),
        ("on-brand", "act", 4.5),
    ]
    pairs += [("good", "card", 4.5), ("late", "card", 4.5), ("edge", "page", 3)]
    pairs += [(f"c{i}", "page", 3) for i in range(4)]
    for text, back, least in pairs:
        high, low = sorted((luminance(colours[text]), luminance(colours[back])), reverse=True)
        assert (high + 0.05) / (low + 0.05) >= least, (text, back)
