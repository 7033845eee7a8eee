"""Every label that code, claims and notebooks use is explained in data/papers, and every alternative named exists."""

import re
from dataclasses import fields

from mtlib import sos, toy
from mtlib.paths import repository

ROOT = repository()
TABLE = (ROOT / "data" / "papers" / "sos_readings.md").read_text()


def test_every_label_in_use_is_explained():
    explained = set(re.findall(r"^\| (S-\d+) [ABC] \|", TABLE, re.MULTILINE))
    files = [*ROOT.glob("mtlib/**/*.py"), *ROOT.glob("notebooks/01*.ipynb"), *ROOT.glob("data/claims/sos*.toml")]
    used = {label for path in files for label in re.findall(r"\bS-\d+\b", path.read_text())}
    assert used - explained == set()
    assert {"S-1", "S-5", "S-10"} <= used


def test_every_field_of_a_reading_is_in_the_table():
    alternatives = {one.name for reading in (sos.Reading, toy.Reading) for one in fields(reading)}
    assert not {name for name in alternatives if f"`{name}" not in TABLE}
