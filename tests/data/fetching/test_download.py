"""One address to one file, and every way in which that can fail."""

from __future__ import annotations

import email.utils
import gzip
import hashlib
import socket
import time
from collections.abc import Callable
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast.data.sources.download import Downloaded, Kind, check_kind, download
from forecast.data.sources.http import Limits, open_answer
from forecast.errors import DataError

from .conftest import Server, plain

TABLE = "location,year,value\n" + "KAZ,2020,1\n" * 300
PAGE = "<!DOCTYPE html><html><head><title>Down for\n maintenance</title></head></html>"


def unanswered(handler: BaseHTTPRequestHandler) -> None:
    time.sleep(0.6)


@pytest.fixture
def get(server: Server, tmp_path: Path, brief: Limits) -> Callable[..., Downloaded]:
    def run(path: str = "/t", kind: str = "csv", **given: object) -> Downloaded:
        # Any answer may take long on a busy machine; only silence is cut short.
        answers = server.answers.get(path)
        silent = unanswered in (answers if isinstance(answers, list) else [answers])
        given = {"limits": replace(brief, read=0.3) if silent else brief, **given}
        return download(server.url + path, tmp_path, kind, **given)  # type: ignore[arg-type]

    return run


def cut(announced: int, sent: int) -> Callable[[BaseHTTPRequestHandler], None]:
    return plain(TABLE[:sent], Content_Length=str(announced))


def test_a_file_comes_whole_with_its_checksum(
    server: Server, get: Callable[..., Downloaded]
) -> None:
    server.answers["/t"] = plain(TABLE, ETag='"1"', Last_Modified="Mon, 01 Jan 2024 00:00:00 GMT")
    came = get()
    assert came.path is not None
    assert came.path.read_text() == TABLE
    assert came.sha256 == hashlib.sha256(TABLE.encode()).hexdigest()
    assert (came.size, came.etag) == (len(TABLE), '"1"')
    assert server.headers[0]["User-Agent"].startswith("migration-forecast/")


def test_what_has_not_changed_is_not_sent_again(
    server: Server, get: Callable[..., Downloaded]
) -> None:
    server.answers["/t"] = plain("", 304)
    known = {"etag": '"1"', "last_modified": "Mon, 01 Jan 2024 00:00:00 GMT"}
    assert get(known=known).path is None
    assert server.headers[0]["If-None-Match"] == '"1"'
    assert server.headers[0]["If-Modified-Since"] == known["last_modified"]
    with pytest.raises(DataError, match="answered 304"):
        get()


@pytest.mark.parametrize(
    "fault",
    [
        plain("busy", 429),
        plain("broken", 500),
        plain("broken", 503),
        cut(len(TABLE), 500),
        plain(gzip.compress(TABLE.encode())[:40], Content_Encoding="gzip"),
        unanswered,
        lambda handler: handler.connection.shutdown(socket.SHUT_RDWR),
    ],
    ids=["429", "500", "503", "cut off", "packed and cut off", "silent", "hangs up"],
)
def test_a_passing_fault_is_tried_again(
    server: Server,
    get: Callable[..., Downloaded],
    tmp_path: Path,
    fault: Callable[[BaseHTTPRequestHandler], None],
) -> None:
    server.answers["/t"] = [fault, fault, plain(TABLE)]
    came = get()
    assert came.path is not None
    assert came.path.read_text() == TABLE
    assert len(server.asked) == 3
    assert list(tmp_path.iterdir()) == [came.path]


