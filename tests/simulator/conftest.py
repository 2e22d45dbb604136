"""Small built worlds, shared by the tests of the simulator."""

from collections.abc import Callable

import pytest
from simulator_home import AS_OF, SCALE, SEED, Built

from simulator import defects
from simulator.build import Settings, World, build, generate
from simulator.columns import day_number
from simulator.delivery import chunks


@pytest.fixture(scope="session")
def world() -> World:
    """The tables of a world of one hundredth."""
    return generate(SEED, SCALE)


@pytest.fixture(scope="session")
def make(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, float, int], Built]:
    """Builds homes by (as_of, scale, seed); each once."""
    done: dict[tuple[str, float, int], Built] = {}

    def maker(as_of: str, scale: float, seed: int) -> Built:
        key = (as_of, scale, seed)
        if key not in done:
            home = tmp_path_factory.mktemp("simulator")
            settings = Settings(home, scale, as_of, seed)
            build(settings)
            done[key] = Built(home, settings)
        return done[key]

    return maker


@pytest.fixture(scope="session")
def built(make: Callable[[str, float, int], Built]) -> Built:
    """The home of one hundredth on the default day."""
    return make(AS_OF, SCALE, SEED)


@pytest.fixture(scope="session")
def listed(built: Built, world: World) -> list[dict[str, str]]:
    """The list of injected defects, those of the land database included."""
    land = [found for table in world.land for _, _, part in chunks(table, day_number(AS_OF)) for found in part]
    return built.defects() + [dict(zip(defects.HEADER, row, strict=True)) for row in land]
