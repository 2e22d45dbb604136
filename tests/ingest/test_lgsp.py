"""The LGSP connector: pages that move and grow, and what the answers may hold."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from starlette.responses import Response

from khochung.contract import Source
from khochung.errors import ContractError, KhoChungError, SourceUnavailableError
from khochung.extract import EXTRA, Window, open_delivery
from khochung.extract.session import Session
from tests.ingest.toy_gateway import KEY, SECRET, WINDOW, Gateway, ids, make_rows, read, running
from tests.ingest.toy_source import make_source

PAGINGS = ["page", "offset", "cursor"]


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gateway]:
    monkeypatch.setattr(Session, "_sleep", lambda *_: None)
    with running(Gateway()) as made:
        for name, value in {"URL": made.url, "KEY": KEY, "SECRET": SECRET}.items():
            monkeypatch.setenv(f"KHOCHUNG_SOURCE_TOY_{name}", value)
        yield made


@pytest.mark.parametrize("by", PAGINGS)
@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5, 6, 9, 10, 40])
def test_no_page_is_lost(gateway: Gateway, count: int, by: str) -> None:
    gateway.rows = make_rows(count)
    assert read(paging={"by": by}) == (ids(count), count, set())


def test_the_names_in_the_query_are_the_contracts(gateway: Gateway) -> None:
    read()
    assert {frozenset(query) for query in gateway.seen} == {frozenset({"page", "pageSize", "updated_before"})}
    gateway.seen.clear()
    read(paging={"by": "offset", "size": 4})
    assert {query["limit"] for query in gateway.seen} == {"4"}
    assert gateway.seen[0]["offset"] == "0"


def test_a_service_that_counts_pages_from_zero(gateway: Gateway) -> None:
    gateway._place = lambda query: (int(query["so"]) * 3, 3)  # type: ignore[method-assign]
    assert read(paging={"first": 0, "parameter": "so"})[0] == ids(10)


def test_the_window_is_asked_for(gateway: Gateway) -> None:
    start = datetime(2025, 8, 30, tzinfo=UTC)
    read(Window(WINDOW.as_of, start, WINDOW.end), load="cursor", cursor="changed_at")
    assert gateway.seen[0]["updated_since"] == start.isoformat()
    assert gateway.seen[0]["updated_before"] == WINDOW.end.isoformat()


def test_today_ends_before_we_ask(gateway: Gateway) -> None:
    now = datetime.now(UTC)
    for end, capped in (
        (now + timedelta(hours=6), True),
        (now + timedelta(days=2), False),
        (now - timedelta(days=2), False),
    ):
        read(Window(now.date(), None, end))
        asked = datetime.fromisoformat(gateway.seen[-1]["updated_before"])
        assert (now - timedelta(seconds=1) <= asked <= datetime.now(UTC)) if capped else asked == end


def test_a_query_in_the_path_stays(gateway: Gateway) -> None:
    read(path="/thing?kind=a")
    assert {query["kind"] for query in gateway.seen} == {"a"}


def test_the_total_grows_while_we_read(gateway: Gateway) -> None:
    def grow(number: int) -> None:
        if number == 4:
            gateway.rows += make_rows(17)[12:]

    gateway.rows, gateway.after_page = make_rows(12), grow
    assert read() == (ids(17), 17, set())


def test_the_total_falls_while_we_read_and_a_row_slips_through(gateway: Gateway) -> None:
    gateway.after_page = lambda number: gateway.rows.pop(0) if number == 1 else None  # type: ignore[assignment]
    with pytest.raises(
        SourceUnavailableError, match=r"toy\.thing: the source counts 10 rows and sent 9; .* run it again"
    ):
        read(source={"at_once": 1})


def test_pages_that_overlap_by_a_row_show_that_one_was_lost(gateway: Gateway) -> None:
    def shift(number: int) -> None:
        if number == 1:  # the count stays
            gateway.rows.pop(0)
            gateway.rows.append({"id": "new", "name": None, "changed_at": None})

    gateway.after_page = shift
    with pytest.raises(SourceUnavailableError, match=r"toy\.thing: pages do not join, since rows moved"):
        read(paging={"by": "offset"}, source={"at_once": 1})


def test_a_row_that_comes_twice_does_not_stand_for_one_that_does_not_come(gateway: Gateway) -> None:
    def push(number: int) -> None:
        if number == 1:
            gateway.rows.insert(0, {"id": "new", "name": None, "changed_at": None})

    gateway.after_page = push
    for by in ("page", "offset"):
        gateway.rows = make_rows(10)
        gateway.seen.clear()
        with pytest.raises(SourceUnavailableError, match="the source counts 11 rows and sent 10"):
            read(paging={"by": by}, source={"at_once": 1})


def test_one_row_comes_as_an_object_and_none_as_null(gateway: Gateway) -> None:
    def unpack(body: dict[str, Any]) -> dict[str, Any]:
        return body | {"Data": (body["Data"] or [None])[0] if len(body["Data"]) < 2 else body["Data"]}

    gateway.change = unpack
    assert read()[0] == ids(10)
    gateway.rows = []
    assert read() == ([], 0, set())


def test_a_row_repeated_on_the_next_page_is_handed_on(gateway: Gateway) -> None:
    def repeat(body: dict[str, Any]) -> dict[str, Any]:
        return body | {"Data": [gateway.rows[2], *body["Data"]]} if body["Data"][0]["id"] == "3" else body

    gateway.change = repeat
    found, counted, _ = read()
    assert found == ["0", "1", "2", "2", *ids(10)[3:]]
    assert counted == 10, "the load sees more rows than the source counts, and drops the repeated one"


def test_a_service_that_sends_its_last_page_again_past_the_end(gateway: Gateway) -> None:
    gateway.rows = make_rows(9)
    gateway._place = lambda query: (min(int(query["page"]) - 1, 2) * 3, 3)  # type: ignore[method-assign]
    assert read()[0] == ids(9)


ROW = {"id": "1", "name": "x", "changed_at": None}
BREACHES: dict[str, tuple[Callable[[dict[str, Any]], dict[str, Any]], type[KhoChungError], str]] = {
    "a field is gone": (
        lambda body: body | {"Data": [{"id": row["id"], "changed_at": None} for row in body["Data"]]},
        ContractError,
        r"toy\.thing: /thing lacks name;.*_toy__sources.yml",
    ),
    "an object in place of text": (
        lambda body: body | {"Data": [row | {"name": {"vi": "x"}} for row in body["Data"]]},
        ContractError,
        r"toy\.thing: name holds an object or a list where the contract says text.*_toy__sources.yml",
    ),
    "rows that are texts": (
        lambda body: body | {"Data": ["x"] * len(body["Data"])},
        ContractError,
        "no list of objects",
    ),
    "rows that are null": (lambda body: body | {"Data": [None]}, ContractError, "no list of objects"),
    "a text": (lambda body: body | {"Data": "x"}, ContractError, "no list of objects"),
    "no rows and no total": (lambda _: {"Status": "SUCCESS"}, ContractError, "/thing answered without Data and Total"),
    "no total": (
        lambda body: {"Status": "SUCCESS", "Data": body["Data"]},
        ContractError,
        "/thing answered without Total",
    ),
    "a total of words": (lambda body: body | {"Total": "nhiều"}, ContractError, "Total that is no count"),
    "a total of null": (lambda body: body | {"Total": None}, ContractError, "Total that is no count"),
    "a total below zero": (lambda body: body | {"Total": -1}, ContractError, "Total that is no count"),
    "no page but the first": (
        lambda body: body | {"Data": make_rows(3)},
        ContractError,
        r"toy\.thing: /thing sends the same page twice; does it know `page`\?.*_toy__sources.yml",
    ),
    "fewer rows than its own count": (
        lambda body: body | {"Data": body["Data"][:2]},
        SourceUnavailableError,
        r"/thing counts 10 rows, but its page from row 0 holds 2; tried 8 times",
    ),
    "null where there are rows": (
        lambda body: body | {"Data": None},
        SourceUnavailableError,
        "counts 10 rows, but its page from row 0 holds 0",
    ),
}


@pytest.mark.parametrize("breach", BREACHES)
def test_an_answer_that_breaks_the_contract(gateway: Gateway, breach: str) -> None:
    gateway.change, kind, match = BREACHES[breach]
    with pytest.raises(kind, match=match):
        read()


def test_more_rows_than_the_total_are_refused(gateway: Gateway) -> None:
    gateway.change = lambda body: body | {"Total": 3}
    with pytest.raises(ContractError, match="/thing sends more rows than its Total"):
        read()


def test_a_cursor_that_goes_in_circles(gateway: Gateway) -> None:
    gateway.change = lambda body: body | {"NextCursor": "3"}
    with pytest.raises(ContractError, match="NextCursor names a page again"):
        read(paging={"by": "cursor"})


def test_a_cursor_that_ends_early(gateway: Gateway) -> None:
    gateway.change = lambda body: body | {"NextCursor": None}
    with pytest.raises(SourceUnavailableError, match="the source counts 10 rows and sent 3"):
        read(paging={"by": "cursor"})


def test_a_cursor_deep_in_the_answer(gateway: Gateway) -> None:
    gateway.change = lambda body: body | {"Paging": {"After": body.pop("NextCursor")}}
    assert read(paging={"by": "cursor", "next": "Paging.After"})[0] == ids(10)


def test_fields_that_the_contract_does_not_know_are_told(gateway: Gateway) -> None:
    gateway.rows = [row | ({"extra": 1} if row["id"] == "5" else {}) for row in gateway.rows]
    assert read() == (ids(10), 10, {"extra"})


def batch(
    gateway: Gateway, body: bytes, columns: dict[str, str], times: int = 1, **paths: str
) -> dict[str, list[str | None]]:
    """What one answer becomes."""
    gateway.faults = [lambda: Response(body, media_type="application/json")] * times
    source, table = make_source("toy", "lgsp", columns, path="/thing")
    moved = [column.model_copy(update={"path": paths.get(column.name, column.name)}) for column in table.columns]
    source = Source.model_construct(**dict(source) | {"tables": (table.model_copy(update={"columns": tuple(moved)}),)})
    with open_delivery(source, source.tables[0], WINDOW, frozenset()) as deliveries:
        found: dict[str, list[str | None]] = next(deliveries[0].batches).to_pydict()
        return found


def envelope(*rows: bytes) -> bytes:
    return b'{"Status":"SUCCESS","Total":%d,"PageSize":9,"Data":[%s]}' % (len(rows), b",".join(rows))


def test_what_was_sent_stays_to_the_last_digit(gateway: Gateway) -> None:
    values = [
        b'"0012"',
        b"12.50",
        b"1e3",
        b"-0.0",
        b"12345678901234567890.123456789",
        b"123456789012345678901234567890",
        b"true",
        b"null",
    ]
    body = envelope(*(b'{"id":%s}' % value for value in values))
    assert batch(gateway, body, {"id": "text"})["id"] == ["0012", *(value.decode() for value in values[1:-1]), None]


def test_json_keeps_its_spelling(gateway: Gateway) -> None:
    body = envelope(b'{"id":{"a": 1.50,"b":[ ]}}', b'{"id":null}', b'{"id":"x"}')
    assert batch(gateway, body, {"id": "jsonb"})["id"] == ['{"a": 1.50,"b":[ ]}', None, '"x"']


def test_json_that_is_no_utf8_is_told_without_its_bytes(gateway: Gateway) -> None:
    with pytest.raises(SourceUnavailableError, match="sent a body cut short, or no JSON"):
        batch(gateway, envelope(b'{"id":["\xff"]}'), {"id": "jsonb"}, times=8)


def test_texts_that_look_like_the_envelope_stay_texts(gateway: Gateway) -> None:
    name = 'a"},{"id":"\\ và \u0110\u0303 ' * 3
    body = envelope(orjson.dumps({"id": name}), orjson.dumps({"id": None}))
    assert batch(gateway, body, {"id": "text"})["id"] == [name, None]


def test_objects_may_be_absent_empty_or_null(gateway: Gateway) -> None:
    body = envelope(
        b'{"id":1,"Ten":{"Ho":"A"}}', b'{"id":2,"Ten":""}', b'{"id":3,"Ten":null}', b'{"id":4}', b'{"id":5,"Ten":{}}'
    )
    found = batch(gateway, body, {"id": "text", "surname": "text"}, surname="Ten.Ho")
    assert found == {"id": ["1", "2", "3", "4", "5"], "surname": ["A", None, None, None, None], EXTRA: [None] * 5}


def test_fields_that_the_contract_does_not_know_are_kept_as_they_were_spelled(gateway: Gateway) -> None:
    body = envelope(
        b'{"id":1,"Ten":{"Ho":"A","Dem":"V\\u0103n"},"So":1.50}',
        b'{"id":2,"Ten":{"Ho":"B"},"Moi":{"a": [1 ]},"So":null}',
        b'{"id":3,"Ten":null}',
    )
    found = batch(gateway, body, {"id": "text", "surname": "text"}, times=2, surname="Ten.Ho")
    assert found["surname"] == ["A", "B", None]
    assert found[EXTRA] == ['{"So":1.50,"Ten.Dem":"V\\u0103n"}', '{"Moi":{"a": [1 ]},"So":null}', None]


def test_a_field_that_appears_while_we_read(gateway: Gateway) -> None:
    gateway.rows[7]["Moi"] = "x"
    assert read(paging={"by": "offset"}) == (ids(10), 10, {"Moi"})


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (b'{"TenDem":"A"}', r"toy\.thing: /thing lacks Ten\.Ho"),
        (b'"Van A"', r"toy\.thing: Ten holds a plain value where the contract looks for Ho inside an object"),
        (b'[{"Ho":"A"}]', r"toy\.thing: Ten holds a list where the contract looks for Ho.*declare Ten as jsonb"),
    ],
)
def test_an_object_of_another_shape_is_no_null(gateway: Gateway, value: bytes, message: str) -> None:
    with pytest.raises(ContractError, match=message) as caught:
        batch(gateway, envelope(b'{"id":1,"Ten":%s}' % value), {"id": "text", "surname": "text"}, surname="Ten.Ho")
    assert "Van A" not in str(caught.value)


def test_paths_that_overlap_are_refused(gateway: Gateway) -> None:
    with pytest.raises(ContractError, match="`path` of surname and whole overlap"):
        batch(gateway, envelope(), {"whole": "jsonb", "surname": "text"}, whole="Ten", surname="Ten.Ho")


def test_a_contract_says_rest_only_of_a_rest_source() -> None:
    with pytest.raises(ValueError, match=r"service, paging of thing is for `connector: lgsp`"):
        make_source("toy", "database", service={"at_once": 2}, paging={"by": "offset"})
    with pytest.raises(ValueError, match="Extra inputs are not permitted"):
        make_source("toy", "lgsp", service={"authentication": {"kind": "wso2", "realm": "x"}})
