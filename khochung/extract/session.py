"""A session with a REST source: its limits kept, what may pass tried again, and nothing endless.

One exchange is bounded in time and size, one request in tries, one table in time. Messages name the source, the table
and the remedy; they hold neither a secret nor a byte of what the source sent.
"""

import logging
import random
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

import httpx
import msgspec
from tenacity import RetryCallState, Retrying, retry_if_exception_type

from khochung.contract import Source, Table
from khochung.errors import ConfigurationError, SourceRefusedError, SourceUnavailableError
from khochung.extract import credentials
from khochung.settings import optional, required

MINUTE_S = 60
TRIES = 8
FIRST_WAIT_S, LONGEST_WAIT_S = 0.4, 20.0
CONNECT_S, SILENCE_S, EXCHANGE_S = 10.0, 60.0, 180.0
LARGEST_ANSWER, LARGEST_FAULT = 64 * 2**20, 4096
TOKEN_CODES = ("900901", "900902", "900903")  # WSO2: token invalid, missing, expired
Parsed = TypeVar("Parsed")

logging.getLogger("httpx").setLevel(logging.WARNING)  # it logs whole addresses, and a cursor may hold a person's number


class HeldBack(SourceUnavailableError):
    """The source asks for patience (429, or 503 with Retry-After). `seconds`: how long, 0 when it does not say."""

    def __init__(self, message: str, seconds: float, throttled: bool) -> None:
        super().__init__(message)
        self.seconds, self.throttled = seconds, throttled


class TokenRefused(SourceUnavailableError):
    """The source does not take the credentials that were sent."""

    def __init__(self, message: str, sent: dict[str, str]) -> None:
        super().__init__(message)
        self.sent = sent


@dataclass(frozen=True)
class Reply:
    """One answer, read to its end."""

    status: int
    headers: httpx.Headers
    content: bytes


class Pace:
    """Spreads requests evenly below a rate (None: at will), for all threads; a pause holds every one of them back."""

    def __init__(self, per_second: float | None) -> None:
        self._gap, self._next = 1 / per_second if per_second else 0.0, 0.0
        self._lock = threading.Lock()

    def reserve(self) -> float:
        """Seconds until the caller may send."""
        with self._lock:
            now = time.monotonic()
            mine = max(now, self._next)
            self._next = mine + self._gap
            return mine - now

    def pause(self, seconds: float) -> None:
        with self._lock:
            self._next = max(self._next, time.monotonic() + seconds)


