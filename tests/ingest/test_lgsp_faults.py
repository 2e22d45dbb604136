"""The LGSP connector against a server that has bad days: either every row arrives, or the read fails and says why."""

import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.responses import JSONResponse, Response

from khochung.errors import ConfigurationError, ContractError, SourceRefusedError, SourceUnavailableError
from khochung.extract import session
from tests.ingest.toy_gateway import KEY, SECRET, Cut, Drip, Gateway, ids, make_rows, read, running

PERSON = "Nguyễn Thị Kín 080185001234"


def environment(patch: pytest.MonkeyPatch, url: str, secret: str = SECRET) -> None:
    for name, value in {"URL": url, "KEY": KEY, "SECRET": secret}.items():
        patch.setenv(f"KHOCHUNG_SOURCE_TOY_{name}", value)


@pytest.fixture
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds that were to be slept."""
    slept: list[float] = []
    monkeypatch.setattr(session.Session, "_sleep", lambda _, seconds: slept.append(seconds))
    return slept


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch, naps: list[float]) -> Iterator[Gateway]:
    with running(Gateway()) as made:
        environment(monkeypatch, made.url)
        yield made


def refused_token() -> Response:
    return JSONResponse({"fault": {"code": 900901, "message": "Invalid Credentials"}}, 401)


PASSING: dict[str, Callable[[], Response]] = {
    "throttled": lambda: Response(status_code=429),
    "unavailable": lambda: Response(status_code=503),
    "a gateway's error": lambda: Response(status_code=502),
    "error in a 200": lambda: JSONResponse({"Status": "ERROR", "Code": "E42", "Message": PERSON, "Data": PERSON}),
    "cut JSON": lambda: Response(b'{"Status": "SUCCESS", "Data": [{"id"'),
    "cut before its promised end": lambda: Cut(b'{"Status":"SUCCESS","Total":0,"Data":[]}', 4000),
    "a list": lambda: JSONResponse([PERSON]),
    "nothing": lambda: Response(b""),
    "no UTF-8": lambda: Response(b'{"Status":"SUCCESS","Total":1,"Data":[{"id":"\xff"}]}'),
    "a page to sign in": lambda: Response(f"<html>{PERSON}", media_type="text/html"),
    "gzip that is none": lambda: Response(b"no gzip", headers={"Content-Encoding": "gzip"}),
    "fewer rows than its count": lambda: JSONResponse({"Status": "SUCCESS", "Total": 9, "PageSize": 3, "Data": []}),
}


@pytest.mark.parametrize("fault", PASSING)
def test_what_passes_is_tried_again(gateway: Gateway, fault: str) -> None:
    gateway.faults = [PASSING[fault]] * 3
    assert read()[0] == ids(10)
    assert gateway.faults == []


@pytest.mark.parametrize("fault", [name for name in PASSING if name != "throttled"])
def test_what_does_not_pass_is_told_after_the_last_try(gateway: Gateway, fault: str) -> None:
    gateway.faults = [PASSING[fault]] * 20
    with pytest.raises(
        SourceUnavailableError, match=r"^toy\.thing: .*/thing .*; tried 8 times; run it again"
    ) as caught:
        read()
    assert len(gateway.faults) == 12
    assert not re.search("Kín|0801|" + SECRET, str(caught.value))


def test_the_code_of_an_error_is_told_unless_it_may_name_a_person(gateway: Gateway) -> None:
    for code, told in (
        ("E42", "error E42;"),
        (101503, "error 101503;"),
        ("080185001234", "of no code"),
        (PERSON, "of no code"),
    ):
        gateway.faults = [lambda code=code: JSONResponse({"Status": "ERROR", "Code": code})] * 8  # type: ignore[misc]
        with pytest.raises(SourceUnavailableError, match=told):
            read()


@pytest.mark.parametrize("status", [301, 302, 400, 403, 404, 409, 422])
def test_what_does_not_pass_is_not_tried_again(gateway: Gateway, status: int) -> None:
    gateway.faults = [lambda: Response(PERSON, status, {"Location": "/login"})] * 9
    with pytest.raises(SourceRefusedError, match=f"^toy.thing: /thing answered {status}; check `path`") as caught:
        read()
    assert len(gateway.faults) == 8 and "Kín" not in str(caught.value)


def test_waits_grow_at_random_below_a_ceiling(gateway: Gateway, naps: list[float]) -> None:
    gateway.faults = [PASSING["unavailable"]] * 7
    read()
    waits = [nap for nap in naps if nap > 1 / 50]
    assert waits and all(0 <= wait <= session.LONGEST_WAIT_S for wait in waits) and len(set(waits)) == len(waits)


@pytest.mark.parametrize("status", [429, 503])
def test_patience_that_is_asked_for_is_given_by_every_thread(gateway: Gateway, naps: list[float], status: int) -> None:
    until = format_datetime(datetime.now(UTC) + timedelta(seconds=140), usegmt=True)
    for asked, least in (("100", 100), (until, 130), ("soon", 0), ("-1", 0)):
        naps.clear()
        gateway.faults = [lambda asked=asked: Response(status_code=status, headers={"Retry-After": asked})]  # type: ignore[misc]
        assert read()[0] == ids(10)
        assert least <= max(naps) <= least + 20
        assert len([nap for nap in naps if nap > least - 5]) >= 3, "the retry and the requests beside it"


def test_throttling_counts_only_against_the_time_limit(gateway: Gateway) -> None:
    gateway.faults = [PASSING["throttled"]] * 30
    assert read()[0] == ids(10)


def test_patience_beyond_the_time_limit_is_not_waited_for(gateway: Gateway, naps: list[float]) -> None:
    gateway.faults = [lambda: Response(status_code=429, headers={"Retry-After": "7200"})]
    with pytest.raises(
        SourceUnavailableError, match=r"wait 7200 s; the table is not read within 60 minutes.*time_limit_minutes"
    ):
        read()
    assert max(naps) < 60


def test_an_answer_that_never_ends_fails_at_the_time_limit(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "MINUTE_S", 0.01)
    monkeypatch.setattr(Drip, "over", gateway_over := type(Drip.over)())
    gateway.faults = [Drip] * 9
    try:
        with pytest.raises(
            SourceUnavailableError, match="the table is not read within 60 minutes, and the read ends here"
        ):
            read()
    finally:
        gateway_over.set()


def test_an_answer_without_measure_is_refused(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "LARGEST_ANSWER", 100)
    with pytest.raises(SourceRefusedError, match="sends more than 100 bytes; lower `paging: size`"):
        read()


def test_requests_are_spread_below_the_rate_and_never_more_at_once(gateway: Gateway, naps: list[float]) -> None:
    gateway.rows = make_rows(90)
    read(source={"requests_per_second": 10, "at_once": 2})
    assert gateway.busiest <= 2
    pace = session.Pace(10)
    assert [round(pace.reserve(), 1) for _ in range(5)] == [0.0, 0.1, 0.2, 0.3, 0.4]
    pace.pause(60)
    assert 59 < pace.reserve() <= 60


def test_a_token_that_expires_between_pages_is_renewed_once(gateway: Gateway) -> None:
    gateway.rows = make_rows(60)
    gateway.after_page = lambda number: gateway.tokens.update(t0=0.0) if number == 1 else None
    assert read()[0] == ids(60)
    assert list(gateway.tokens) == ["t0", "t1"], "one new token, whatever the number of requests under way"


def test_a_token_is_renewed_before_it_expires(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.monotonic()
    monkeypatch.setattr("khochung.extract.credentials.time.monotonic", lambda: now)
    gateway.life = 100

    def later(number: int) -> None:
        nonlocal now
        now += 91 if number == 2 else 0

    gateway.after_page = later
    assert read(source={"at_once": 1})[0] == ids(10)
    assert list(gateway.tokens) == ["t0", "t1"]


@pytest.mark.parametrize("status", [200, 401, 403])
def test_a_refused_token_is_renewed_once_for_a_request(gateway: Gateway, status: int) -> None:
    fault = lambda: JSONResponse({"fault": {"code": "900901"}}, status)  # noqa: E731
    gateway.faults = [fault]
    assert read()[0] == ids(10)
    gateway.faults = [fault] * 9
    with pytest.raises(SourceRefusedError, match=r"/thing refused our credentials .*also with a new token"):
        read()
    assert len(gateway.faults) == 7


def test_a_bad_moment_of_the_token_service_passes(gateway: Gateway) -> None:
    gateway.token_faults = [
        PASSING["unavailable"],
        PASSING["throttled"],
        PASSING["cut JSON"],
        lambda: JSONResponse({"token": 1}),
    ]
    assert read()[0] == ids(10)


def test_keycloak(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    realm = {"authentication": {"kind": "keycloak", "realm": "digo"}}
    assert read(source=realm)[0] == ids(10)
    with running(Gateway()) as other:
        monkeypatch.setenv("KHOCHUNG_SOURCE_TOY_TOKEN_URL", other.url + "/")
        gateway.tokens = other.tokens
        assert read(source=realm)[0] == ids(10)
    with pytest.raises(
        SourceRefusedError, match=r"/realms/no/.*answered 404 when asked for a token: correct .*_TOKEN_URL"
    ):
        monkeypatch.delenv("KHOCHUNG_SOURCE_TOY_TOKEN_URL")
        read(source={"authentication": {"kind": "keycloak", "realm": "no"}})


def test_a_signed_request(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    gateway.signs = "signature"
    assert read(source={"authentication": {"kind": "signed"}})[0] == ids(10)
    assert not any(SECRET in str(headers) for headers in gateway.headers)
    environment(monkeypatch, gateway.url, secret="wrong-secret")
    gateway.headers.clear()
    with pytest.raises(
        SourceRefusedError, match="correct KHOCHUNG_SOURCE_TOY_KEY and _SECRET, and compare the clocks"
    ) as caught:
        read(source={"authentication": {"kind": "signed"}})
    assert len(gateway.headers) == 1 and "wrong-secret" not in str(caught.value)


def test_the_key_of_a_service_bus(gateway: Gateway) -> None:
    gateway.signs = "partner"
    assert read(source={"authentication": {"kind": "access_key", "app_name": "kho", "partner_code": "000.00.01.H29"}})[
        0
    ] == ids(10)
    with pytest.raises(SourceRefusedError, match="`app_name` and `partner_code`"):
        read(source={"authentication": {"kind": "access_key", "app_name": "x", "partner_code": "x"}})


def test_a_wrong_secret_is_refused_at_once(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    environment(monkeypatch, gateway.url, secret="wrong-secret")
    with pytest.raises(SourceRefusedError, match="KHOCHUNG_SOURCE_TOY_KEY and _SECRET") as caught:
        read()
    assert "wrong-secret" not in str(caught.value)
    assert gateway.seen == []


def test_a_source_that_is_not_there(monkeypatch: pytest.MonkeyPatch, naps: list[float]) -> None:
    environment(monkeypatch, "http://user:hidden@127.0.0.1:1")
    with pytest.raises(SourceUnavailableError, match=r"127\.0\.0\.1.*is KHOCHUNG_SOURCE_TOY_URL right") as caught:
        read()
    assert "hidden" not in str(caught.value)


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for localhost that signs itself, and its key."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "toy")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    pem, secret = folder / "cert.pem", folder / "key.pem"
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    no_password = serialization.NoEncryption()
    secret.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, no_password))
    return pem, secret


def test_certificates_are_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, naps: list[float]) -> None:
    pem, key = certificate(tmp_path)
    with running(Gateway(), ssl_certfile=pem, ssl_keyfile=key) as made:
        environment(monkeypatch, made.url)
        with pytest.raises(SourceRefusedError, match=r"certificate that we do not trust.*KHOCHUNG_SOURCE_TOY_CA_FILE"):
            read()
        monkeypatch.setenv("KHOCHUNG_SOURCE_TOY_CA_FILE", str(pem))
        assert read()[0] == ids(10)
        monkeypatch.setenv("KHOCHUNG_SOURCE_TOY_CA_FILE", str(tmp_path / "none.pem"))
        with pytest.raises(ConfigurationError, match=r"KHOCHUNG_SOURCE_TOY_CA_FILE: .*none.pem is no PEM file"):
            read()


FAULTS = [*PASSING.values(), refused_token, lambda: Response(status_code=403), lambda: Response(PERSON, 404)]
DAY = st.fixed_dictionaries(
    {
        "rows": st.integers(0, 25),
        "size": st.integers(1, 6),
        "by": st.sampled_from(["page", "offset", "cursor"]),
        "at_once": st.integers(1, 4),
        "faults": st.dictionaries(st.integers(0, 30), st.sampled_from(range(len(FAULTS))), max_size=12),
        "moves": st.lists(
            st.tuples(st.integers(1, 8), st.booleans(), st.integers(0, 25)), max_size=3, unique_by=lambda move: move[0]
        ),
    }
)


@pytest.fixture(scope="module")
def bad_days() -> Iterator[Gateway]:
    with pytest.MonkeyPatch.context() as patch, running(Gateway()) as made:
        patch.setattr(session.Session, "_sleep", lambda *_: None)
        environment(patch, made.url)
        yield made


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(day=DAY)
def test_every_row_arrives_or_the_read_fails(bad_days: Gateway, day: dict) -> None:  # type: ignore[type-arg]
    """Rows come and go, one between two answers, and faults fall anywhere."""
    gateway, asked = bad_days, iter(range(1_000))
    gateway.rows, gateway.size, gateway.seen = make_rows(day["rows"]), day["size"], []
    steady = set(ids(day["rows"]))

    def move(number: int) -> None:
        for when, arrives, place in day["moves"]:
            if when == number and arrives:
                gateway.rows.insert(place, {"id": f"new{len(gateway.rows)}-{place}", "name": None, "changed_at": None})
            elif when == number and place < len(gateway.rows):
                steady.discard(gateway.rows.pop(place)["id"])

    def answer(request: object) -> Response:
        fault = day["faults"].get(next(asked))
        return original(request) if fault is None else FAULTS[fault]()  # type: ignore[arg-type]

    original = Gateway._page.__get__(gateway)
    gateway._page, gateway.after_page = answer, move  # type: ignore[method-assign]
    try:
        found, counted, _ = read(paging={"by": day["by"]}, source={"at_once": day["at_once"]})
    except (SourceUnavailableError, SourceRefusedError, ContractError) as error:
        assert re.match(
            r"(toy\.thing|source toy): .*(run it again|ask the owner|check `path`|Correct `paging`)", str(error)
        )
        assert not re.search("Kín|0801|" + SECRET, str(error))
        return
    assert counted is not None and steady <= set(found), (day, found, counted)
