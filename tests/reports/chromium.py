"""A headless Chromium that tests drive over a pipe: open a page, press keys, drag, look."""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
#: Where `npm install --prefix build axe-core` puts it; another place by the variable.
AXE = Path(
    os.environ.get("AXE_CORE")
    or Path(__file__).resolve().parents[2] / "build/node_modules/axe-core/axe.min.js"
)
_OPTIONS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--hide-scrollbars", "--remote-debugging-pipe", "about:blank",
)  # fmt: skip


class Browser:
    """One page of a browser of its own, by the DevTools protocol.

    Attributes
    ----------
    events : list of dict
        Everything that the browser told of: console, exceptions, requests.
    """

    def __init__(self, profile: Path, *options: str) -> None:
        assert CHROMIUM is not None
        # Chromium reads what it is asked from descriptor 3, and answers on 4.
        asked, self._ask = os.pipe()
        self._answer, answered = os.pipe()

        def places() -> None:
            # Above 4 first, so that neither copy overwrites the other's source.
            source, target = os.dup2(asked, 103), os.dup2(answered, 104)
            os.dup2(source, 3)
            os.dup2(target, 4)

        self._process = subprocess.Popen(
            [CHROMIUM, f"--user-data-dir={profile}", *options, *_OPTIONS],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, close_fds=False,
            preexec_fn=places,
        )  # fmt: skip
        os.close(asked)
        os.close(answered)
        self._rest, self._count, self.events = b"", 0, list[dict[str, Any]]()
        self._session = ""
        targets = self.call("Target.getTargets")["targetInfos"]
        page = next(one["targetId"] for one in targets if one["type"] == "page")
        self._session = self.call("Target.attachToTarget", targetId=page, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self._process.kill()
        self._process.wait()
        os.close(self._ask)
        os.close(self._answer)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Ask the browser; return its answer, keeping what it tells meanwhile."""
        self._count += 1
        said: dict[str, Any] = {"id": self._count, "method": method, "params": parameters}
        if self._session:
            said["sessionId"] = self._session
        os.write(self._ask, json.dumps(said).encode() + b"\0")
        while True:
            told = self._read(60)
            assert told is not None, f"no answer to {method}"
            if told.get("id") == self._count:
                assert "error" not in told, told
                result: dict[str, Any] = told["result"]
                return result

    def _read(self, seconds: float) -> dict[str, Any] | None:
        end = time.monotonic() + seconds
        while b"\0" not in self._rest:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self._answer], [], [], left)[0]:
                return None
            self._rest += os.read(self._answer, 1 << 20)
        message, _, self._rest = self._rest.partition(b"\0")
        told: dict[str, Any] = json.loads(message)
        if "method" in told:
            self.events.append(told)
        return told

    def wait(self, expression: str, seconds: float = 20) -> Any:
        """Wait until an expression is true on the page; return its value."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if value := self.look(expression):
                return value
            time.sleep(0.02)
        raise AssertionError(f"never true: {expression}")

    def look(self, expression: str) -> Any:
        """Return the value of an expression on the page."""
        answer = self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def open(
        self, address: str, width: int = 1200, height: int = 900, *, dark: bool = False
    ) -> None:
        """Open a page in a window of a size, in a colour scheme, and wait until it is there."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=1, mobile=False,
        )  # fmt: skip
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        self.call("Page.navigate", url="about:blank")
        self.call("Page.navigate", url=address)
        self.wait("document.readyState === 'complete' && location.href !== 'about:blank'")

    def press(self, *keys: str) -> None:
        """Press keys by their names, such as ``ArrowUp``."""
        for key in keys:
            for kind in ("keyDown", "keyUp"):
                self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key)

    def mouse(self, kind: str, x: float, y: float, *, held: bool = False) -> None:
        """Move, press or release the mouse."""
        self.call(
            "Input.dispatchMouseEvent", type=f"mouse{kind}", x=x, y=y,
            button="left" if held or kind != "Moved" else "none",
            buttons=int(held), clickCount=int(kind != "Moved"),
        )  # fmt: skip

    def drag(self, path: Sequence[tuple[float, float]], *, touch: bool = False) -> None:
        """Drag along points, with the mouse or a finger."""
        if touch:
            for at, (x, y) in enumerate(path):
                kind = "touchMove" if at else "touchStart"
                self.call("Input.dispatchTouchEvent", type=kind, touchPoints=[{"x": x, "y": y}])
            self.call("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
            return
        self.mouse("Moved", *path[0])
        self.mouse("Pressed", *path[0], held=True)
        for x, y in path[1:]:
            self.mouse("Moved", x, y, held=True)
        self.mouse("Released", *path[-1])

    def middle(self, selector: str) -> tuple[float, float]:
        """Return the middle of an element in the window, scrolled into view."""
        x, y = self.look(
            f"(() => {{ const node = document.querySelector({selector!r});"
            "node.scrollIntoView({block: 'center', behavior: 'instant'});"
            "const box = node.getBoundingClientRect();"
            "return [box.x + box.width / 2, box.y + box.height / 2]; })()"
        )
        return x, y

    def click(self, selector: str) -> None:
        """Click the middle of an element."""
        place = self.middle(selector)
        self.drag([place])

    def choose(self, selector: str, value: object) -> None:
        """Choose an option of a list."""
        self.look(
            f"(() => {{ const node = document.querySelector({selector!r});"
            f"node.value = {json.dumps(str(value))};"
            "node.dispatchEvent(new Event('change', {bubbles: true})); })()"
        )

    def picture(self, path: Path) -> Path:
        """Write what the whole page looks like as PNG."""
        height = self.look("document.documentElement.scrollHeight")
        width = self.look("document.documentElement.clientWidth")
        clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
        shot = self.call("Page.captureScreenshot", clip=clip, captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(shot["data"]))
        return path

    def faults(self) -> list[str]:
        """Return errors and warnings of the console, and requests beyond the page itself."""
        found = []
        for event in self.events:
            told = event["params"]
            if event["method"] == "Runtime.exceptionThrown":
                found.append(json.dumps(told["exceptionDetails"]))
            elif event["method"] in ("Runtime.consoleAPICalled", "Log.entryAdded"):
                found.append(json.dumps(told))
            elif event["method"] == "Network.requestWillBeSent":
                address = told["request"]["url"]
                if not address.startswith(("file:", "data:", "about:", "blob:")):
                    found.append(address)
        return found