class Session:
    """Threads may share it. `close` also wakes and ends the requests that wait."""

    def __init__(self, source: Source, table: Table) -> None:
        prefix = f"KHOCHUNG_SOURCE_{source.name.upper()}"
        self.where, self.service, self._prefix = f"{source.name}.{table.name}", source.service, prefix
        self.url = required(f"{prefix}_URL", f"the address of source {source.name}").rstrip("/")
        self._deadline = time.monotonic() + MINUTE_S * source.service.time_limit_minutes
        self._pace, self._closed = Pace(source.service.requests_per_second), threading.Event()
        self._credentials = credentials.of(source, self.url, self.send)
        self._http = httpx.Client(
            verify=_trust(f"{prefix}_CA_FILE"),
            limits=httpx.Limits(max_connections=source.service.at_once + 1),
            headers={"Accept": "application/json"},
        )

    def close(self) -> None:
        self._closed.set()
        self._http.close()

    def get(self, path: str, query: dict[str, str], parse: Callable[[bytes], Parsed]) -> Parsed:
        """One page, parsed. `parse` raises SourceUnavailableError for a body that is worth another try.

        Raises SourceUnavailableError after TRIES faults or when the table's time is over, SourceRefusedError at once.
        """
        faults = 0

        def out_of_patience(state: RetryCallState) -> bool:
            nonlocal faults
            error = state.outcome.exception() if state.outcome else None
            faults += not (isinstance(error, HeldBack) and error.throttled)
            return faults >= TRIES or self._closed.is_set() or state.upcoming_sleep >= self.left()

        retrying = Retrying(
            retry=retry_if_exception_type(SourceUnavailableError),
            wait=_wait,
            stop=out_of_patience,
            sleep=self._sleep,
            reraise=True,
        )
        renewed = False

        def once() -> Parsed:
            nonlocal renewed
            try:
                return parse(self._get(path, query))
            except TokenRefused as error:
                if renewed or not self._credentials.renew(error.sent):
                    raise SourceRefusedError(f"{error}{self._credentials.remedy}") from error
                renewed = True
                return once()

        try:
            return retrying(once)
        except SourceUnavailableError as error:
            ending = f"tried {faults} times; run it again later, and if it stays ask the owner"
            raise (
                self.out_of_time(str(error)) if faults < TRIES else SourceUnavailableError(f"{error}; {ending}")
            ) from error

    def send(self, request: httpx.Request) -> Reply:
        """One exchange, whatever its status. Raises SourceUnavailableError, or HeldBack when throttled."""
        self._sleep(self._pace.reserve())
        place = f"{self.where}: {request.url.host}{request.url.path}"
        limit = time.monotonic() + min(EXCHANGE_S, self.left())
        if self.left() <= 0 or self._closed.is_set():
            raise SourceUnavailableError(f"{place} was not asked any more")
        wait = min(SILENCE_S, self.left())
        request.extensions["timeout"] = httpx.Timeout(wait, connect=min(CONNECT_S, wait)).as_dict()
        try:
            answer = self._http.send(request, stream=True)
            try:
                content = _body(answer, limit, place)
            finally:
                answer.close()
        except (httpx.TransportError, httpx.DecodingError) as error:
            raise self._no_answer(place, error) from None  # its text may quote a proxy's password
        if answer.status_code == 429 or (answer.status_code == 503 and "Retry-After" in answer.headers):
            raise self._held_back(place, answer)
        if answer.status_code >= 500:
            raise SourceUnavailableError(f"{place} answered {answer.status_code}")
        return Reply(answer.status_code, answer.headers, content)

    def _get(self, path: str, query: dict[str, str]) -> bytes:
        address = httpx.URL(self.url + path).copy_merge_params(query)
        request = httpx.Request("GET", address, headers=self._http.headers)
        sent = self._credentials.headers(request)
        request.headers.update(sent)
        reply = self.send(request)
        if reply.status == 401 or _fault_code(reply.content) in TOKEN_CODES:
            raise TokenRefused(f"{self.where}: {path} refused our credentials ({reply.status})", sent)
        if reply.status != 200:
            raise SourceRefusedError(
                f"{self.where}: {path} answered {reply.status}; check `path` in the contract, "
                f"{self._prefix}_URL and our rights there"
            )
        return reply.content

    def _held_back(self, place: str, answer: httpx.Response) -> HeldBack:
        seconds = _retry_after(answer.headers)
        self._pace.pause(seconds)
        return HeldBack(
            f"{place} answered {answer.status_code} and asks us to wait {seconds:.0f} s",
            seconds,
            throttled=answer.status_code == 429,
        )

    def _no_answer(self, place: str, error: httpx.RequestError) -> Exception:
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            return SourceRefusedError(
                f"{place} shows a certificate that we do not trust; put the authority that signed it into a PEM file "
                f"and name that in {self._prefix}_CA_FILE"
            )
        return SourceUnavailableError(
            f"{place} does not answer in full: {type(error).__name__}; is it running, and is {self._prefix}_URL right?"
        )

    def out_of_time(self, reason: str) -> SourceUnavailableError:
        """The error for a table whose time is over."""
        return SourceUnavailableError(
            f"{reason}; the table is not read within {self.service.time_limit_minutes} minutes, and the read ends here: "
            "ask the owner, or raise `time_limit_minutes` in the contract"
        )

    def left(self) -> float:
        """Seconds that this table may still take; below 0 when its time is over."""
        return self._deadline - time.monotonic()

    def _sleep(self, seconds: float) -> None:
        self._closed.wait(max(0.0, min(seconds, self.left())))


def _wait(state: RetryCallState) -> float:
    """Full jitter below an exponential ceiling, on top of what the source asks for."""
    error = state.outcome.exception() if state.outcome else None
    ceiling = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2 ** (state.attempt_number - 1))
    asked = error.seconds if isinstance(error, HeldBack) else 0.0
    return asked + random.uniform(0, ceiling)  # noqa: S311


def _retry_after(headers: httpx.Headers) -> float:
    """RFC 9110, 10.2.3: seconds or a date, which is read by the source's own clock. 0 for anything else."""
    asked = headers.get("Retry-After", "").strip()
    if asked.isascii() and asked.isdecimal():
        return float(asked)
    until, now = _date(asked), _date(headers.get("Date", ""))
    return max(0.0, (until - (now or datetime.now(UTC))).total_seconds()) if until else 0.0


def _date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _fault_code(content: bytes) -> str:
    """WSO2's number of what went wrong, with any status, also 200; '' for an answer that is no fault."""
    if len(content) > LARGEST_FAULT:
        return ""
    try:
        body = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""
    fault = body.get("fault", body) if isinstance(body, dict) else {}
    return str(fault.get("code") or fault.get("Code") or "") if isinstance(fault, dict) else ""


def _body(answer: httpx.Response, limit: float, place: str) -> bytes:
    pieces, size = [], 0
    for piece in answer.iter_bytes():
        pieces.append(piece)
        size += len(piece)
        if size > LARGEST_ANSWER:
            raise SourceRefusedError(
                f"{place} sends more than {LARGEST_ANSWER:,} bytes; lower `paging: size` in the contract"
            )
        if time.monotonic() > limit:
            raise SourceUnavailableError(f"{place} sends too slowly")
    return b"".join(pieces)


def _trust(variable: str) -> ssl.SSLContext:
    """The public authorities (or SSL_CERT_FILE's), and a province's own."""
    context, own = httpx.create_ssl_context(), optional(variable)
    if own:
        try:
            context.load_verify_locations(cafile=own)
        except OSError as error:  # ssl.SSLError is one
            raise ConfigurationError(f"{variable}: {own} is no PEM file of certificates that we can read") from error
    return context
