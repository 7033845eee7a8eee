"""Checkpoints: what goes in comes out, whole, safely, and only for the same run."""

import dataclasses
import functools
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from mtlib import checkpoints
from mtlib.checkpoints import describe, digest
from mtlib.tasks import Task

RUN = {"kind": "fit", "seed": 3, "recipe.drops": (0.5, 0.75)}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "folder" / "run.ckpt"


def test_what_is_saved_is_loaded(path):
    state = {"step": 7, "values": {"a": torch.arange(3)}, "history": [{"total": 0.1}], "best": None, "own": (1, "b")}
    checkpoints.save(path, RUN, state)
    found = checkpoints.load(path, RUN)
    assert torch.equal(found["values"].pop("a"), state["values"].pop("a"))
    assert found == state


def test_where_nothing_was_saved_there_is_nothing(path):
    assert checkpoints.load(path, RUN) is None


def test_numbers_of_numpy_become_plain(path):  # torch.load refuses them
    checkpoints.save(path, {"seed": np.int64(3)}, {"score": np.float64(0.5), "all": [np.float32(2), np.bool_(True)]})
    assert checkpoints.load(path, {"seed": 3}) == {"score": 0.5, "all": [2.0, True]}


@pytest.mark.parametrize("value", [Path("a"), np.zeros(2), {1, 2}, object()])
def test_what_could_not_be_loaded_is_not_saved(path, value):
    checkpoints.save(path, RUN, {"step": 1})
    with pytest.raises(TypeError, match=f"state, own has a {type(value).__name__}"):
        checkpoints.save(path, RUN, {"own": [value]})
    assert checkpoints.load(path, RUN) == {"step": 1}


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({**RUN, "seed": 4}, r"belongs to another run: seed differ \(seed is 3 there, 4 here\)"),
        ({**RUN, "kind": "ensemble", "seed": 4}, "kind, seed differ"),
        ({**RUN, "rows": "Epoch(n=5)"}, r"rows is None there, 'Epoch\(n=5\)' here"),
    ],
)
def test_another_run_is_refused_and_what_differs_is_named(path, other, message):
    checkpoints.save(path, RUN, {})
    with pytest.raises(ValueError, match=message):
        checkpoints.load(path, other)


def test_another_format_is_refused(path, monkeypatch):
    checkpoints.save(path, RUN, {})
    monkeypatch.setattr(checkpoints, "FORMAT", checkpoints.FORMAT + 1)
    with pytest.raises(ValueError, match="was written in format 1, this is format 2"):
        checkpoints.load(path, RUN)


class Malice:
    def __reduce__(self):
        return os.mkdir, ("malice",)


def test_a_file_that_would_run_code_is_refused_and_runs_none(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path.parent.mkdir()
    torch.save({"format": checkpoints.FORMAT, "run": RUN, "state": Malice()}, path)
    with pytest.raises(ValueError, match="is not a checkpoint of this course"):
        checkpoints.load(path, RUN)
    assert not Path("malice").exists()


@pytest.mark.parametrize("content", [b"", b"no checkpoint", b"PK\x03\x04"])
def test_another_file_is_refused(path, content):
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"run\.ckpt is not a checkpoint"):
        checkpoints.load(path, RUN)


def test_half_a_file_is_refused(path):
    checkpoints.save(path, RUN, {"values": torch.zeros(1000)})
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ValueError, match="is not a checkpoint"):
        checkpoints.load(path, RUN)


def test_a_save_that_fails_leaves_the_last_one(path, monkeypatch):
    checkpoints.save(path, RUN, {"step": 1})

    def full(*_):
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space"):
        checkpoints.save(path, RUN, {"step": 2})
    assert checkpoints.load(path, RUN) == {"step": 1}
    assert [file.name for file in path.parent.iterdir()] == ["run.ckpt"]


def test_what_a_killed_run_left_half_written_is_removed(path):
    path.parent.mkdir()
    (path.parent / ".run.ckpt.abcd1234").write_bytes(b"half")
    (path.parent / ".run.ckpt2.abcd1234").write_bytes(b"another run's")
    checkpoints.save(path, RUN, {})
    assert {file.name for file in path.parent.iterdir()} == {"run.ckpt", ".run.ckpt2.abcd1234"}


# ------------------------------------------------------------------ fingerprints


def test_a_digest_sees_content_shape_and_type_and_not_the_layout():
    x = torch.arange(24.0).view(2, 3, 4)
    changed = x.clone()
    changed[1, 2, 3] += 1e-6 * 24
    others = [changed, x.view(6, 4), x.double(), x.int(), x[:1]]
    assert len({digest(x), *map(digest, others)}) == 6
    assert digest(x.transpose(0, 2).contiguous().transpose(0, 2)) == digest(x)
    assert digest(x, x) != digest(x) != digest(x, None)
    assert digest(torch.empty(0)) != digest(torch.empty(0, 2))


def test_of_a_large_tensor_rows_are_looked_at(monkeypatch):
    monkeypatch.setattr(checkpoints, "ROOM", 400)
    x = torch.zeros(1000, 10)  # 40 000 bytes: ten rows, 0, 111, ..., 999
    last, other = x.clone(), x.clone()
    last[999, 9], other[1, 0] = 1, 1
    assert digest(last) != digest(x) == digest(other)


@dataclasses.dataclass(frozen=True)
class Setting:
    power: float = 1.0


class Thing(nn.Module):
    def __init__(self, setting, width=3):
        super().__init__()
        self.setting, self.rule = setting, torch.relu
        self.layer = nn.Linear(2, width)
        self._cache = width


def described(thing):
    return describe(thing, values=False)


def test_a_description_sees_settings_but_no_addresses_and_values_only_where_asked():
    thing, again = Thing(Setting()), Thing(Setting()).eval()
    assert described(thing) == described(again)
    assert describe(thing) != describe(again)
    assert described(thing) != described(Thing(Setting(2.0)))
    assert described(thing) != described(Thing(Setting(), width=4))
    assert "0x" not in describe(thing)
    again.load_state_dict(thing.state_dict())
    assert describe(thing) == describe(again)


def test_descriptions_by_hand():
    assert describe(Setting()) == "Setting(power=1.0)"
    assert describe([1, {"a": None}, Setting]) == "(1, {'a': None}, Setting)"
    assert describe({"b", "a"}) == "('a', 'b')"
    assert describe(Task("t", "points", 1)).startswith("Task(name='t', kind='points', columns=('t 1'")


def test_partial_functions_are_told_apart_and_circles_come_to_an_end():
    assert describe(functools.partial(max, 1)) != describe(functools.partial(min, 1))
    assert describe(functools.partial(max, 1)) != describe(functools.partial(max, 2))
    assert describe(functools.partial(max, 1)) == describe(functools.partial(max, 1))

    class Circle:
        def __init__(self):
            self.around = {"again": [self]}

    assert describe(Circle()).count("Circle") > 1
