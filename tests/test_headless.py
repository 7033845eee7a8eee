"""Is somebody watching, and what long work says to a person and to a log."""

import sys

import pytest

from mtlib.headless import INTERACTIVE, headless
from mtlib.progress import LONG, Progress


@pytest.fixture(autouse=True)
def nobody(monkeypatch):
    for name in ("MTLIB_HEADLESS", *INTERACTIVE):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: False, raising=False)


def test_without_front_end_and_terminal_nobody_watches():
    assert headless()


@pytest.mark.parametrize("name", INTERACTIVE)
def test_a_front_end_means_a_person(name, monkeypatch):
    monkeypatch.setenv(name, "something")
    assert not headless()


def test_a_terminal_means_a_person(monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert not headless()


def test_the_variable_decides_against_everything_else(monkeypatch):
    monkeypatch.setenv("MTLIB_HEADLESS", "0")
    assert not headless()
    monkeypatch.setenv("JPY_SESSION_NAME", "something")
    monkeypatch.setenv("MTLIB_HEADLESS", "1")
    assert headless()
    monkeypatch.setenv("MTLIB_HEADLESS", "")  # as if it were not set
    assert not headless()


def test_short_work_says_one_line_at_its_end(capsys):
    with Progress(3, "training") as bar:
        for _ in range(3):
            bar.advance()
        assert capsys.readouterr().out == ""
    assert capsys.readouterr().out == "· training: done\n"


def test_long_work_says_every_tenth_whatever_the_stride(capsys):
    for stride in (LONG // 100, LONG // 10):
        with Progress(LONG, "training") as bar:
            for _ in range(LONG // stride):
                bar.advance(stride)
        lines = [f"· training: {tenth} %" for tenth in range(10, 100, 10)]
        assert capsys.readouterr().out.splitlines() == [*lines, "· training: done"]


def test_work_that_fails_is_not_called_done(capsys):
    with pytest.raises(KeyError), Progress(3, "training"):
        raise KeyError
    assert capsys.readouterr().out == ""


def test_work_that_was_stopped_in_good_order_says_how_far_it_came(capsys):
    with Progress(3, "training") as bar:
        bar.advance(2)
    assert capsys.readouterr().out == "· training: stopped after 2 of 3\n"


def test_a_person_gets_a_bar_and_no_lines(monkeypatch, capsys):
    monkeypatch.setenv("MTLIB_HEADLESS", "0")
    with Progress(2, "training") as bar:
        bar.advance(2)
        assert bar.bar.n == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "training" in printed.err