@pytest.mark.parametrize(
    ("fault", "message", "asked"),
    [
        (plain("x", 500), "answered 500; tried 3 times", 3),
        (cut(len(TABLE), 500), "broke off .*tried 3 times", 3),
        (plain("x", 404), "answered 404 Not Found. The file has moved", 1),
        (plain("x", 403), "answered 403 Forbidden", 1),
        (plain("x", 429, Retry_After="3600"), "asks to wait 3600 s, longer than 0", 1),
        (plain(PAGE), "web page \\('Down for maintenance'\\) instead of a CSV table", 1),
        (plain(""), "answered with nothing", 1),
        (plain('{"error": 1}'), "not a CSV table: it begins", 1),
        (plain(b"\x00\x01,\x02" * 50), "not a CSV table", 1),
        (plain("a,b\n" * 100_000), "more than 200,000 bytes", 1),
        (plain(gzip.compress(b"0," * 5_000_000), Content_Encoding="gzip"), "more than 200,000", 1),
        (plain("x", 302, Location="/t"), "sends on more than 5 times", 6),
        (plain("x", 302, Location="file:///etc/passwd"), "no address of the web", 1),
        (unanswered, "did not answer within 0.3 s; tried 3 times", 3),
    ],
)
def test_a_lasting_fault_is_one_message_and_leaves_nothing(
    server: Server,
    get: Callable[..., Downloaded],
    tmp_path: Path,
    fault: Callable[[BaseHTTPRequestHandler], None],
    message: str,
    asked: int,
) -> None:
    server.answers["/t"] = fault
    with pytest.raises(DataError, match=message) as caught:
        get()
    assert str(caught.value).startswith(server.url + "/t")
    assert len(server.asked) == asked
    assert list(tmp_path.iterdir()) == []


