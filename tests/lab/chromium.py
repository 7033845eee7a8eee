"""Where is a Chromium? Run by ``make test-lab``: prints its path, or says what to install and exits with 1."""

import os
import shutil
import sys

# On the PATH, or where macOS keeps its programs.
NAMES = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
INSTALL = """No Chromium or Chrome found: the notebooks cannot be opened in a browser. Any one of these helps:
  Debian            sudo apt install chromium
  Fedora            sudo dnf install chromium
  macOS             brew install --cask google-chrome
  Ubuntu or other   .venv/bin/playwright install --with-deps chromium
  somewhere else    make test-lab CHROMIUM=/path/to/chrome"""


def find() -> str:
    """The browser that ``CHROMIUM`` names, else one that is installed, else the one that playwright fetched.

    Raises:
        SystemExit: there is none, or not where ``CHROMIUM`` says; the message says what helps.
    """
    named = os.environ.get("CHROMIUM", "")
    if named and not shutil.which(named):
        raise SystemExit(f"CHROMIUM={named}: no such program. Without CHROMIUM, one is looked for.")
    found = shutil.which(named) if named else next(filter(None, map(shutil.which, NAMES)), None) or fetched()
    if not found:
        raise SystemExit(INSTALL)
    return found


def fetched() -> str | None:
    """What ``playwright install chromium`` fetched, if anything."""
    try:
        from playwright.sync_api import sync_playwright
    except ModuleNotFoundError:
        return None
    with sync_playwright() as playwright:
        return shutil.which(playwright.chromium.executable_path)


if __name__ == "__main__":
    sys.stdout.write(find() + "\n")
