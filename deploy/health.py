"""`health.py URL COMPONENT`: exit 0 when Airflow's API says that the component's heartbeat is recent.

`airflow jobs check` says the same for several seconds of CPU at each call.
"""

import json
import sys
from urllib.request import urlopen

url, component = sys.argv[1:]
with urlopen(f"{url}/api/v2/monitor/health", timeout=8) as answer:  # noqa: S310 (our own address)  # noqa: S310 (the address stands in docker-compose.yml)
    state = json.load(answer)[component]
print(component, state)
sys.exit(state["status"] != "healthy")
