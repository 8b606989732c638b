"""Asking a server: limits, redirects, answers that are none, and how a connection fails.

The attempts are counted here and not by urllib3's ``Retry``: that one asks again only until the
head of an answer is there, knows no bound on all attempts together, and waits as long as a
server pleases.
"""

from __future__ import annotations

import email.utils
import threading
import time
import urllib.parse
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from forecast.errors import DataError

if TYPE_CHECKING:
    import requests

#: Answers after which asking again may help.
_BUSY = (408, 425, 429, 500, 502, 503, 504)
_SENT_ON = (301, 302, 303, 307, 308)


@dataclass(frozen=True)
class Limits:
    """Bounds of one download; nothing waits or grows without one.

    Attributes
    ----------
    connect, read : float
        Seconds until a connection stands, and between two pieces of an answer.
    total : float
        Seconds for one address, all attempts and waits included.
    attempts : int
        How often an address is asked when the server is busy or the connection breaks.
    pause : float
        Seconds before the second attempt; each further pause is twice as long.
    longest_pause : float
        Seconds; a server that asks to wait longer is not waited for.
    size : int
        Bytes that an answer may have, packed or unpacked.
    redirects : int
        How often a server may send us on.
    """

    connect: float = 10.0
    read: float = 30.0
    total: float = 600.0
    attempts: int = 5
    pause: float = 1.0
    longest_pause: float = 60.0
    size: int = 500_000_000
    redirects: int = 5


DEFAULT = Limits()


class AgainError(Exception):
    """The attempt failed in a way that another may not."""

    def __init__(self, reason: str, wait: float | None = None) -> None:
        super().__init__(reason)
        self.wait = wait


def too_late(url: str, limits: Limits, reason: str = "") -> DataError:
    """Return the error for an address that took longer than it may.

    Parameters
    ----------
    url : str
        What was asked for.
    limits : Limits
        Its ``total`` is the time that was over.
    reason : str
        How the last attempt failed, as the rest of "it …"; empty if it did not.

    Returns
    -------
    DataError
        To be raised.
    """
    last = f"; the last time it {reason}" if reason else ""
    return DataError(
        f"{url} was not complete after {limits.total:g} s{last}. Run the command again later."
    )


@contextmanager
def caught(url: str, limits: Limits, end: float) -> Iterator[None]:
    """Turn the many failures of a connection into ours: try again, or say why not.

    Parameters
    ----------
    url : str
        What is asked for, for messages.
    limits : Limits
        Its ``read`` is the wait that a time-out exceeded.
    end : float
        When all attempts must be over, on the clock of `time.monotonic`.

    Raises
    ------
    AgainError
        If another attempt may help: a time-out before `end`, or a broken connection.
    DataError
        If none can: no address, a certificate that is not trusted, or no time left.
    """
    import requests
    import urllib3

    try:
        yield
    except requests.exceptions.SSLError as error:
        raise DataError(
            f"{url}: the certificate of the server cannot be trusted ({_short(error)}). Behind a "
            "proxy that opens connections, name its certificates in REQUESTS_CA_BUNDLE."
        ) from None
    except (requests.Timeout, urllib3.exceptions.TimeoutError, TimeoutError):
        if time.monotonic() >= end:
            raise too_late(url, limits) from None
        raise AgainError(f"did not answer within {limits.read:g} s") from None
    except (
        requests.exceptions.InvalidURL,
        requests.exceptions.InvalidSchema,
        requests.exceptions.InvalidHeader,
    ) as error:
        raise DataError(f"{url} is no address that can be asked: {_short(error)}.") from None
    except (requests.RequestException, urllib3.exceptions.HTTPError, ConnectionError) as error:
        raise AgainError(f"broke off or could not be reached ({_short(error)})") from None


def _short(error: BaseException) -> str:
    """Return the innermost reason of a failure, without the addresses of objects."""
    inner: Any = error
    while (below := getattr(inner, "reason", None)) is not None and isinstance(
        below, BaseException
    ):
        inner = below
    text = str(inner.args[-1] if getattr(inner, "args", ()) else inner) or type(inner).__name__
    return text.split(": ")[-1].rstrip(".)'\"")[:120]


