"""docker-compose.yml against the Compose specification, the local services, the contracts and deploy/.env.example."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import compose_spec
import pytest

from deploy import by_hand
from khochung import contract, postgres, services
from khochung.gate import approval
from khochung.settings import REPOSITORY, ROLES, Settings

DEPLOY = REPOSITORY / "deploy"
TEXT = by_hand.COMPOSE.read_text(encoding="utf-8")
EXAMPLE = by_hand.env_file(DEPLOY / ".env.example")
FILLED = {name: f"value-of-{name}" for name, value in EXAMPLE.items() if not value}
VARIABLES = EXAMPLE | {name: f"/{value}" if name.endswith("_FOLDER") else value for name, value in FILLED.items()}
AIRFLOW = ("init", "api-server", "scheduler", "dag-processor", "triggerer", "worker")
TASKS = ("scheduler", "worker")
ENVIRONMENT: dict[str, tuple[str, ...]] = {"lgsp": ("URL", "KEY", "SECRET"), "database": ("DSN",), "files": ()}
FOLDERS = "KHOCHUNG_SOURCES_FOLDER"  # of all sources that drop files
SECRET = re.compile(r"PASSWORD|SECRET|_KEY|FERNET|AUTH$|_DSN|CONN|BROKER_URL|RESULT_BACKEND")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return by_hand.expand(by_hand.load(), VARIABLES)


@pytest.fixture(scope="module")
def declared(compose: dict[str, Any]) -> dict[str, Any]:
    return compose["services"]


def test_follows_the_compose_specification(compose: dict[str, Any]) -> None:
    compose_spec.PyCompose.from_json(json.dumps(compose)).validate()


def test_the_specification_is_enforced() -> None:
    with pytest.raises(ValueError, match="bogus"):
        compose_spec.PyCompose.from_json('{"services": {"one": {"image": "x", "bogus": 1}}}')


def test_every_airflow_process_has_the_settings_of_the_local_ones(declared: dict[str, Any]) -> None:
    for name in AIRFLOW:
        environment = declared[name]["environment"]
        shared = {key: environment.get(key) for key in services.AIRFLOW_SETTINGS}
        assert shared == dict(services.AIRFLOW_SETTINGS), name


def test_no_airflow_setting_of_the_local_services_is_forgotten(declared: dict[str, Any], tmp_path: Path) -> None:
    """Local users come from a file, on servers from the metadata database; everything else has its counterpart."""
    local = set(services.airflow_environment(Settings(tmp_path)))
    local -= {approval.DEMONSTRATION}  # on servers people decide
    local -= {"AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS", "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"}
    assert local - set(declared["scheduler"]["environment"]) == set()


def test_nobody_approves_for_demonstration_on_servers(declared: dict[str, Any]) -> None:
    assert approval.DEMONSTRATION not in TEXT
    for name in TASKS:
        assert approval.CHANGED_BY in declared[name]["environment"], name


def test_airflow_processes_agree_on_what_must_be_one(declared: dict[str, Any]) -> None:
    shared = [name for name in declared["api-server"]["environment"] if name.startswith(("AIRFLOW", "KHOCHUNG_HOME"))]
    assert {"AIRFLOW__API_AUTH__JWT_SECRET", "AIRFLOW__CORE__EXECUTION_API_SERVER_URL"} <= set(shared)
    for name in AIRFLOW:
        for key in shared:
            assert declared[name]["environment"][key] == declared["api-server"]["environment"][key], (name, key)


def test_commands_are_those_of_the_local_services(declared: dict[str, Any], tmp_path: Path) -> None:
    for service in services.airflow_services(Settings(tmp_path)):
        local = [Path(service.command[0]).name, *service.command[1:]]
        places = {"127.0.0.1": "0.0.0.0", str(services.port("AIRFLOW")): "8080"}
        assert [places.get(word, word) for word in local] == declared[service.name]["command"]


def test_postgresql_is_configured_as_the_local_one(declared: dict[str, Any]) -> None:
    # On servers the log may be what a backup lives on.
    elsewhere = {"listen_addresses", "unix_socket_permissions", "wal_level", "max_wal_senders"}
    local = {name: value.strip("'") for name, value in postgres.CONFIGURATION.items() if name not in elsewhere}
    given = dict(word.removeprefix("-c").split("=", 1) for word in declared["postgres"]["command"][1:])
    assert given == local


def test_a_celery_task_is_never_handed_out_twice(declared: dict[str, Any]) -> None:
    environment = declared["worker"]["environment"]
    visible = int(environment["AIRFLOW__CELERY_BROKER_TRANSPORT_OPTIONS__VISIBILITY_TIMEOUT"])
    assert visible >= int(environment["AIRFLOW__EXECUTION_API__JWT_EXPIRATION_TIME"])
    assert declared["worker"]["profiles"] == declared["redis"]["profiles"] == ["celery"]


def test_tasks_know_every_source_and_role(declared: dict[str, Any]) -> None:
    sources = {
        f"KHOCHUNG_SOURCE_{source.name.upper()}_{suffix}"
        for source in contract.sources().values()
        for suffix in ENVIRONMENT[source.connector]
    }
    roles = {f"KHOCHUNG_PASSWORD_{role.upper()}" for role in ROLES}
    assert {name for name in EXAMPLE if name.startswith("KHOCHUNG_SOURCE_")} == sources
    for name in TASKS:
        given = {key for key in declared[name]["environment"] if key.startswith(("KHOCHUNG_SOURCE_", "KHOCHUNG_PASS"))}
        assert given == sources | roles, name
        mounted = {volume.split(":")[1] for volume in declared[name]["volumes"]}
        assert declared[name]["environment"][FOLDERS] in mounted


def test_secrets_stand_only_where_they_are_used(declared: dict[str, Any]) -> None:
    for name, service in declared.items():
        values = json.dumps(service)
        assert ("value-of-POSTGRES_PASSWORD" in values) == (name in ("postgres", "init")), name
        assert ("value-of-KHOCHUNG_SOURCE_LAND_DSN" in values) == (name in TASKS), name
        assert ("value-of-KHOCHUNG_PSEUDONYM_KEY" in values) == (name in TASKS), name
        assert ("value-of-KHOCHUNG_NOISE_KEY" in values) == (name in TASKS), name
        assert ("value-of-KHOCHUNG_GATE_KEY" in values) == (name in TASKS), name
        assert ("value-of-KHOCHUNG_RELEASE_KEY" in values) == (name in TASKS), name
        assert ("value-of-KHOCHUNG_PASSWORD_LOADER" in values) == (name in (*TASKS, "init")), name
    assert "environment" not in declared["portal"]
    assert declared["portal"]["networks"] == ["edge"]


def test_no_password_is_written_down_or_has_a_default() -> None:
    raw = by_hand.load()["services"]
    for name, service in raw.items():
        for key, value in service.get("environment", {}).items():
            if SECRET.search(key) and key != "KHOCHUNG_WAREHOUSE_DSN":
                assert ":?" in value, f"{name}: {key} must come from the environment"
        address = service.get("environment", {}).get("KHOCHUNG_WAREHOUSE_DSN", "")
        assert "@" not in address or ":?" in address
    defaults = dict(re.findall(r"\$\{(\w+):-([^}]*)\}", TEXT))
    assert not [name for name, value in defaults.items() if value and SECRET.search(name)]
    assert not [name for name, value in EXAMPLE.items() if value and SECRET.search(name)]


def test_the_example_lists_what_the_file_reads() -> None:
    read = set(re.findall(r"(?<!\$)\$\{(\w+)", TEXT)) | {"COMPOSE_PROFILES"}
    assert set(EXAMPLE) == read
    defaults = dict(re.findall(r"\$\{(\w+):-([^}]*)\}", TEXT))
    assert {name: EXAMPLE[name] for name in defaults} == defaults


def test_a_missing_secret_stops_everything() -> None:
    for name in re.findall(r"\$\{(\w+):\?", TEXT):
        with pytest.raises(ValueError, match=f"{name} is missing"):
            by_hand.expand(by_hand.load(), VARIABLES | {name: ""})


def test_every_lasting_service_has_a_health_check_and_comes_back(declared: dict[str, Any]) -> None:
    assert declared["init"]["restart"] == "no"
    for name, service in declared.items():
        if name != "init":
            assert service["healthcheck"]["test"], name
            assert service["restart"] == "unless-stopped", name


def test_named_volumes_are_declared_and_used(compose: dict[str, Any]) -> None:
    mounted = {
        volume.split(":")[0] for service in compose["services"].values() for volume in service.get("volumes", ())
    }
    named = {name for name in mounted if not name.startswith((".", "/", "value-of-"))}
    assert named == set(compose["volumes"])


def test_the_portal_sees_releases_and_nothing_else_and_cannot_write(declared: dict[str, Any]) -> None:
    volumes = {volume.split(":")[0] for volume in declared["portal"]["volumes"]}
    assert volumes == {"./deploy/nginx.conf", "home"}
    assert all(volume.endswith(":ro") for volume in declared["portal"]["volumes"])
    own = {volume.split(":")[1] for volume in declared["scheduler"]["volumes"] if not volume.startswith("home:")}
    home = Settings(Path("/var/lib/khochung"))
    private = (home.airflow, home.landing, home.artefacts, home.internal, home.logs)
    assert {str(path) for path in private} <= own


def test_fresh_secrets_are_complete_and_differ(tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.fail("openssl is needed by deploy/new-env.sh: install it")
    drawn = subprocess.run(["sh", DEPLOY / "new-env.sh"], check=True, capture_output=True, text=True).stdout
    (tmp_path / "env").write_text(drawn, encoding="utf-8")
    fresh = by_hand.env_file(tmp_path / "env")
    secrets = [fresh[name] for name in list(fresh)[: list(fresh).index("KHOCHUNG_SOURCE_POPULATION_URL")]]
    assert list(fresh) == list(EXAMPLE)
    assert all(len(secret) >= 44 for secret in secrets)
    assert len(set(secrets)) == len(secrets)


def test_the_image_is_built_from_the_lock_as_here() -> None:
    dockerfile = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    version = re.search(r"^UV := (uv==\S+)$", makefile, re.MULTILINE)
    assert version is not None
    assert f'"{version[1]}"' in dockerfile
    assert "--require-hashes" in dockerfile
    assert "\nUSER khochung\n" in dockerfile
