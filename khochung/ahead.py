"""Two steps of a stream at once: the next items are made while the present one is used."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
ITEMS = 6  # a row group is written in one go: as many batches come meanwhile


def some_ahead(items: Iterator[T]) -> Iterator[T]:
    """The items in their order, made by another thread while the caller works on those before.

    Worth it where both sides leave Python (Arrow, Parquet, a socket). At most ITEMS wait, so memory stays flat; an
    exception of the maker reaches the caller in its place. A caller that leaves early waits for the item in the making.
    """
    end, maker = object(), ThreadPoolExecutor(1)
    try:
        waiting = deque(maker.submit(next, items, end) for _ in range(ITEMS))
        while (item := waiting.popleft().result()) is not end:
            waiting.append(maker.submit(next, items, end))
            yield item  # type: ignore[misc]
    finally:
        maker.shutdown(cancel_futures=True)
