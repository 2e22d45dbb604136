"""REST sources behind the province's LGSP: pages of one resource within a window, complete or refused.

The answer is `{"Status": "SUCCESS", "Total": n, "PageSize": n, "Data": [...]}`. Pages are asked for ahead, a few at
once, and handed on in order. Rows that move between pages while we read may come twice, and the load keeps one. A lost
row shows against the Totals, of which rows that moved count once, and with `paging: {by: offset}` in the row by which
pages overlap. A window ends before we ask, so that a row that changes meanwhile leaves it and lowers Total.
"""

import math
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import reduce
from itertools import pairwise

import pyarrow as pa
import pyarrow.compute as pc

from khochung.contract import Source, Table
from khochung.errors import ContractError, SourceUnavailableError
from khochung.extract import Delivery, Window, text_schema
from khochung.extract.envelope import Page, Reader
from khochung.extract.session import Session

Query = dict[str, str]


@contextmanager
def read(source: Source, table: Table, window: Window, known: frozenset[str]) -> Iterator[list[Delivery]]:
    """All pages of one resource. `known` is of no use here."""
    query = {"updated_before": _upper_bound(window).isoformat()}
    if table.load == "cursor" and window.start is not None:
        query["updated_since"] = window.start.isoformat()
    with closing(Session(source, table)) as session:
        delivery = Delivery(text_schema(table), iter(()), table.path)
        with closing(_batches(Reading(session, table, query), delivery)) as batches:
            delivery.batches = batches
            yield [delivery]


def _batches(reading: "Reading", delivery: Delivery) -> Generator[pa.RecordBatch, None, None]:
    """Raises SourceUnavailableError when fewer rows came than the source counts."""
    delivered = 0
    for page in reading.pages():
        delivery.counted = reading.counted
        delivery.unknown_fields |= reading.unknown
        delivered += page.batch.num_rows
        if page.batch.num_rows:
            yield page.batch
    different = delivered - reading.repeated
    if different < (delivery.counted or 0):
        raise SourceUnavailableError(
            f"{reading.where}: the source counts {delivery.counted:,} rows and sent {different:,}; rows vanished or moved "
            "while we read; run it again, and if it stays ask the owner"
        )


