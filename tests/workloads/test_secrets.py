"""A password in the address of a store is for MLflow alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workloads.command import fedras, settings
from workloads.tracking.secrets import hidden, without_secrets
from workloads.tracking.store import ui_command

SECRET = "s3cr3t-w0rd"


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        (f"postgresql://me:{SECRET}@db:5432/mlflow", "postgresql://me:***@db:5432/mlflow"),
        (f"http://me:{SECRET}@host/path?x=1", "http://me:***@host/path?x=1"),
        (f"https://host/path?access_token={SECRET}&x=1", "https://host/path?access_token=***&x=1"),
        (f"mysql+pymysql://:{SECRET}@db/x?ssl_key=/k.pem", "mysql+pymysql://:***@db/x?ssl_key=***"),
        ("postgresql://me@db/mlflow", "postgresql://me@db/mlflow"),
        ("sqlite:////home/me/mlflow.db", "sqlite:////home/me/mlflow.db"),
        ("http://127.0.0.1:5000", "http://127.0.0.1:5000"),
        ("databricks", "databricks"),
        ("http://[not an address", "http://[not an address"),
    ],
)
def test_an_address_is_shown_without_its_secret(address, shown):
    assert without_secrets(address) == shown


def test_what_a_driver_says_is_shown_without_the_secret():
    address = "postgresql://me:p%40ss%2Fword@db/x"
    assert hidden("could not log in with 'p@ss/word' (p%40ss%2Fword)", address) == (
        "could not log in with '***' (***)"
    )


@given(st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1))
def test_no_secret_survives(secret):
    address = f"postgresql://user:{secret}@db/name"
    assert without_secrets(f"postgresql://u:{secret}@h") == "postgresql://u:***@h"
    assert secret not in hidden(f"refused: {address}, again: {secret}", address)


def test_the_command_for_the_ui_has_none():
    assert SECRET not in ui_command(f"http://me:{SECRET}@host")


def test_a_run_that_fails_does_not_tell_it(tmp_path):
    uri = f"http://me:{SECRET}@127.0.0.1:9"
    said = fedras("run", *settings(), "--serial", cwd=tmp_path, MLFLOW_TRACKING_URI=uri)
    assert said.status == 2
    assert "http://me:***@127.0.0.1:9" in said.err
    assert SECRET not in said.err + said.out
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert not [path for path in kept if SECRET.encode() in path.read_bytes()]