def test_a_body_without_length_is_bounded(
    server: Server, get: Callable[..., Downloaded], tmp_path: Path
) -> None:
    def endless(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        for _ in range(1000):
            handler.wfile.write(b"1000\r\n" + b"a," * 2048 + b"\r\n")

    server.answers["/t"] = endless
    with pytest.raises(DataError, match="more than 200,000 bytes"):
        get()
    assert list(tmp_path.iterdir()) == []


def test_chunks_that_end_early_are_tried_again(
    server: Server, get: Callable[..., Downloaded]
) -> None:
    def chunked(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        handler.wfile.write(b"1000\r\nlocation,year\n")

    server.answers["/t"] = [chunked, plain(TABLE)]
    assert get().size == len(TABLE)
    assert len(server.asked) == 2


@pytest.mark.parametrize("part", ["headers", "body"])
def test_what_trickles_in_is_ended_by_the_total_limit(
    server: Server, get: Callable[..., Downloaded], brief: Limits, tmp_path: Path, part: str
) -> None:
    def trickle(handler: BaseHTTPRequestHandler) -> None:
        if part == "headers":
            handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
        else:
            handler.send_response(200)
            handler.send_header("Content-Length", "100000")
            handler.end_headers()
        for number in range(200):
            if server.stopped.wait(0.05):
                return
            piece = f"X-{number}: 1\r\n" if part == "headers" else "a,"
            handler.wfile.write(piece.encode())
            handler.wfile.flush()

    server.answers["/t"] = trickle
    start = time.monotonic()
    with pytest.raises(DataError, match=r"not complete after 0\.6 s"):
        get(limits=replace(brief, total=0.6))
    assert time.monotonic() - start < 1.5
    assert list(tmp_path.iterdir()) == []


def test_the_wait_that_a_server_asks_for_is_kept(
    server: Server, get: Callable[..., Downloaded], brief: Limits
) -> None:
    waits: list[float] = []
    patient = replace(brief, longest_pause=30, total=60)
    soon = email.utils.formatdate(time.time() + 20, usegmt=True)
    server.answers["/t"] = [
        plain("x", 429, Retry_After="7"),
        plain("x", 503, Retry_After=soon),
        plain(TABLE),
    ]
    get(sleep=waits.append, limits=patient)
    assert waits[0] == 7
    assert waits[1] == pytest.approx(20, abs=2)
    server.answers["/t"] = plain("x", 500, Retry_After="soon")
    waits.clear()
    with pytest.raises(DataError):
        get(sleep=waits.append, limits=replace(patient, attempts=5, pause=1))
    assert waits == [1, 2, 4, 8]
    server.answers["/t"] = plain("x", 429, Retry_After="20")
    with pytest.raises(DataError, match=r"not complete after 10 s; the last time it answered 429"):
        get(sleep=waits.append, limits=replace(patient, total=10))


def test_packed_answers_are_unpacked(server: Server, get: Callable[..., Downloaded]) -> None:
    server.answers["/t"] = plain(gzip.compress(TABLE.encode()), Content_Encoding="gzip")
    came = get()
    assert came.path is not None
    assert came.path.read_text() == TABLE
    assert server.headers[0]["Accept-Encoding"] == "gzip"


def test_a_checksum_that_differs_is_refused(
    server: Server, get: Callable[..., Downloaded], tmp_path: Path
) -> None:
    server.answers["/t"] = plain(TABLE)
    get(sha256=hashlib.sha256(TABLE.encode()).hexdigest()).path.unlink()  # type: ignore[union-attr]
    with pytest.raises(DataError, match=r"has the checksum [0-9a-f]{64}, not 0000"):
        get(sha256="0" * 64)
    assert list(tmp_path.iterdir()) == []


def test_a_few_redirects_are_followed(server: Server, get: Callable[..., Downloaded]) -> None:
    server.answers["/t"] = plain("", 301, Location="/moved")
    server.answers["/moved"] = plain("", 307, Location=f"{server.url}/again")
    server.answers["/again"] = plain(TABLE)
    assert get().size == len(TABLE)


def test_an_encrypted_address_is_never_left_for_an_open_one(brief: Limits) -> None:
    class Session:
        def get(self, url: str, **_: object) -> SimpleNamespace:
            headers = {"Location": "http://127.0.0.1/t"}
            return SimpleNamespace(status_code=302, headers=headers, close=lambda: None)

    with pytest.raises(DataError, match="not encrypted"):
        open_answer(Session(), "https://127.0.0.1/t", {}, brief, time.monotonic() + 1)  # type: ignore[arg-type]


def test_nobody_at_the_address(tmp_path: Path, brief: Limits) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(DataError, match=r"could not be reached .*tried 3 times"):
        download(f"http://127.0.0.1:{port}/t", tmp_path, "csv", limits=brief)
    for odd in ("ftp://127.0.0.1/t", "/etc/passwd", "http://"):
        with pytest.raises(DataError, match="address"):
            download(odd, tmp_path, "csv", limits=brief)


@given(st.binary(max_size=300), st.sampled_from(["csv", "json", "xml", "zip"]))
def test_any_content_is_passed_or_refused(content: bytes, kind: Kind) -> None:
    try:
        check_kind("http://127.0.0.1/t", content, kind)
    except DataError as error:
        assert "http://127.0.0.1/t" in str(error)  # noqa: PT017  both outcomes are right
    else:
        assert content.strip()


@pytest.mark.parametrize(
    "headers",
    [
        {"Content_Length": "9" * 5000},
        {"Content_Length": "-1"},
        {"Content_Length": "a few"},
        {"Content_Encoding": "gzip, deflate"},
    ],
    ids=["five thousand digits", "negative", "words", "an encoding that is not so"],
)
def test_headers_that_lie_end_in_a_file_or_one_message(
    server: Server, get: Callable[..., Downloaded], tmp_path: Path, headers: dict[str, str]
) -> None:
    server.answers["/t"] = plain(TABLE, **headers)
    try:
        came = get()
    except DataError as error:
        assert server.url in str(error)  # noqa: PT017  both outcomes are right
        assert list(tmp_path.iterdir()) == []
    else:
        assert came.path is not None
        assert came.path.read_text() == TABLE


def test_a_body_that_is_packed_without_saying_so_is_unpacked(
    server: Server, get: Callable[..., Downloaded]
) -> None:
    server.answers["/t"] = plain(gzip.compress(TABLE.encode()))
    came = get()
    assert came.path is not None
    assert came.path.read_text() == TABLE
    # A file that is called .gz is one, and stays packed.
    server.answers["/t.csv.gz"] = plain(gzip.compress(TABLE.encode()))
    packed = get("/t.csv.gz")
    assert packed.path is not None
    assert gzip.decompress(packed.path.read_bytes()).decode() == TABLE


@pytest.mark.parametrize("address", ["http://[", "http://\x01", "//", "http://a b/"])
def test_an_address_that_is_none_is_one_message(
    server: Server, get: Callable[..., Downloaded], address: str
) -> None:
    server.answers["/t"] = plain("x", 302, Location=address)
    with pytest.raises(DataError, match=server.url):
        get()


@pytest.mark.parametrize("wait", ["9" * 5000, "Mon, 01 Jan 99999 00:00:00 GMT", "-5"])
def test_a_wait_that_is_none_is_one_message(
    server: Server, get: Callable[..., Downloaded], wait: str
) -> None:
    server.answers["/t"] = plain("x", 429, Retry_After=wait)
    with pytest.raises(DataError, match="answered 429"):
        get()
