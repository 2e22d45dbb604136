"""A REST source read to Parquet, beside a bare loop over the same server that only reads and parses.

The server is a process of its own and answers from memory, so that the reader is what is measured. Rows have the shape
of the register of residents (22 columns, four objects). Every measurement runs in a fresh process: its peak is its own.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import httpx
import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bench.figures import Figure, Outcome, figure, in_child, median_pair
from khochung import contract, landing
from khochung.extract import Window, open_delivery
from khochung.settings import REPOSITORY, Settings

ROWS = 500_000
PAGE_ROWS, KINDS = 5000, 20  # as many different pages are sent in turn
PATH = "/csdldc/1.0/cong-dan"
contract.sources()  # read once per process, whatever is loaded: not part of what is measured


def figures(_: Settings) -> Iterator[Figure]:
    """The connector beside the bare loop: the median of five pairs, because two processes share the machine with us."""
    pairs = [(ours.rows_per_second, bare.rows_per_second) for ours, bare in (measure(ROWS) for _ in range(5))]
    name = f"REST source, {ROWS / 1e6:g} M rows to Parquet"
    yield figure(name, "rows/s", *median_pair(pairs), "a bare loop over the same pages", 0.8)
    for rows in (200_000, 4_000_000):
        peak, _bare = measure(rows)
        yield figure(f"REST source, {rows / 1e6:g} M rows: peak", "MB", peak.peak_mb, 400, "allowed", 1, at_most=True)


def measure(rows: int) -> tuple[Outcome, Outcome]:
    """The connector to landed Parquet, and the bare loop, over the same pages of PAGE_ROWS."""
    server = subprocess.Popen([sys.executable, "-m", "bench.rest", str(rows)], cwd=REPOSITORY, stdout=subprocess.PIPE)
    try:
        port = int((server.stdout or sys.stdin.buffer).readline())
        prefix = "KHOCHUNG_SOURCE_POPULATION"
        os.environ |= {
            f"{prefix}_URL": f"http://127.0.0.1:{port}",
            f"{prefix}_KEY": "bench",
            f"{prefix}_SECRET": "bench",
        }
        outcomes = in_child(connector), in_child(bare)
    finally:
        server.terminate()
        server.wait()
    for outcome in outcomes:
        if outcome.rows != rows:
            raise RuntimeError(f"read {outcome.rows} of {rows} rows")
    return outcomes


def connector() -> int:
    """Every page through the connector into landing."""
    source = contract.source("population")
    table = source.table("resident")
    window = Window(date(2025, 9, 30), None, datetime(2025, 10, 1, tzinfo=UTC))
    with tempfile.TemporaryDirectory() as folder, open_delivery(source, table, window, frozenset()) as deliveries:
        manifest = landing.write(Settings(Path(folder)), table, window, deliveries[0])
        return landing.read_manifest(manifest).rows


def bare() -> int:
    """The floor: one request after the other, parsed and dropped."""
    url, rows, number = os.environ["KHOCHUNG_SOURCE_POPULATION_URL"], 0, 1
    with httpx.Client(timeout=60) as client:
        token = client.post(f"{url}/token").json()["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        while True:
            answer = client.get(f"{url}{PATH}", params={"page": number, "pageSize": PAGE_ROWS}, headers=headers)
            body = orjson.loads(answer.content)
            rows, number = rows + len(body["Data"]), number + 1
            if rows >= body["Total"]:
                return rows


def _resident(number: int) -> dict[str, object]:
    place = {
        "MaTinhThanh": "80",
        "MaQuanHuyen": "794",
        "MaPhuongXa": f"{27694 + number % 180}",
        "ChiTiet": f"Số {number} đường 30/4",
    }
    return {
        "MaBanGhi": f"DC{number:010}", "SoDinhDanh": f"080{number:09}", "SoCMND": None,
        "HoVaTen": {"Ho": "Nguyễn", "ChuDem": "Thị", "Ten": f"Tên {number % 400}"}, "GioiTinh": str(1 + number % 2),
        "NamSinh": str(1940 + number % 80), "NgayThangNam": f"{1 + number % 28:02}/06/{1940 + number % 80}",
        "SoSoHoKhau": f"HK{number // 4:08}", "ChuHo": {"QuanHe": "Con"}, "ThuongTru": place,
        "NgayDangKyThuongTru": "05/03/2019", "NoiOHienTai": place, "SoDienThoai": f"09{number:08}", "TrangThai": "1",
        "NgayCapNhat": "2025-08-01T09:00:00+07:00",
    }  # fmt: skip


def serve(rows: int) -> None:
    """Answer `rows` rows until the process is ended; prints its port."""
    pages = [orjson.dumps([_resident(kind * PAGE_ROWS + row) for row in range(PAGE_ROWS)]) for kind in range(KINDS)]

    async def page(request: Request) -> Response:
        number = int(request.query_params["page"])
        sent = min(PAGE_ROWS, rows - (number - 1) * PAGE_ROWS)
        data = (
            pages[number % KINDS]
            if sent == PAGE_ROWS
            else orjson.dumps([_resident(row) for row in range(max(0, sent))])
        )
        head = b'{"Status":"SUCCESS","Total":%d,"Page":%d,"PageSize":%d,"Data":' % (rows, number, PAGE_ROWS)
        return Response(head + data + b"}", media_type="application/json")

    async def token(_: Request) -> Response:
        return Response(b'{"access_token":"bench","expires_in":3600}', media_type="application/json")

    routes = [Route(PATH, page), Route("/token", token, methods=["POST"])]
    server = uvicorn.Server(uvicorn.Config(Starlette(routes=routes), port=0, log_level="error", access_log=False))
    socket = server.config.bind_socket()
    print(socket.getsockname()[1], flush=True)
    server.run([socket])


if __name__ == "__main__":
    serve(int(sys.argv[1]))
