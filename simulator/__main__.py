"""Command line of the stand-in source systems: serve, build, defects."""

import argparse
import asyncio
import contextlib
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import uvicorn

from simulator import province
from simulator.build import Settings, build, stem
from simulator.http import Service, application
from simulator.store import Store
from simulator.wire import HTTP_LAYOUTS


def parser() -> argparse.ArgumentParser:
    """Arguments of all commands."""
    top = argparse.ArgumentParser(prog="simulator", description="Stand-in source systems; all people are generated.")
    commands = top.add_subparsers(dest="command", required=True)
    for name in ("serve", "build"):
        command = commands.add_parser(name)
        command.add_argument("--home", type=Path, required=True)
        command.add_argument("--scale", type=float, default=0.1)
        command.add_argument("--as-of", default="2025-09-30")
        command.add_argument("--province", default=province.DEFAULT, help="its code, or that of one it was formed from")
        command.add_argument("--seed", type=int, help="default: the number of the province")
        command.add_argument("--land-dsn")
        if name == "serve":
            command.add_argument("--port", type=int, default=8180)
            command.add_argument("--token-seconds", type=int, default=300)
            command.add_argument("--no-faults", action="store_true", help="no 503, error bodies or repeated rows")
    commands.add_parser("defects").add_argument("--home", type=Path, required=True)
    return top


def _settings(arguments: argparse.Namespace) -> Settings:
    code = province.load(arguments.province).code
    seed = int(code) if arguments.seed is None else arguments.seed
    return Settings(arguments.home.resolve(), arguments.scale, arguments.as_of, seed, arguments.land_dsn, code)


def _build_command(settings: Settings) -> list[str]:
    command = [sys.executable, "-m", "simulator", "build", "--home", str(settings.home)]
    command += ["--scale", str(settings.scale), "--as-of", settings.as_of, "--seed", str(settings.seed)]
    command += ["--province", settings.province]
    return command + (["--land-dsn", settings.land_dsn] if settings.land_dsn else [])


class Server(uvicorn.Server):
    """A server that ends with exit code 0 on SIGTERM; uvicorn would raise the signal once more."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop on SIGINT or SIGTERM."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        yield


async def _prepare(service: Service, settings: Settings, server: uvicorn.Server) -> int:
    """Build in a process of its own, so that its memory is given back, then open the stores."""
    process = await asyncio.create_subprocess_exec(*_build_command(settings))
    waiter = asyncio.create_task(process.wait())
    while not waiter.done():
        if server.should_exit:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
        await asyncio.wait([waiter], timeout=0.2)
    if server.should_exit:
        return 0
    if waiter.result():
        server.should_exit = True
        return waiter.result()
    for layout in HTTP_LAYOUTS:
        service.stores[layout.path] = Store(stem(settings.cache, layout), layout.snapshot)
    service.ready = True
    print(f"simulator serving http://127.0.0.1:{server.config.port} as of {settings.as_of}", flush=True)
    return 0


async def _serve(arguments: argparse.Namespace) -> int:
    settings = _settings(arguments)
    settings.home.mkdir(parents=True, exist_ok=True)
    service = Service(settings.as_of, token_seconds=arguments.token_seconds, faults=not arguments.no_faults)
    config = uvicorn.Config(
        application(service), host="127.0.0.1", port=arguments.port, log_level="warning", access_log=False
    )
    server = Server(config)
    preparing = asyncio.create_task(_prepare(service, settings, server))
    await server.serve()
    return await preparing


def main() -> int:
    """Run one command; returns the exit code."""
    arguments = parser().parse_args()
    if arguments.command == "serve":
        return asyncio.run(_serve(arguments))
    if arguments.command == "build":
        build(_settings(arguments))
        return 0
    print((arguments.home / "injected_defects.csv").read_text(encoding="utf-8"), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
