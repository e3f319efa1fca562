"""Fetching from a real server: whole, verified, bounded, or not at all."""

import hashlib
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from fedras_ray.data.archives import take_from_wheel, take_member
from fedras_ray.data.download import cache_folder, fetch, keep
from fedras_ray.errors import DataError

BODY = bytes(range(256)) * 1000
SHA256 = hashlib.sha256(BODY).hexdigest()
STOP = threading.Event()


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/gone":
            self.send_error(404, "Not Found")
            return
        self.send_response(200)
        if self.path != "/unsized":
            self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        if self.path == "/silent":
            STOP.wait(10)
        elif self.path == "/drip":
            while not STOP.wait(0.02):
                self.wfile.write(b".")
        else:
            self.wfile.write(BODY[: len(BODY) // 2] if self.path == "/cut" else BODY)

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        """A client that hangs up is what some of these tests are about."""


@pytest.fixture(scope="module")
def server():
    STOP.clear()
    with Server(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        STOP.set()
        running.shutdown()
        thread.join(10)


def test_a_file_arrives_whole(server, tmp_path):
    seen = []
    target = tmp_path / "new" / "file.bin"
    assert fetch(f"{server}/file", target, SHA256, progress=lambda *now: seen.append(now)) == target
    assert target.read_bytes() == BODY
    assert seen[-1] == (len(BODY), len(BODY))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert list(target.parent.iterdir()) == [target]


def test_a_server_that_does_not_say_how_much(server, tmp_path):
    assert fetch(f"{server}/unsized", tmp_path / "file", SHA256).read_bytes() == BODY


@pytest.mark.parametrize(
    ("path", "options", "problem"),
    [
        ("/file", {"sha256": "0" * 64}, f"expected SHA-256 {'0' * 64}, found {SHA256}"),
        ("/cut", {}, f"was cut short: {len(BODY) // 2} of {len(BODY)} bytes"),
        ("/gone", {}, "the server answers 404 Not Found"),
        ("/file", {"most_bytes": 1000}, "is larger than the 1000 bytes"),
        ("/silent", {"quiet_s": 0.2}, "cannot be fetched: timed out"),
        ("/drip", {"total_s": 0.2}, "took more than 0.2 s"),
    ],
)
def test_nothing_is_kept_of_what_is_not_whole(server, tmp_path, path, options, problem):
    target = tmp_path / "file"
    target.write_bytes(b"before")
    with pytest.raises(DataError, match=problem) as caught:
        fetch(server + path, target, **options)
    assert caught.value.args[0] == server + path
    assert target.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [target]


def test_nobody_there(tmp_path):
    for url, problem in (
        ("http://127.0.0.1:9/", "cannot be fetched: .*refused"),
        ("http://[bad", "cannot be fetched"),
        ("file:///etc/hostname", "only http"),
    ):
        with pytest.raises(DataError, match=problem):
            fetch(url, tmp_path / "file", quiet_s=2)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(DataError, match="cannot be written"):
        keep([b"x"], tmp_path / "file" / "below", "origin", None)


def test_the_cache_is_where_it_is_said_to_be(monkeypatch):
    monkeypatch.setenv("FEDRAS_CACHE", "~/somewhere")
    assert cache_folder() == Path.home() / "somewhere"
    monkeypatch.delenv("FEDRAS_CACHE")
    assert cache_folder() == Path.home() / ".cache" / "fedras"


@pytest.fixture
def archive(tmp_path):
    path = tmp_path / "some.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr("inside/data.txt", BODY)
        opened.writestr("../outside.txt", b"never")
    return path


def test_one_member_is_taken_and_no_other(archive, tmp_path):
    target = tmp_path / "cache" / "data.txt"
    assert take_member(archive, "inside/data.txt", target, SHA256).read_bytes() == BODY
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["cache", "data.txt", "some.zip"]


def test_archives_that_do_not_hold_it(archive, tmp_path):
    target = tmp_path / "data.txt"
    broken = bytearray(archive.read_bytes())
    broken[60:80] = bytes(20)
    (tmp_path / "broken.zip").write_bytes(broken)
    (tmp_path / "no.zip").write_bytes(BODY)
    for name, member, options, problem in (
        ("some.zip", "inside/other.txt", {}, "no such member"),
        ("some.zip", "inside/data.txt", {"sha256": "0" * 64}, "expected SHA-256"),
        ("some.zip", "inside/data.txt", {"most_bytes": 100}, "is larger than"),
        ("broken.zip", "inside/data.txt", {}, "cannot be unpacked"),
        ("no.zip", "inside/data.txt", {}, "cannot be unpacked"),
        ("none.zip", "inside/data.txt", {}, "cannot be unpacked"),
    ):
        with pytest.raises(DataError, match=problem) as caught:
            take_member(tmp_path / name, member, target, **options)
        assert caught.value.args[0] == f"{name}:{member}"
        assert not target.exists()


def test_pip_that_fails_or_hangs_is_one_clear_error(tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")  # no index is asked
    with pytest.raises(DataError, match="pip download failed: ERROR: No matching distribution"):
        take_from_wheel("recbole==1.2.1", "x", tmp_path / "x", SHA256)
    with pytest.raises(DataError, match=r"took more than 0\.01 s"):
        take_from_wheel("recbole==1.2.1", "x", tmp_path / "x", SHA256, limit_s=0.01)
    monkeypatch.setattr("sys.executable", str(tmp_path / "no-python"))
    with pytest.raises(DataError, match="pip cannot be started"):
        take_from_wheel("recbole==1.2.1", "x", tmp_path / "x", SHA256)
