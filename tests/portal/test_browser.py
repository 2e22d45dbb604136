"""What people do, in a real browser: find, understand, download, compare, query; without a mouse, without JavaScript."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from khochung.portal import LANGUAGES
from khochung.portal.addresses import address as address_of
from tests.portal.conftest import Visit

HERE = Path(__file__).parent
CASES = json.loads((HERE / "cases.json").read_text(encoding="utf-8"))["search"]
LAND = "su-dung-dat-theo-xa"
PAGES = (
    ("home", ""), ("catalogue", ""), ("dataset", LAND), ("dataset", "dan-so-theo-xa"), ("dataset", "sinh-tu-theo-thang"),
    ("commune", "28084"), ("communes", ""), ("sql", ""), ("compare", ""), ("status", ""), ("statements", ""),
    ("developers", ""), ("withdrawals", ""),
)  # fmt: skip


def test_search_finds_as_the_table_says(visit: Visit) -> None:
    page = visit.page
    page.goto("/bo-du-lieu/")
    for case in CASES:
        page.fill("#q", case["q"])
        first = page.locator(".results > li").first
        if case["place"]:
            page.locator(f".found li:first-child a[href='/xa/{case['place']}/']").wait_for()
        if case["dataset"]:
            page.locator(f".results > li:first-child#{case['dataset']}").wait_for()
        assert first.is_visible()


def test_a_newcomer_finds_the_land_use_of_tan_tru_and_has_the_whole_file(visit: Visit, public: Path) -> None:
    page = visit.page
    page.goto("/")
    page.get_by_role("searchbox").fill("dat dai tan tru")
    page.locator(".found").get_by_role("link", name="Diện tích sử dụng đất theo xã và loại đất").first.click()
    assert page.url == f"{visit.address}/xa/28075/#{LAND}"
    page.get_by_role("link", name="Diện tích sử dụng đất theo xã và loại đất").last.click()
    assert "2/2 quy tắc đạt" in page.inner_text(".trust")
    with page.expect_download() as download:
        page.locator(".files a.first").click()
    got = Path(download.value.path()).read_bytes()
    assert got == (public / f"data/{LAND}/v/2025.9.1/{LAND}.csv").read_bytes()


def test_facets_and_query_stand_in_the_address_and_the_language_switch_keeps_them(visit: Visit) -> None:
    page = visit.page
    page.goto("/bo-du-lieu/?theme=land")
    assert [item.get_attribute("id") for item in page.locator(".results > li").all()] == [LAND]
    page.fill("#q", "đất")
    page.wait_for_url("**/bo-du-lieu/?theme=land&q=*")
    page.get_by_role("link", name="English").click()
    assert page.url.startswith(f"{visit.address}/en/dataset/?theme=land&q=")
    assert page.input_value("#q") == "đất" and page.input_value("#f-theme") == "land"
    page.goto(f"/bo-du-lieu/{LAND}/")
    page.get_by_role("link", name="English").click()
    assert page.url == f"{visit.address}/en/dataset/{LAND}/"


def test_two_versions_are_compared(visit: Visit) -> None:
    page = visit.page
    page.goto("/bo-du-lieu/dan-so-theo-xa/")
    page.get_by_role("link", name="So sánh hai phiên bản gần nhất").click()
    page.get_by_text("Thêm 0, bớt 0, sửa 1 dòng.").wait_for()
    row = page.locator(".difference tbody tr").inner_text()
    assert "Xã Tân Trụ" not in row and "Nam" in row and "Số dân: 11 → 12" in row


def test_the_whole_table_is_sorted_and_filtered_and_the_address_says_how(visit: Visit) -> None:
    page = visit.page
    page.goto("/bo-du-lieu/dan-so-theo-xa/")
    page.get_by_role("button", name="Lọc, sắp xếp toàn bộ bảng").click()
    page.get_by_label("Lọc theo chữ bất kỳ").fill("tan tru nu 00-04")
    page.get_by_role("button", name="Số dân").click()
    caption = page.locator(".preview caption")
    assert caption.inner_text().startswith("4 / 192 dòng")
    numbers = [cell.inner_text() for cell in page.locator(".preview tbody td:last-child").all()]
    full = [int(number) for number in numbers if number != "ẩn"]
    assert full == sorted(full) and "filter=tan+tru+nu+00-04&sort=residents" in page.url
    page.reload()
    page.locator(".preview th[aria-sort=ascending]").wait_for()
    assert caption.inner_text().startswith("4 / 192 dòng")


def test_sql_runs_in_the_page(visit: Visit) -> None:
    page = visit.page
    page.goto(f"/en/sql/?dataset={LAND}")
    query = "select commune_name, count(*) as n from land_use_by_commune where vi_search(commune_name) = 'xa tan tru' group by all"
    page.get_by_label("Query").fill(query)
    page.get_by_role("button", name="Run").click()
    page.locator(".answer tbody td").first.wait_for(timeout=60_000)
    assert [cell.inner_text() for cell in page.locator(".answer tbody td").all()] == ["Xã Tân Trụ", "3"]
    page.get_by_label("Query").fill("select 1 +")
    page.get_by_role("button", name="Run").click()
    page.locator(".answer .held").wait_for()
    assert "Parser Error" in page.inner_text(".answer")


def test_the_main_way_can_be_gone_with_the_keyboard_alone(visit: Visit) -> None:
    page = visit.page
    page.goto("/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "q"
    page.keyboard.type("dan so")
    page.locator(".found li").first.wait_for()
    for _ in range(2):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/bo-du-lieu/dan-so-theo-xa/")
    with page.expect_download() as download:
        tab_to(page, "a.first")
        page.keyboard.press("Enter")
    assert download.value.suggested_filename == "dan-so-theo-xa.csv"
    tab_to(page, ".trust summary")
    page.keyboard.press("Enter")
    assert page.locator(".trust .checks").first.is_visible()
    page.goto("/so-sanh/?dataset=dan-so-theo-xa&from=2025.9.0&to=2025.9.0")
    tab_to(page, "#to")
    page.keyboard.press("ArrowUp")
    page.get_by_text("Thêm 0, bớt 0, sửa 1 dòng.").wait_for()


def tab_to(page: Any, wanted: str) -> None:
    """Press Tab until the focus is where somebody wants to be; it gets everywhere or this fails."""
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate("(wanted) => document.activeElement.matches(wanted)", wanted):
            return
    raise AssertionError(f"the keyboard does not get to {wanted}")


def test_without_javascript_everything_can_be_read_and_downloaded(browser: Any, address: str, public: Path) -> None:
    visit = Visit(browser, address, java_script_enabled=False)
    page = visit.page
    page.goto("/bo-du-lieu/")
    count = len(list((public / "data").iterdir()))
    assert page.locator(".results > li").count() == count and not page.locator(".narrow").is_visible()
    page.locator(f"#{LAND} a").click()
    assert page.locator(".preview tbody tr").count() == 10
    with page.expect_download() as download:
        page.locator(".files a").first.click()
    assert Path(download.value.path()).stat().st_size == (public / f"data/{LAND}/v/2025.9.1/{LAND}.csv").stat().st_size
    for path in ("/truy-van/", "/so-sanh/"):
        page.goto(path)
        assert page.locator("noscript .held, .held").first.is_visible() and not page.locator("main form").is_visible()
    visit.close()


def test_a_wrong_address_is_answered_in_both_languages(browser: Any, address: str) -> None:
    visit = Visit(browser, address)
    answer = visit.page.goto("/bo-du-lieu/khong-co/")
    assert answer.status == 404 and "Không tìm thấy" in visit.page.inner_text("h1")
    assert "This page was not found" in visit.page.inner_text("main")
    visit.problems.clear()  # the browser calls the answer itself an error
    visit.close()


@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_page_breaks_wcag_or_runs_over_a_narrow_screen(browser: Any, address: str, lang: str) -> None:
    """axe-core, WCAG 2.2 AA and its best practices, at 320 px; Vietnamese in light colours, English in dark ones."""
    from axe_playwright_python.sync_playwright import Axe

    scheme = "light" if lang == "vi" else "dark"
    visit = Visit(browser, address, viewport={"width": 320, "height": 700}, color_scheme=scheme)
    axe = Axe()
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    for name, key in PAGES:
        path = address_of(name, lang, key)
        visit.page.goto(path)
        visit.page.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))")
        found = axe.run(visit.page, options={"runOnly": {"type": "tag", "values": tags}})
        wrong = [(v["id"], [node["html"][:200] for node in v["nodes"][:3]]) for v in found.response["violations"]]
        assert not wrong, (path, wrong)
        over = visit.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert over == 0, f"{path} is {over} px too wide"
    visit.close()


@pytest.mark.parametrize(
    ("path", "most"), [("/", 100_000), (f"/bo-du-lieu/{LAND}/", 200_000), ("/bo-du-lieu/", 200_000)]
)
def test_pages_are_light(visit: Visit, path: str, most: int) -> None:
    """Bytes before anybody does anything, uncompressed: on the wire it is a quarter."""
    sizes: list[int] = []
    visit.page.on("response", lambda response: sizes.append(len(response.body())))
    visit.page.goto(path, wait_until="networkidle")
    assert 0 < sum(sizes) <= most, sizes


def test_every_page_is_valid_html(public: Path) -> None:
    jar = HERE.parents[1] / "portal_src/node_modules/vnu-jar/build/dist/vnu.jar"
    if not (jar.is_file() and shutil.which("java")):
        pytest.skip("Java and `npm ci` in portal_src/ are needed for the validator of the Nu HTML checker")
    pages = [str(path) for path in sorted(public.rglob("*.html"))]
    command = ["java", "-jar", str(jar), "--errors-only", "--stdout", *pages]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout[:3000]
