"""The pages: examples run, command lines parse, links lead somewhere, tables equal the code.

Conventions of the pages: the ``python`` fences of one page run in order, in one namespace and an empty
folder. A ``python`` or ``toml`` fence that begins with ``# name.ext`` is that file, and a ``text`` fence
after a ``python`` fence is what it prints. Nothing needs a network or a data set.
"""

import re
import shlex
import socket
import sys
import tomllib
from dataclasses import fields
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import pytest
import typer

from fedras_ray.config import build
from fedras_ray.data.catalog import entry
from fedras_ray.records import KINDS, EvaluationRecord, VersionRecord
from fedras_ray.telemetry.instruments import INSTRUMENTS
from workloads import record_writer
from workloads.cli import app
from workloads.comparing.plan import Question, plan
from workloads.comparing.study import is_study
from workloads.experiments import find
from workloads.fleets.command import chosen_experiment as fleet_experiment

ROOT = Path(__file__).parents[2]
DOCS = sorted((ROOT / "docs").glob("*.md"))
PAGES = {page.relative_to(ROOT).as_posix(): page for page in [*ROOT.glob("*.md"), *DOCS]}
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
FILE_LINE = re.compile(r"# ([\w-]+\.\w+)\n")
ONLY_HERE = re.compile(r"TODO|FIXME|/(?:work|root|tmp(?!/ray/)|home|farm)/|pypi", re.IGNORECASE)
MOST_LINES = 125


class Fence(NamedTuple):
    kind: str
    text: str
    printed: str | None  # what the page says that it prints


def fences(page):
    found = FENCE.findall(page.read_text(encoding="utf-8"))
    return [
        Fence(kind, text, after if next_kind == "text" else None)
        for (kind, text), (next_kind, after) in pairwise([*found, ("", "")])
    ]


def pages_with(*kinds):
    return [name for name, page in PAGES.items() if {fence.kind for fence in fences(page)} & set(kinds)]


@pytest.fixture(autouse=True)
def empty_folder(tmp_path, monkeypatch):
    """A folder of its own, without data, network or what an earlier page imported."""

    def refuse(*_):
        raise OSError("the examples need no network")

    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("FEDRAS_CACHE", str(tmp_path / "cache"))
    for name in ("FEDRAS_DATA", "MLFLOW_TRACKING_URI", "RAY_JOB_CONFIG_JSON_ENV_VAR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", None) or "").startswith(str(tmp_path)):
            del sys.modules[name]


def run_page(name, monkeypatch, capsys):
    """Run a page; returns what its examples left in their namespace."""
    module = ModuleType("page")
    monkeypatch.setitem(sys.modules, "page", module)  # dataclasses look their module up
    for fence in fences(PAGES[name]):
        file = FILE_LINE.match(fence.text)
        if fence.kind in ("python", "toml") and file:
            Path(file[1]).write_text(fence.text, encoding="utf-8")
        elif fence.kind == "python":
            capsys.readouterr()
            exec(compile(fence.text, name, "exec"), module.__dict__)
            printed = capsys.readouterr().out
            assert fence.printed is None or printed == fence.printed
    return module


@pytest.mark.parametrize("name", pages_with("python"))
def test_the_examples_run(name, monkeypatch, capsys):
    module = run_page(name, monkeypatch, capsys)
    if name == "docs/outputs.md":
        summary = module.outcome.summary
        assert names_in(0, "summary") == list(summary)
        sections = ("dataset", "evaluation", "bytes", "wall")
        assert names_in(1, "summary", *sections) == [key for name in sections for key in summary[name]]
        assert names_in(1, "summary", "classes") == list(summary["classes"][0])
        assert names_in(1, "summary", "participation") == list(summary["participation"])


@pytest.mark.parametrize("name", pages_with("toml"))
def test_experiments_are_valid(name):
    for fence in fences(PAGES[name]):
        if fence.kind == "toml" and is_study(tomllib.loads(fence.text)):
            Path("study.toml").write_text(fence.text, encoding="utf-8")
            plan(["study.toml"], [], Question())
        elif fence.kind == "toml":
            build(tomllib.loads(fence.text))


@pytest.mark.parametrize("name", PAGES)
def test_command_lines_parse(name):
    page = PAGES[name].read_text(encoding="utf-8")
    spans = re.findall(r"`(fedras [a-z][^`…]*)`", FENCE.sub("", page))
    for line in lines_of_shell(name):
        check_command(shlex.split(line, comments=True))
    for span in spans:
        check_fedras(shlex.split(span)[1:], mentioned=True)