class Reading:
    """Reads the pages of one table in the way that its contract declares."""

    def __init__(self, session: Session, table: Table, query: Query) -> None:
        self._session, self._table, self._paging, self._query = session, table, table.paging, query
        self._parsing = threading.Lock()
        self._totals: list[int] = []
        self._surplus = self._shared = 0
        self._reader, self.where = Reader(table), f"{table.source}.{table.name}"

    @property
    def unknown(self) -> set[str]:
        """Fields that the source has sent so far and the contract does not know."""
        return self._reader.unknown

    @property
    def repeated(self) -> int:
        """Rows that came twice since pages moved. At rest only what exceeds a page: equal neighbours may be the source's."""
        return self._surplus if len(set(self._totals)) < 2 else self._shared

    @property
    def counted(self) -> int:
        """Rows that the source had at one time or another: its first Total, and by how much it rose from answer to answer."""
        return sum(max(0, now - before) for before, now in pairwise([0, *self._totals]))

    def pages(self) -> Iterator[Page]:
        """Pages in order. Raises what the session raises, and ContractError for an answer that cannot be understood."""
        pool = ThreadPoolExecutor(self._session.service.at_once)

        def ask(place: str, position: int | None = None, size: int | None = None) -> Future[Page]:
            query = self._query | {self._paging.size_parameter: str(self._paging.size)}
            query |= {self._paging.parameter: place} if place else {}
            return pool.submit(
                self._session.get, self._table.path, query, lambda body: self._page(body, position, size)
            )

        try:
            yield from self._chained(ask) if self._paging.by == "cursor" else self._numbered(ask)
        finally:
            self._session.close()  # first, so that nobody is waited for
            pool.shutdown(cancel_futures=True)

    def _chained(self, ask: Callable[..., Future[Page]]) -> Iterator[Page]:
        """Each page names the next one, which is on its way while this one is written."""
        page, seen = self._take(ask("")), set()
        while page.next:
            if page.next in seen:
                raise ContractError(
                    f"{self.where}: {self._paging.next} names a page again; ask the owner what marks the end"
                )
            seen.add(page.next)
            coming = ask(page.next)
            yield page
            page = self._take(coming)
        yield page

    def _numbered(self, ask: Callable[..., Future[Page]]) -> Iterator[Page]:
        """Several pages ahead up to the announced end, then one by one while they are full: the total may grow."""
        paging = self._paging
        before = self._take(ask(str(paging.first if paging.by == "page" else 0), 0))
        yield before
        size = _applied(before, paging.size)
        overlap = int(paging.by == "offset" and size > 1)
        step = size - overlap

        def submit(number: int) -> Future[Page]:
            place = paging.first + number if paging.by == "page" else number * step
            return ask(str(place), number * step, size)

        number, last, ahead = 1, math.ceil((before.total - overlap) / step), deque[Future[Page]]()
        while ahead or number < last or before.batch.num_rows >= size:
            probing = not ahead and number >= last
            while len(ahead) < self._session.service.at_once and (number < last or (probing and not ahead)):
                ahead.append(submit(number))
                number += 1
            page = self._take(ahead.popleft())
            if probing and self._again(before, page):
                return  # past the end it sends the last page again
            self._check_progress(before, page)
            joined = self._joined(before, page) if overlap else page
            self._count_repeats(before, page, size, page.batch.num_rows - joined.batch.num_rows)
            yield joined
            before, last = page, max(last, math.ceil((page.total - overlap) / step))

    def _again(self, before: Page, page: Page) -> bool:
        return page.total == before.total and _same(before.batch, page.batch)

    def _check_progress(self, before: Page, page: Page) -> None:
        if self._again(before, page):
            raise ContractError(
                f"{self.where}: {self._table.path} sends the same page twice; does it know `{self._paging.parameter}`? "
                f"Correct `paging` in {self._table.declared_in}"
            )
        if page.batch.num_rows and (page.position or 0) >= page.total:
            raise ContractError(f"{self.where}: {self._table.path} sends more rows than its Total; ask the owner")

    def _take(self, future: Future[Page]) -> Page:
        try:
            return future.result(max(0.0, self._session.left()))
        except NotYet as error:
            raise self._session.out_of_time(f"{self.where}: {self._table.path} is still sending") from error

    def _page(self, content: bytes, position: int | None, size: int | None) -> Page:
        """A page that is shorter than its own Total and size allow is a passing fault."""
        with self._parsing:  # a parsed page is many times its bytes: one at a time
            page = self._reader.page(content)
            sent = page.batch.num_rows
            wanted = size or min(page.size or 1, self._paging.size)
            if position is not None and sent < min(wanted, page.total - position):
                raise SourceUnavailableError(
                    f"{self.where}: {self._table.path} counts {page.total:,} rows, but its page from row {position:,} "
                    f"holds {sent:,}"
                )
            if self._totals[-1:] != [page.total]:
                self._totals.append(page.total)
        return replace(page, position=position)

    def _joined(self, before: Page, page: Page) -> Page:
        """`page` without the row that it shares with the page before. Raises when they share none: one was lost between."""
        if not page.batch.num_rows or not before.batch.num_rows:
            return page
        first, last = page.batch.slice(0, 1), before.batch.slice(before.batch.num_rows - 1)
        if first.equals(last):
            return replace(page, batch=page.batch.slice(1))
        if self._keys(first) <= self._keys(before.batch):
            return page  # rows moved towards the end: some come twice, none is lost
        raise SourceUnavailableError(
            f"{self.where}: pages do not join, since rows moved while we read; run it again, and if it stays ask the owner for "
            "an order that holds"
        )

    def _count_repeats(self, before: Page, page: Page, size: int, dropped: int) -> None:
        surplus = page.batch.num_rows - min(size, max(0, page.total - (page.position or 0)))
        self._surplus += surplus
        self._shared += max(surplus, self._shared_rows(before.batch, page.batch) - dropped)

    def _shared_rows(self, before: pa.RecordBatch, page: pa.RecordBatch) -> int:
        """With how many rows of the end of one page the next one begins."""
        if not page.num_rows:
            return 0
        same = (pc.equal(before.column(name), page.column(name)[0]) for name in self._table.key)
        for place in pc.indices_nonzero(reduce(pc.and_, same)).to_pylist():
            shared = before.num_rows - place
            if before.slice(place).equals(page.slice(0, shared)):
                return int(shared)
        return 0

    def _keys(self, batch: pa.RecordBatch) -> set[tuple[str | None, ...]]:
        return set(zip(*(batch.column(name).to_pylist() for name in self._table.key), strict=True))


def _upper_bound(window: Window) -> datetime:
    """Now, on the day that is read, so that its overlap takes what changes later; the window's end on any other day."""
    now = datetime.now(window.end.tzinfo).replace(microsecond=0)
    return now if window.end - timedelta(days=1) <= now < window.end else window.end


def _applied(first: Page, wanted: int) -> int:
    """The page size that the source keeps to, whatever we asked for."""
    sent: int = first.batch.num_rows
    return sent if sent < first.total else max(sent, min(first.size or wanted, wanted))


def _same(one: pa.RecordBatch, other: pa.RecordBatch) -> bool:
    """Whether two pages begin and end with the same rows."""
    last = one.num_rows - 1
    return bool(
        last >= 0
        and one.num_rows == other.num_rows
        and one.slice(0, 1).equals(other.slice(0, 1))
        and one.slice(last).equals(other.slice(last))
    )
