"""Which Chromium ``make test-lab`` takes, and what it says where there is none. Needs no browser."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from mtlib.paths import repository


@pytest.fixture
def find(tmp_path):
    """find(*programs, CHROMIUM=…) -> what the script does where only these programs are installed."""

    def run(*programs, **environment):
        for name in programs:
            (tmp_path / name).write_text("#!/bin/sh\n")
            (tmp_path / name).chmod(0o755)
        alone = {"PATH": str(tmp_path), "HOME": str(tmp_path), "PLAYWRIGHT_BROWSERS_PATH": str(tmp_path)}
        kept = {name: value for name, value in os.environ.items() if name != "CHROMIUM"}
        return subprocess.run(
            [sys.executable, repository() / "tests" / "lab" / "chromium.py"],
            capture_output=True,
            text=True,
            env={**kept, **alone, **environment},
        )

    return run


def test_the_first_of_the_known_names_is_taken(find, tmp_path):
    found = find("google-chrome", "chromium", "chromium-browser")
    assert (found.returncode, found.stdout) == (0, f"{tmp_path / 'chromium'}\n"), found.stderr


def test_the_one_named_goes_before_those_installed(find, tmp_path):
    found = find("chromium", "mine", CHROMIUM=str(tmp_path / "mine"))
    assert (found.returncode, found.stdout) == (0, f"{tmp_path / 'mine'}\n"), found.stderr


def test_a_wrong_name_is_told_not_replaced(find):
    found = find("chromium", CHROMIUM="/no/such/chrome")
    assert (found.returncode, found.stdout) == (1, "")
    assert "CHROMIUM=/no/such/chrome: no such program" in found.stderr


@pytest.mark.skipif(any(Path("/Applications").glob("*Chrom*.app")), reason="there is one where macOS keeps programs")
def test_where_there_is_none_the_message_says_what_to_install(find):
    found = find()
    assert (found.returncode, found.stdout) == (1, "")
    assert "Traceback" not in found.stderr
    for way in ("sudo apt install chromium\n", "brew install", "playwright install", "make test-lab CHROMIUM="):
        assert way in found.stderr


def test_plain_pytest_leaves_the_browser_out_and_naming_the_folder_takes_it_in():
    settings = tomllib.loads((repository() / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]
    assert "tests/lab" in settings["norecursedirs"]
    recipe = (repository() / "Makefile").read_text().split("\ntest-lab:")[1].split("\n\n")[0]
    assert "pytest tests/lab " in recipe