def lines_of_shell(name):
    shell = [fence.text for fence in fences(PAGES[name]) if fence.kind in ("console", "bash", "sh")]
    return [line.removeprefix("$ ") for text in shell for line in text.replace("\\\n", " ").splitlines()]


def check_command(words):
    """A line of a shell, as far as it is ours: `make`, `fedras`, and jobs that run it."""
    while words and re.match(r"\w+=", words[0]):
        words = words[1:]
    match words:
        case ["make", target, *_]:
            assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE), words
        case ["ray", "job", "submit", *rest]:
            check_command(rest[rest.index("--") + 1 :])
        case ["ray", "up", file]:
            assert (ROOT / file).is_file()
        case ["fedras", *rest] | ["python", "-m", "workloads", *rest]:
            check_fedras(rest)


def check_fedras(words, mentioned=False):
    command = typer.main.get_command(app)
    while words and words[0] in getattr(command, "commands", {}):
        command, words = command.commands[words[0]], words[1:]
    assert not hasattr(command, "commands") or not words, f"no such command: {words}"
    if hasattr(command, "commands") or (mentioned and not words):
        return
    known = command.make_context("fedras", words).params  # raises on what does not exist
    if "experiment" in known:
        name = known["experiment"]
        tree = {} if name.endswith(".toml") else tomllib.loads(find(name).read_text(encoding="utf-8"))
        build(tree, known["settings"] or [])
    elif "sources" in known:
        named = [source for source in known["sources"] if not source.endswith(".toml")]
        assert not named or plan(named, known["settings"] or [], Question())
    elif "source" in known:
        fleet_experiment(known["source"], known["settings"] or [])
    elif "name" in known and not known["name"].endswith(".toml"):
        entry(known["name"])


@pytest.mark.parametrize("name", PAGES)
def test_relative_links_lead_somewhere(name):
    page = PAGES[name]
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        if re.match(r"https?:", link):
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def anchors(page):
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_says_nothing_of_one_machine_and_leaves_nothing_open(name):
    assert ONLY_HERE.findall(PAGES[name].read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("page", DOCS, ids=lambda page: page.name)
def test_a_page_is_short_says_what_it_is_for_and_is_on_the_map(page):
    text = page.read_text(encoding="utf-8")
    assert re.match(r"# .+\n\nAfter this page you ", text)
    assert len(text.splitlines()) <= MOST_LINES
    assert page.name == "index.md" or f"({page.name})" in (ROOT / "docs/index.md").read_text(encoding="utf-8")
    assert page.name == "index.md" or "```python" in text


def test_the_picture_is_small():
    assert (ROOT / "docs/picture.svg").stat().st_size <= 60_000
    assert (ROOT / "docs/report.png").stat().st_size <= 200_000


def table(name, page="docs/outputs.md"):
    """The rows of a table of a page between its two marks, without its head."""
    text = PAGES[page].read_text(encoding="utf-8")
    rows = text.split(f"<!-- {name} -->")[1].split(f"<!-- /{name} -->")[0].strip().splitlines()[2:]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def names_in(column, name, *keys):
    """The names in one column of a table, in its rows with these keys or in all."""
    rows = [row for row in table(name) if not keys or row[0].strip("`") in keys]
    return [found for row in rows for found in re.findall(r"`(.+?)`", row[column])]


def test_the_table_of_record_columns_equals_the_code():
    schema = record_writer.schema()
    assert names_in(0, "records") == schema.names
    for names, arrow, kinds, _ in table("records"):
        for name in re.findall(r"`(.+?)`", names):
            assert (str(schema.field(name).type), kinds) == (arrow, kinds_with(name)), name


def test_the_table_of_instruments_equals_the_code():
    told = [
        [f"`{one.name}`", ", ".join(f"`{label}`" for label in one.labels), one.about] for one in INSTRUMENTS
    ]
    assert table("instruments", "docs/watch.md") == told


def kinds_with(column):
    """The kinds of records that have a column; a metric's is an evaluation."""
    kinds = [kind for record, kind in KINDS.items() if column in {field.name for field in fields(record)}]
    return "all" if column == "kind" else ", ".join(kinds) or "evaluation"


def test_the_table_of_mlflow_metrics_equals_the_code():
    from workloads.tracking.mlflow_sink import quality_metrics, version_metrics

    version = VersionRecord(*[0] * len(fields(VersionRecord)))
    quality = tuple((metric, 0.0) for metric in record_writer.METRICS)
    evaluation = EvaluationRecord(0, 0, 0, 0, 0, 0, quality, quality)
    assert names_in(0, "mlflow") == [*version_metrics(version), *quality_metrics(evaluation)]
