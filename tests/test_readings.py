"""Every label that code, claims and notebooks use is explained in data/papers, and every alternative named exists."""

import re
from dataclasses import fields

import pytest

from mtlib import sos, toy
from mtlib.paths import repository

ROOT = repository()
PAPERS = ("sos", "mtfap", "dmm", "dm", "aal")
TABLES = {paper: (ROOT / "data" / "papers" / f"{paper}_readings.md").read_text() for paper in PAPERS}


@pytest.mark.parametrize(
    ("letter", "paper", "notebooks", "some"),
    [
        ("S", "sos", "01*.ipynb", {"S-1", "S-5", "S-10"}),
        ("M", "mtfap", "02*.ipynb", {"M-1", "M-10", "M-16"}),
        ("D", "dmm", "03*.ipynb", {"D-3", "D-5", "D-8"}),
        ("X", "dm", "04*.ipynb", {"X-1", "X-4", "X-13"}),
        ("L", "aal", "05*.ipynb", {"L-2", "L-6", "L-13"}),
    ],
)
def test_every_label_in_use_is_explained(letter, paper, notebooks, some):
    explained = set(re.findall(rf"^\| ({letter}-\d+) [ABC] \|", TABLES[paper], re.MULTILINE))
    places = ("mtlib/**/*.py", f"notebooks/{notebooks}", f"data/claims/{paper}*.toml")
    files = [path for place in places for path in ROOT.glob(place)]
    used = {label for path in files for label in re.findall(rf"\b{letter}-\d+\b", path.read_text())}
    assert used - explained == set()
    assert some <= used


def test_every_field_of_a_reading_is_in_the_table():
    alternatives = {one.name for reading in (sos.Reading, toy.Reading) for one in fields(reading)}
    assert not {name for name in alternatives if f"`{name}" not in TABLES["sos"]}
