"""A real browser for tests of pages: headless Chromium, told what to do over a pipe (Chrome DevTools Protocol)."""

from __future__ import annotations

import base64
import itertools
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--hide-scrollbars",
    "--disable-extensions", "--disable-background-networking", "--remote-debugging-pipe",
)
_TO_THREE_AND_FOUR = """
import fcntl, os, sys
ours = [fcntl.fcntl(int(one), fcntl.F_DUPFD, 10) for one in sys.argv[1:3]]
for at, one in zip((3, 4), ours): os.dup2(one, at)
os.execv(sys.argv[3], sys.argv[3:])
"""
_KEYS = {"Enter": (13, "\r"), " ": (32, " "), "Tab": (9, ""), "Escape": (27, ""), "ArrowRight": (39, ""),
         "ArrowLeft": (37, ""), "ArrowDown": (40, ""), "ArrowUp": (38, "")}
_WAIT = 60.0
"""Seconds until a browser that says nothing is given up."""


class Browser:
    """One process of Chromium; commands go through its file descriptor 3, answers and events come from 4."""

    def __init__(self, program: str, profile: Path) -> None:
        theirs_in, ours_out = os.pipe()
        ours_in, theirs_out = os.pipe()
        start = [sys.executable, "-I", "-S", "-c", _TO_THREE_AND_FOUR, str(theirs_in), str(theirs_out)]
        self._process = subprocess.Popen(
            [*start, program, *_FLAGS, f"--user-data-dir={profile}", "about:blank"], pass_fds=(theirs_in, theirs_out),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )
        os.close(theirs_in)
        os.close(theirs_out)
        self._in, self._out = ours_in, ours_out
        self._numbers, self._half = itertools.count(1), b""
        self._events: list[dict[str, Any]] = []

    def call(self, method: str, session: str = "", **what: Any) -> dict[str, Any]:
        """One command and its answer; what happens meanwhile is kept for `events`."""
        number = next(self._numbers)
        asked = {"id": number, "method": method, "params": what} | ({"sessionId": session} if session else {})
        os.write(self._out, json.dumps(asked).encode() + b"\0")
        while True:
            said = self._next()
            if said.get("id") == number:
                assert "error" not in said, f"{method}: {said['error']}"
                return dict(said["result"])
            self._events.append(said)

    def events(self, session: str, until: str = "") -> list[dict[str, Any]]:
        """What happened in a page and was not told yet; with `until`, waits for an event of that name."""
        while until and not any(one.get("sessionId") == session and one["method"] == until for one in self._events):
            self._events.append(self._next())
        found = [one for one in self._events if one.get("sessionId") == session]
        self._events = [one for one in self._events if one.get("sessionId") != session]
        return found

    def close(self) -> None:
        """End the browser and all its processes."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        os.close(self._in)
        os.close(self._out)

    def _next(self) -> dict[str, Any]:
        ends = time.monotonic() + _WAIT
        while b"\0" not in self._half:
            ready, _, _ = select.select([self._in], [], [], max(0.0, ends - time.monotonic()))
            assert ready, "the browser says nothing"
            piece = os.read(self._in, 1 << 20)
            assert piece, "the browser has ended"
            self._half += piece
        message, _, self._half = self._half.partition(b"\0")
        return dict(json.loads(message))


class Tab:
    """One page in the browser. `troubles()` is what went wrong in it, `requests()` what it asked for."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self.target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = browser.call("Target.attachToTarget", targetId=self.target, flatten=True)["sessionId"]
        self._seen: list[dict[str, Any]] = []
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.tell(f"{domain}.enable")

    def tell(self, method: str, **what: Any) -> dict[str, Any]:
        """Any command of the protocol."""
        return self._browser.call(method, self._session, **what)

    def open(self, path: Path) -> None:
        """Show a file, and wait until it has loaded."""
        self._seen.extend(self._browser.events(self._session))
        self.tell("Page.navigate", url=path.resolve().as_uri())
        self._seen.extend(self._browser.events(self._session, "Page.loadEventFired"))

    def run(self, script: str) -> Any:
        """The value of an expression in the page, awaited; an AssertionError if it throws."""
        said = self.tell("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in said, said["exceptionDetails"]
        return said["result"].get("value")

    def texts(self, selector: str) -> list[str]:
        """The texts of all elements that a selector finds."""
        return list(self.run(f"[...document.querySelectorAll({json.dumps(selector)})].map(one => one.textContent)"))

    def size(self, width: int, height: int = 800, phone: bool = False) -> None:
        """As wide as that, in CSS pixels."""
        self.tell(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=phone
        )

    def media(self, medium: str = "", **features: str) -> None:
        """media(prefers_color_scheme="dark"), media("print")."""
        said = [{"name": name.replace("_", "-"), "value": value} for name, value in features.items()]
        self.tell("Emulation.setEmulatedMedia", media=medium, features=said)

    def click(self, selector: str) -> None:
        """A mouse's click into the middle of the first element; it must be what is on top there."""
        at = self.run(
            f"(() => {{ const one = document.querySelector({json.dumps(selector)});"
            "one.scrollIntoView({block: 'center', inline: 'center'}); const box = one.getBoundingClientRect();"
            "const x = box.x + box.width / 2, y = box.y + box.height / 2, top = document.elementFromPoint(x, y);"
            "return {x, y, hit: one === top || one.contains(top) || (top !== null && top.contains(one))}; })()"
        )
        assert at["hit"], f"something lies on {selector}"
        for kind in ("mousePressed", "mouseReleased"):
            self.tell("Input.dispatchMouseEvent", type=kind, x=at["x"], y=at["y"], button="left", clickCount=1)

    def press(self, key: str) -> None:
        """One key, into whatever has the focus."""
        code, text = _KEYS[key]
        said = {"key": key, "code": {" ": "Space"}.get(key, key), "windowsVirtualKeyCode": code}
        self.tell("Input.dispatchKeyEvent", type="keyDown", **said, **({"text": text} if text else {}))
        self.tell("Input.dispatchKeyEvent", type="keyUp", **said)

    def write(self, selector: str, text: str) -> None:
        """Text into an input, as from a keyboard, in the place of what is there."""
        found = f"document.querySelector({json.dumps(selector)})"
        self.run(f"{found}.focus(), {found}.select()")
        if text:
            self.tell("Input.insertText", text=text)
        else:
            self.run("document.execCommand('delete')")

    def picture(self, path: Path, whole: bool = False) -> Path:
        """A PNG of what is seen, or of the whole page."""
        said = self.tell("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(said["data"]))
        return path

    def troubles(self) -> list[str]:
        """Exceptions, console errors and warnings, and what the browser itself complained of, CSP included."""
        return [said for one in self._told() if (said := _trouble(one["method"], one["params"]))]

    def requests(self) -> list[str]:
        """Addresses that pages asked for, but for what they carry themselves (data:) and their own file."""
        asked = [one["params"] for one in self._told() if one["method"] == "Network.requestWillBeSent"]
        return [one["request"]["url"][:200] for one in asked
                if one.get("type") != "Document" and not one["request"]["url"].startswith("data:")]

    def close(self) -> None:
        """Close the page."""
        self._browser.call("Target.closeTarget", targetId=self.target)

    def _told(self) -> list[dict[str, Any]]:
        self.run("1")  # whatever was under way has been told when this comes back
        self._seen.extend(self._browser.events(self._session))
        return self._seen


def _trouble(event: str, what: Mapping[str, Any]) -> str:
    if event == "Runtime.exceptionThrown":
        details = what["exceptionDetails"]
        return str(details.get("exception", {}).get("description", details["text"]))
    if event == "Log.entryAdded" and what["entry"]["level"] in ("error", "warning"):
        return str(what["entry"]["text"])
    if event == "Runtime.consoleAPICalled" and what["type"] in ("error", "warning", "assert"):
        return " ".join(str(one.get("value", one.get("description"))) for one in what["args"])
    return ""


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Chromium, started once; the test is skipped where there is none."""
    program = next((found for name in _NAMES if (found := shutil.which(name))), None)
    if program is None:
        pytest.skip(f"no browser here: none of {', '.join(_NAMES)} is installed")
    found = Browser(program, tmp_path_factory.mktemp("browser"))
    yield found
    found.close()


@pytest.fixture
def tab(browser: Browser) -> Iterator[Tab]:
    """An empty page, 1,200 x 800, light."""
    found = Tab(browser)
    found.size(1200)
    found.media(prefers_color_scheme="light")
    yield found
    found.close()
