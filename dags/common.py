"""What every DAG shares: defaults, assets, retry rules. Imports nothing heavy: it runs whenever a DAG is parsed.

No DAG has a start date, so that a new installation waits for its first tick and does not make up for the last one.
"""

from datetime import timedelta
from typing import Any

from airflow.sdk import Asset, ExceptionRetryPolicy, RetryAction, RetryRule

from khochung import contract

TIMEZONE = "Asia/Ho_Chi_Minh"
# What may pass is tried again; a broken contract, refused credentials or a fired guard want a person.
RETRIES = ExceptionRetryPolicy(
    rules=[
        RetryRule(
            "khochung.errors.SourceUnavailableError", RetryAction.RETRY, timedelta(seconds=30), "source unavailable"
        ),
        RetryRule("khochung.errors.KhoChungError", RetryAction.FAIL, reason="another try would fail alike"),
        RetryRule("psycopg.OperationalError", RetryAction.RETRY, timedelta(seconds=10), "database restarted"),
    ],
    default=RetryAction.FAIL,
)
DEFAULTS: dict[str, Any] = {"owner": "data-engineering", "retries": 3, "retry_policy": RETRIES}
RAW = {name: Asset(f"raw_{name}", f"khochung://raw/{name}") for name in contract.sources()}
OPEN_DATA = Asset("warehouse_open_data", "khochung://warehouse/open_data")
# Somebody is asked to decide; somebody has decided.
APPROVAL = Asset("approval_wanted", "khochung://approval/wanted")
APPROVED = Asset("approval_given", "khochung://approval/given")
PUBLIC = Asset("public_release", "khochung://public")
