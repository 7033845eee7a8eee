"""A JupyterLab on a copy of the notebooks, and a Chromium to look at it; both end with the tests, however these end."""

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from playwright.sync_api import Error as PlaywrightError

from mtlib.paths import repository
from mtlib.runs import notebooks

START = 180  # seconds that the server, a page or a kernel may take to start, on a busy machine
END = 20  # seconds that the server may take to end
QUIET = "--disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update"
NEWS = "lab/user-settings/@jupyterlab/apputils-extension/notification.jupyterlab-settings"


class Lab(NamedTuple):
    """A running JupyterLab."""

    address: str
    token: str

    def url(self, path: str) -> str:
        """A page of the server's, opened afresh."""
        return f"{self.address}/{path}?token={self.token}&reset"


def pytest_configure() -> None:
    """A kill or a closed terminal ends the tests as Ctrl-C does: what they started is ended too."""
    if "CHROMIUM" not in os.environ:
        raise pytest.UsageError("CHROMIUM is not set: run 'make test-lab', which looks for it")
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A server on copies without outputs: autosave never meets the committed files, and what is shown has been run.

    mtlib is installed in place, so the copies find the repository's data.
    """
    scratch = tmp_path_factory.mktemp("lab")
    copy_notebooks(scratch / "notebooks")
    settings = scratch / "config" / NEWS
    settings.parent.mkdir(parents=True)
    settings.write_text(json.dumps({"fetchNews": "false", "checkForUpdates": False}))  # no pop-up
    with serving(scratch) as running:
        yield running


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The Chromium that ``make test-lab`` found."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=os.environ["CHROMIUM"], args=QUIET.split())
        yield browser
        with suppress(PlaywrightError):
            browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A window of its own for each test, and with it the notebook's kernel."""
    page = browser.new_page(viewport={"width": 1400, "height": 1300})
    page.set_default_timeout(1000 * START)
    yield page
    with suppress(PlaywrightError):  # after Ctrl-C, which reaches the browser too, it has gone by itself
        page.evaluate("window.jupyterapp?.serviceManager.sessions.shutdownAll()")
        page.close()


def copy_notebooks(to: Path) -> None:
    shutil.copytree(repository() / "notebooks", to, ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    for path in to.glob("*.ipynb"):
        notebook = notebooks.load(path)
        for cell in notebook.cells:
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
        notebooks.save(notebook, path)


@contextmanager
def serving(folder: Path) -> Iterator[Lab]:
    """JupyterLab on ``folder/notebooks`` with the settings in ``folder/config``, until the block ends."""
    lab = Lab(f"http://127.0.0.1:{free_port()}", secrets.token_hex(16))
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1"]
    command += [f"--port={lab.address.rsplit(':')[-1]}", "--ServerApp.port_retries=0"]
    command += [f"--IdentityProvider.token={lab.token}", f"--ServerApp.root_dir={folder / 'notebooks'}"]
    command += ["--LabApp.expose_app_in_browser=True"]  # lets the tests ask for cells and their outputs
    with (folder / "server.log").open("w") as out:
        # In a group of its own: Ctrl-C reaches the tests alone, which then end the server in order.
        server = subprocess.Popen(
            command, env=environment(folder), stdout=out, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            wait_for(server, lab, folder / "server.log")
            yield lab
        finally:
            end(server)


def environment(folder: Path) -> dict[str, str]:
    """A reader's, not a machine's: real widgets, and no settings of whoever runs the tests."""
    reader = {name: value for name, value in os.environ.items() if name != "MTLIB_HEADLESS"}
    return reader | {"JUPYTER_CONFIG_DIR": str(folder / "config"), "JUPYTER_RUNTIME_DIR": str(folder / "runtime")}


def free_port() -> int:
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        return asked.getsockname()[1]


def wait_for(server: subprocess.Popen, lab: Lab, log: Path) -> None:
    deadline = time.monotonic() + START
    while server.poll() is None and time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(lab.url("api/status"), timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    ended = "ended" if server.poll() is not None else f"does not answer after {START} s"
    pytest.exit(f"JupyterLab {ended}; {log} ends:\n" + "\n".join(log.read_text().splitlines()[-15:]), returncode=2)


def end(server: subprocess.Popen) -> None:
    """Ask first: a server that is asked ends its kernels. Kernels of a server that was killed notice it and end."""
    server.terminate()
    try:
        server.wait(END)
    except subprocess.TimeoutExpired:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()
