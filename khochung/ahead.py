"""Two steps of a stream at once: the next item is made while the present one is used."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def one_ahead(items: Iterator[T]) -> Iterator[T]:
    """The items in their order, each made by another thread while the caller works on the one before.

    Worth it where both sides leave Python (Arrow, Parquet, a socket). One item waits, so memory stays flat; an exception
    of the maker reaches the caller in its place.
    """
    end = object()
    with ThreadPoolExecutor(1) as maker:
        waiting = maker.submit(next, items, end)
        while (item := waiting.result()) is not end:
            waiting = maker.submit(next, items, end)
            yield item  # type: ignore[misc]