def open_answer(
    session: requests.Session, url: str, headers: Mapping[str, str], limits: Limits, end: float
) -> requests.Response:
    """Ask, follow a few redirects, and return the answer with its body still to come.

    Time-outs of sockets do not bound the look-up of a name or an answer that trickles
    in; so the asking runs beside, and is left behind when the time is over.

    Parameters
    ----------
    session : requests.Session
        Asks, and keeps cookies between redirects.
    url : str
        With ``http://`` or ``https://``.
    headers : mapping of str to str
        Sent with every request, redirects too.
    limits : Limits
        Of time and of redirects.
    end : float
        When all attempts must be over, on the clock of `time.monotonic`.

    Returns
    -------
    requests.Response
        Any status but a redirect; the caller closes it.

    Raises
    ------
    DataError
        If it is sent on too often, to no address of the web, or from https to http.
    """
    here = url
    for _ in range(limits.redirects + 1):
        answer = _ask(session, here, headers, limits, end)
        if answer.status_code not in _SENT_ON or "Location" not in answer.headers:
            return answer
        answer.close()
        try:
            there = urllib.parse.urljoin(here, answer.headers["Location"])
        except ValueError:
            there = answer.headers["Location"][:200]
        if not there.startswith(("http://", "https://")):
            raise DataError(f"{url} sends on to {there}, which is no address of the web.")
        if here.startswith("https://") and not there.startswith("https://"):
            raise DataError(f"{url} sends on to {there}, which is not encrypted. Not followed.")
        here = there
    raise DataError(
        f"{url} sends on more than {limits.redirects} times, last to {here}. The source has "
        "moved or is misconfigured; look for its new address."
    )


def _ask(
    session: requests.Session, url: str, headers: Mapping[str, str], limits: Limits, end: float
) -> requests.Response:
    answers: list[requests.Response] = []
    failures: list[BaseException] = []
    left = end - time.monotonic()
    abandoned = threading.Event()

    def run() -> None:
        try:
            answer = session.get(
                url,
                headers=dict(headers),
                stream=True,
                allow_redirects=False,
                timeout=(min(limits.connect, max(left, 0.1)), min(limits.read, max(left, 0.1))),
            )
        except BaseException as error:  # noqa: BLE001  handed to the thread that waits
            failures.append(error)
            return
        answers.append(answer)
        if abandoned.is_set():
            answer.close()

    asking = threading.Thread(target=run, daemon=True)
    asking.start()
    asking.join(max(left, 0.0))
    if failures:
        # The library reads the address that a server sends on to, and lets this through.
        if type(failures[0]) is ValueError:
            raise DataError(f"{url} sends on to an address that is none: {failures[0]}.")
        raise failures[0]
    if not answers:
        abandoned.set()
        raise too_late(url, limits)
    return answers[0]


def check_status(url: str, answer: requests.Response) -> None:
    """Pass an answer that brings content; raise what the others mean.

    Parameters
    ----------
    url : str
        What was asked for, for messages.
    answer : requests.Response
        Only its status and head are looked at.

    Raises
    ------
    AgainError
        If the server is busy, with the wait that it asks for.
    DataError
        Of any other status than 200, with what it means and what to do.
    """
    status = answer.status_code
    if status == 200:
        return
    if status in _BUSY:
        raise AgainError(f"answered {status}", _asked_wait(answer.headers.get("Retry-After", "")))
    remedy = {
        401: "It asks for a password.",
        403: "It refuses us; some sources do so from certain networks.",
        404: "The file has moved; see the documentation of the source for its new place.",
        407: "The proxy asks for a password; put it into HTTPS_PROXY.",
        410: "The file was withdrawn.",
    }.get(status, "See the documentation of the source.")
    raise DataError(f"{url} answered {status} {answer.reason or ''}".rstrip() + f". {remedy}")


def _asked_wait(text: str) -> float | None:
    """Read Retry-After: seconds, or a date; None if it is neither."""
    if text.strip().isdecimal():
        return float(text)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - time.time())
    except (TypeError, ValueError, OverflowError, OSError):
        return None
