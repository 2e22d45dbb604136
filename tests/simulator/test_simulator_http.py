"""The HTTP face: tokens, pages, filters, throttling, bad moments."""

import time
from collections.abc import Callable, Iterator

import pytest
from simulator_home import Built
from starlette.testclient import TestClient

from simulator import http
from simulator.build import stem
from simulator.http import Service, application
from simulator.layouts import RESIDENT
from simulator.store import Store
from simulator.wire import HTTP_LAYOUTS


@pytest.fixture
def service(built: Built) -> Service:
    stores = {x.path: Store(stem(built.settings.cache, x), x.snapshot) for x in HTTP_LAYOUTS}
    return Service("2025-09-30", "key", "secret", faults=False, stores=stores, ready=True)


@pytest.fixture
def client(service: Service) -> Iterator[TestClient]:
    with TestClient(application(service)) as opened:
        yield opened


@pytest.fixture
def get(client: TestClient) -> Callable[..., dict]:  # type: ignore[type-arg]
    answer = client.post("/token", data={"grant_type": "client_credentials"}, auth=("key", "secret")).json()
    bearer = {"Authorization": f"Bearer {answer['access_token']}"}

    def getter(path: str, **query: object) -> dict:  # type: ignore[type-arg]
        return client.get(path, params=query, headers=bearer).json()  # type: ignore[no-any-return]

    return getter


def test_health(client: TestClient, service: Service) -> None:
    answer = client.get("/health")
    assert answer.status_code == 200 and answer.json()["notice"] == "people are generated"
    assert "generated data" in answer.headers["X-Notice"]
    service.ready = False
    assert client.get("/health").status_code == 503


def test_token_is_required_and_expires(client: TestClient, service: Service) -> None:
    assert client.get(RESIDENT.path).json()["code"] == 900901
    wrong = client.post("/token", data={"grant_type": "client_credentials"}, auth=("key", "no"))
    assert (wrong.status_code, wrong.json()["code"]) == (401, 900901)
    service.token_seconds = 0
    token = client.post("/token", data={"grant_type": "client_credentials"}, auth=("key", "secret")).json()
    late = client.get(RESIDENT.path, headers={"Authorization": f"Bearer {token['access_token']}"})
    assert (late.status_code, late.json()["code"]) == (401, 900901)


def test_pages_cover_everything_once_in_order(get: Callable[..., dict], built: Built) -> None:  # type: ignore[type-arg]
    first = get(RESIDENT.path, page=1, pageSize=5_000)
    rows = list(first["Data"])
    for page in range(2, -(-first["Total"] // 5_000) + 1):
        rows += get(RESIDENT.path, page=page, pageSize=5_000)["Data"]
    assert len(rows) == first["Total"] == len(built.records("resident"))
    assert [r["NgayCapNhat"] for r in rows] == sorted(r["NgayCapNhat"] for r in rows)
    assert get(RESIDENT.path, page=9_999)["Data"] == []


def test_filters_split_the_whole(get: Callable[..., dict]) -> None:  # type: ignore[type-arg]
    moment = "2024-06-01T00:00:00+07:00"
    total = get(RESIDENT.path, pageSize=1)["Total"]
    before = get(RESIDENT.path, pageSize=1, updated_before=moment)["Total"]
    since = get(RESIDENT.path, pageSize=5_000, updated_since=moment)
    assert before + since["Total"] == total
    assert all(r["NgayCapNhat"] >= moment for r in since["Data"])
    utc = get(RESIDENT.path, pageSize=1, updated_since="2024-05-31T17:00:00Z")["Total"]
    assert utc == since["Total"]


def test_snapshots_ignore_the_filter(get: Callable[..., dict]) -> None:  # type: ignore[type-arg]
    assert get("/tthc/1.0/thu-tuc", updated_since="2026-01-01")["Total"] > 1_700


def test_bad_page_is_refused(get: Callable[..., dict]) -> None:  # type: ignore[type-arg]
    assert get(RESIDENT.path, pageSize=5_001)["Status"] == "ERROR"
    assert get(RESIDENT.path, page="x")["Status"] == "ERROR"


def test_throttling(get: Callable[..., dict], client: TestClient, service: Service) -> None:  # type: ignore[type-arg]
    now = time.monotonic() + 0.5
    service.recent.extend([now] * http.MAX_PER_SECOND)
    token = next(iter(service.tokens))
    answer = client.get(RESIDENT.path, headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "1")


def test_faults_come_now_and_then(get: Callable[..., dict], client: TestClient, service: Service) -> None:  # type: ignore[type-arg]
    service.faults = True
    token = next(iter(service.tokens))
    seen: dict[str, int] = {}
    for _ in range(1_000):
        service.recent.clear()
        answer = client.get("/dmdc/1.0/co-quan?pageSize=1", headers={"Authorization": f"Bearer {token}"})
        kind = str(answer.status_code) if answer.status_code != 200 else answer.json()["Status"]
        seen[kind] = seen.get(kind, 0) + 1
    assert (seen["503"], seen["ERROR"]) == (5, 2)


def test_repeated_border_row_is_not_counted(service: Service) -> None:
    import orjson

    store = service.stores[RESIDENT.path]
    repeated = 0
    for page in range(2, 60):
        body = orjson.loads(http.page_body(store, page, 100, None, None, True))
        clean = orjson.loads(http.page_body(store, page, 100, None, None, False))
        assert body["Total"] == clean["Total"]
        repeated += len(body["Data"]) - len(clean["Data"])
    assert repeated >= 1


def test_nested_fields(built: Built) -> None:
    row = built.records("resident")[0]
    assert set(row["HoVaTen"]) == {"Ho", "ChuDem", "Ten"}  # type: ignore[call-overload]
    assert set(row["NoiOHienTai"]) == {"MaTinhThanh", "MaQuanHuyen", "MaPhuongXa"}  # type: ignore[call-overload]
    assert isinstance(built.records("dossier")[0]["DanhSachLePhi"], list)


def test_the_hotline_signs_in_at_keycloak_and_counts_pages_from_nought(client: TestClient, service: Service) -> None:
    realm = "/realms/digo/protocol/openid-connect/token"
    form = {"grant_type": "client_credentials", "client_id": "key"}
    assert client.post(realm, data={**form, "client_secret": "no"}).json()["error"] == "invalid_client"
    token = client.post(realm, data={**form, "client_secret": "secret"}).json()["access_token"]
    bearer = {"Authorization": f"Bearer {token}"}
    pages = [
        client.get("/pe/petition", params={"page": n, "size": 1_000}, headers=bearer).json()["Data"] for n in (0, 1)
    ]
    assert [len(page) for page in pages] == [1_000, 1_000]
    assert not {row["id"] for row in pages[0]} & {row["id"] for row in pages[1]}
    assert client.get("/pe/petition", params={"page": -1}, headers=bearer).status_code == 400
