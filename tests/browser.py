"""A page in a real browser: Chromium, without a window, spoken to through a pipe.

The protocol is Chromium's own (https://chromedevtools.github.io/devtools-protocol): JSON, each
message ended by a zero byte.
"""

import base64
import json
import os
import shutil
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
TIMEOUT = 60.0

_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-pipe",
)
_CONTRAST = """(() => {
  const parsed = c => (c.match(/[\\d.]+/g) || [0, 0, 0, 0]).map(Number);
  const light = c => c.slice(0, 3).map(v => v / 255)
    .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = e => { for (; e; e = e.parentElement) {
    const c = parsed(getComputedStyle(e).backgroundColor);
    if (c.length < 4 || c[3] > 0) return c; } return [255, 255, 255]; };
  let worst = [21, ''];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim(), e = walker.currentNode.parentElement;
    if (!text || !e.getClientRects().length) continue;
    const [a, b] = [light(parsed(getComputedStyle(e).color)), light(ground(e))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < worst[0]) worst = [ratio, text];
  }
  return worst;
})()"""


def program():
    """The path of Chromium on this machine; None where there is none."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


class Page:
    """One page, once it is loaded.

    requests : all addresses that were asked for, its own first; those of data are left out.
    complaints : what the console holds.
    """

    def __init__(self, call, events):
        self._call = call
        self._events = events

    @property
    def requests(self):
        sent = [e["params"] for e in self._events if e["method"] == "Network.requestWillBeSent"]
        urls = [params["request"]["url"] for params in sent]
        return [url for url in urls if not url.startswith("data:")]

    @property
    def complaints(self):
        kinds = ("Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown")
        return [event["params"] for event in self._events if event["method"] in kinds]

    def value(self, expression):
        """What an expression of JavaScript gives in the page."""
        result = self._call("Runtime.evaluate", expression=expression, returnByValue=True)
        return result["result"]["value"]

    def worst_contrast(self):
        """The lowest contrast of a text and what it stands on, by WCAG 2, and the text."""
        return tuple(self.value(_CONTRAST))

    def picture(self):
        """The whole page as PNG."""
        shot = self._call("Page.captureScreenshot", captureBeyondViewport=True)
        return base64.b64decode(shot["data"])

    def printed(self):
        """The page as PDF."""
        return base64.b64decode(self._call("Page.printToPDF", printBackground=True)["data"])


class _Pipe:
    def __init__(self, to_browser, from_browser):
        self._to, self._from = to_browser, from_browser
        self._rest = b""
        self._number = 0
        self.events = []

    def call(self, method, *, session=None, **params):
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        answer = self.wait(lambda message: message.get("id") == self._number)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]

    def wait(self, wanted):
        end = time.monotonic() + TIMEOUT
        while time.monotonic() < end:
            while b"\0" not in self._rest:
                piece = os.read(self._from, 1 << 16)
                if not piece:
                    raise RuntimeError("the browser has ended")
                self._rest += piece
            line, _, self._rest = self._rest.partition(b"\0")
            message = json.loads(line)
            if "method" in message:
                self.events.append(message)
            if wanted(message):
                return message
        raise TimeoutError("the browser does not answer")


@contextmanager
def browser(path):
    """A running Chromium: a function that opens pages in it."""
    to_read, to_write = os.pipe()
    from_read, from_write = os.pipe()
    with TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [path, *_FLAGS, f"--user-data-dir={profile}"]
        # the browser reads from descriptor 3 and writes to 4
        run = subprocess.Popen(
            ["bash", "-c", f'exec "$@" 3<&{to_read} 4>&{from_write}', "chromium", *command],
            pass_fds=(to_read, from_write),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_read)
        os.close(from_write)
        pipe = _Pipe(to_write, from_read)
        try:
            yield lambda file, **options: _opened(pipe, file, **options)
            pipe.call("Browser.close")
        finally:
            os.close(to_write)
            try:
                run.wait(timeout=10)
            except subprocess.TimeoutExpired:
                run.kill()
                run.wait()
            os.close(from_read)


def _opened(pipe, file, *, width=1280, scheme="light"):
    target = pipe.call("Target.createTarget", url="about:blank")["targetId"]
    session = pipe.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]

    def call(method, **params):
        return pipe.call(method, session=session, **params)

    for domain in ("Page", "Network", "Runtime", "Log"):
        call(f"{domain}.enable")
    mobile = width < 600
    call(
        "Emulation.setDeviceMetricsOverride",
        width=width,
        height=900,
        deviceScaleFactor=1,
        mobile=mobile,
    )
    feature = {"name": "prefers-color-scheme", "value": scheme}
    call("Emulation.setEmulatedMedia", features=[feature])
    pipe.events.clear()
    call("Page.navigate", url=Path(file).absolute().as_uri())
    if not any(event["method"] == "Page.loadEventFired" for event in pipe.events):
        pipe.wait(lambda message: message.get("method") == "Page.loadEventFired")
    return Page(call, pipe.events)
