"""The page Data status as Airflow loads it: in the menu, light to import, closed to strangers."""

import json
import os
import subprocess
import sys
from pathlib import Path

from khochung.settings import REPOSITORY

# Everything that Airflow's server does with a plugin, in an interpreter of its own.
LOAD = """
import json, sys
from airflow import plugins_manager
plugin = next(one for one in plugins_manager._get_plugins()[0] if one.name == "data_status")
light = not any(name.startswith(("khochung.ops", "psycopg")) for name in sys.modules)
view, = [one for one in plugins_manager.get_plugin_info() if one["name"] == "data_status"][0]["external_views"]
from fastapi import FastAPI
from fastapi.testclient import TestClient
app = FastAPI()
for one in plugins_manager.get_fastapi_plugins()[0]:
    app.mount(one["url_prefix"], one["app"])
with TestClient(app) as client:
    answers = [client.get("/data-status" + path).status_code for path in ("/", "/status.json", "/status.css", "/x.css")]
print("@@" + json.dumps({"light": light, "view": view, "answers": answers, "errors": plugins_manager.get_import_errors()}))
"""


def test_the_page_is_in_the_menu_and_asks_who_is_there(tmp_path: Path) -> None:
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "KHOCHUNG", "_AIRFLOW"))
    }
    environment |= {
        "AIRFLOW_HOME": str(tmp_path),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(REPOSITORY / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{tmp_path}/airflow.db",
        "KHOCHUNG_HOME": str(tmp_path),
        "PYTHONPATH": str(REPOSITORY),
    }
    run = subprocess.run([sys.executable, "-c", LOAD], env=environment, capture_output=True, text=True, check=False)
    assert "@@" in run.stdout, run.stderr[-3000:]
    found = json.loads(run.stdout.rpartition("@@")[2])
    assert found["errors"] == {} and found["light"]
    assert (found["view"]["url_route"], found["view"]["href"]) == ("data-status", "/data-status/")
    assert found["answers"] == [401] * 4
