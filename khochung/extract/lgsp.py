"""REST sources behind the province's LGSP (WSO2 API Manager): client credentials, pages, `updated_since`.

Conventions: `POST /token` gives an expiring bearer; errors 900901 and 900902 want a new token, 429 wants patience;
an HTTP 200 can carry a business error. A page repeats a row now and then: the load counts and drops it.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx
import orjson
import pyarrow as pa
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, stop_after_delay, wait_random_exponential

from khochung.contract import Column, Source, Table
from khochung.errors import ContractError, SourceRefusedError, SourceUnavailableError
from khochung.extract import Delivery, Window, missing_columns, text_schema
from khochung.settings import required

PAGE_SIZE = 5000
AT_ONCE = 4
PATIENCE_S = 300
TRIES = 8


class Client:
    """One session with a source: renews its token and retries what may pass."""

    def __init__(self, source: Source) -> None:
        prefix = f"KHOCHUNG_SOURCE_{source.name.upper()}"
        self.name = source.name
        self.url = required(f"{prefix}_URL", f"the address of source {source.name}").rstrip("/")
        self._key = required(f"{prefix}_KEY", f"the consumer key for source {source.name}")
        self._secret = required(f"{prefix}_SECRET", f"the consumer secret for source {source.name}")
        self._http = httpx.Client(timeout=httpx.Timeout(60, connect=10), limits=httpx.Limits(max_connections=AT_ONCE))
        self._token, self._expires = "", 0.0
        self._lock = threading.Lock()

    def close(self) -> None:
        self._http.close()

    def get(self, path: str, query: dict[str, str]) -> dict[str, Any]:
        """The parsed body of one page. Retries with jitter on timeouts, 429 and 5xx, at most PATIENCE_S in all."""
        retrying = Retrying(
            retry=retry_if_exception_type(SourceUnavailableError),
            wait=wait_random_exponential(multiplier=0.2, max=20),
            stop=stop_after_attempt(TRIES) | stop_after_delay(PATIENCE_S),
            reraise=True,
        )
        return retrying(self._get_once, path, query)

    def _get_once(self, path: str, query: dict[str, str]) -> dict[str, Any]:
        token = self._bearer()
        try:
            answer = self._http.get(self.url + path, params=query, headers={"Authorization": f"Bearer {token}"})
        except httpx.TransportError as error:
            raise SourceUnavailableError(
                f"source {self.name} does not answer at {self.url}: {type(error).__name__}; "
                f"is it running, and is KHOCHUNG_SOURCE_{self.name.upper()}_URL right?"
            ) from error
        if answer.status_code == 401:
            self._forget(token)
            raise SourceUnavailableError(f"source {self.name}: the token was refused (401); a new one is asked for")
        if answer.status_code == 429:
            asked = answer.headers.get("Retry-After", "")  # seconds, or a date that we do not wait for
            time.sleep(min(float(asked), 30) if asked.isdecimal() else 1)
            raise SourceUnavailableError(f"source {self.name}: throttled (429)")
        if answer.status_code >= 500:
            raise SourceUnavailableError(f"source {self.name}: {path} answered {answer.status_code}")
        if answer.status_code >= 400:
            raise SourceRefusedError(
                f"source {self.name}: {path} answered {answer.status_code}; check the path in the contract and our rights there"
            )
        return self._body(path, answer.content)

    def _body(self, path: str, content: bytes) -> dict[str, Any]:
        try:
            body = orjson.loads(content)
        except orjson.JSONDecodeError as error:
            raise SourceUnavailableError(
                f"source {self.name}: {path} sent a body that is cut short or no JSON"
            ) from error
        if not isinstance(body, dict):
            raise SourceUnavailableError(f"source {self.name}: {path} sent JSON that is no object")
        if body.get("Status") != "SUCCESS":
            raise SourceUnavailableError(f"source {self.name}: {path} answered 200 with error {body.get('Code')}")
        absent = [name for name in ("Data", "Total") if name not in body]
        if absent:
            raise ContractError(
                f"source {self.name}: {path} answered without {' and '.join(absent)}; ask the owner what has changed"
            )
        rows = body["Data"] or []
        return body | {
            "Data": rows if isinstance(rows, list) else [rows]
        }  # one row comes as an object, several as a list

    def _bearer(self) -> str:
        with self._lock:
            if time.monotonic() >= self._expires:
                self._renew()
            return self._token

    def _forget(self, token: str) -> None:
        with self._lock:
            if self._token == token:
                self._expires = 0.0

    def _renew(self) -> None:
        try:
            answer = self._http.post(
                f"{self.url}/token", data={"grant_type": "client_credentials"}, auth=(self._key, self._secret)
            )
        except httpx.TransportError as error:
            raise SourceUnavailableError(
                f"source {self.name} does not answer at {self.url}/token: {type(error).__name__}; "
                f"is it running, and is KHOCHUNG_SOURCE_{self.name.upper()}_URL right?"
            ) from error
        if answer.status_code in (400, 401, 403):
            raise SourceRefusedError(
                f"source {self.name} refused our credentials ({answer.status_code}): correct "
                f"KHOCHUNG_SOURCE_{self.name.upper()}_KEY and _SECRET"
            )
        if answer.status_code != 200:
            raise SourceUnavailableError(f"source {self.name}: /token answered {answer.status_code}")
        try:
            body = orjson.loads(answer.content)
            self._token = str(body["access_token"])
            self._expires = time.monotonic() + 0.9 * float(body.get("expires_in", 60))
        except (orjson.JSONDecodeError, LookupError, TypeError) as error:
            raise SourceUnavailableError(f"source {self.name}: /token answered 200 without a token") from error


@contextmanager
def read(source: Source, table: Table, window: Window, known: frozenset[str]) -> Iterator[list[Delivery]]:
    """All pages of one resource. `known` is of no use here."""
    client = Client(source)
    try:
        query = {"pageSize": str(PAGE_SIZE), "updated_before": window.end.isoformat()}
        if table.load == "cursor" and window.start is not None:
            query["updated_since"] = window.start.isoformat()
        delivery = Delivery(text_schema(table), iter(()), table.path)
        delivery.batches = _batches(client, table, query, delivery)
        yield [delivery]
    finally:
        client.close()


def _batches(client: Client, table: Table, query: dict[str, str], delivery: Delivery) -> Iterator[pa.RecordBatch]:
    getters = [(column, _getter(column.path)) for column in table.columns]
    for body in _pages(client, table.path, query):
        rows = body["Data"]
        delivery.counted = int(body["Total"])
        if rows:
            _check_fields(table, rows[0], delivery)
            columns = [_column(column, [get(row) for row in rows], table) for column, get in getters]
            yield pa.RecordBatch.from_arrays(columns, schema=delivery.schema)


def _pages(client: Client, path: str, query: dict[str, str]) -> Iterator[dict[str, Any]]:
    """Pages in order, a few requests ahead, until one is not full: the total may grow while we read."""

    def fetch(number: int) -> dict[str, Any]:
        return client.get(path, query | {"page": str(number)})

    first = fetch(1)
    yield first
    size = int(first.get("PageSize", PAGE_SIZE))
    last = -(-int(first["Total"]) // size)
    full = len(first["Data"]) >= size
    ahead: deque[Future[dict[str, Any]]] = deque()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        number = 2
        while full or ahead:
            while len(ahead) < AT_ONCE and number <= last:
                ahead.append(pool.submit(fetch, number))
                number += 1
            if not ahead:  # past the announced end, one by one
                ahead.append(pool.submit(fetch, number))
                number += 1
            body = ahead.popleft().result()
            full = len(body["Data"]) >= size
            yield body


def _getter(path: str) -> Callable[[dict[str, Any]], Any]:
    steps = path.split(".")
    if len(steps) == 1:
        return lambda row: row.get(path)

    def get(row: dict[str, Any]) -> Any:
        value: Any = row
        for step in steps:
            value = value.get(step) if isinstance(value, dict) else None
        return value

    return get


def _column(column: Column, values: list[Any], table: Table) -> pa.Array:
    if column.data_type == "jsonb":
        return pa.array([None if value is None else orjson.dumps(value).decode() for value in values], pa.string())
    if any(value is not None and not isinstance(value, str) for value in values):
        if any(isinstance(value, dict | list) for value in values):
            raise ContractError(
                f"{table.source}.{table.name}: {column.path} holds an object where the contract says text; "
                f"correct `path` or `data_type` of {column.name} in {table.declared_in}"
            )
        values = [
            value if value is None or isinstance(value, str) else orjson.dumps(value).decode() for value in values
        ]
    return pa.array(values, pa.string())


def _check_fields(table: Table, row: dict[str, Any], delivery: Delivery) -> None:
    tops = {column.path.split(".")[0] for column in table.columns}
    missing = sorted(tops - set(row))
    if missing:
        raise missing_columns(table, missing, table.path)
    delivery.unknown_fields |= set(row) - tops
