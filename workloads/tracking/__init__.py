"""MLflow, told about runs.

Unless the user says otherwise, MLflow is quiet on standard error, sends no telemetry, and gives up
on a server that does not answer after seconds, not minutes. It reads these settings when it is
imported, so they are made here, before.
"""

import logging
import os

DEFAULTS = {
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",  # seconds, for one request
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
}
for _name, _value in DEFAULTS.items():
    os.environ.setdefault(_name, _value)
logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)  # it announces every retry
