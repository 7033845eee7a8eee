"""Drawn faces as a data set: the same faces however they are kept, and splits that share nobody."""

import json

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mtlib import lazy
from mtlib.annotate import annotate
from mtlib.checkpoints import digest
from mtlib.controls import MultiTask
from mtlib.faces import data as faces
from mtlib.faces import structure
from mtlib.faces.data import RANGE, Drawn, dataset, identities, labels, numbers, positions
from mtlib.faces.draw import draw
from mtlib.faces.names import ATTRIBUTES, EXPRESSIONS
from mtlib.networks import tiny
from mtlib.recipe import Recipe
from mtlib.rows import Pairs
from mtlib.seeds import seeded
from mtlib.training import accuracy, fit

SMALL = {"train": 12, "validation": 5, "test": 6, "size": 32}
ALL = tuple(faces.TASKS)


def parts(data):
    return {"train": data.train, "validation": data.validation, "test": data.test}


@pytest.fixture(scope="module")
def resident():
    return dataset(**SMALL, tasks=ALL)


def test_images_and_labels_are_those_of_the_faces_with_these_numbers(resident):
    for name, split in parts(resident).items():
        drawn = draw(numbers(name, SMALL[name]), size=32)
        assert torch.equal(split.x, drawn.images)
        assert torch.equal(split.y["attributes"], drawn.attributes)
        assert torch.equal(split.y["expression"][:, 0], drawn.expression)
        assert torch.equal(split.y["action_units"], drawn.action_units)
        torch.testing.assert_close(positions(split.y["landmarks"], 32), drawn.landmarks, atol=1e-4, rtol=0)


def test_it_is_what_the_docstring_says(resident):
    assert resident.name == "drawn faces, 32 pixels, seed 0"
    assert [(task.name, task.kind, len(task.columns)) for task in resident.tasks] == [
        ("attributes", "binary", 40),
        ("expression", "classes", 1),
        ("action_units", "binary", 17),
        ("landmarks", "points", 144),
    ]
    attributes, expression, units, landmarks = resident.tasks
    assert attributes.columns == ATTRIBUTES
    assert expression.classes == len(EXPRESSIONS)
    assert units.columns[:3] == ("AU1", "AU2", "AU4")
    assert landmarks.columns[:4] == ("x1", "y1", "x2", "y2")
    types = {name: y.dtype for name, y in resident.train.y.items()}
    assert types == {
        **{"attributes": torch.int8, "expression": torch.int64},
        **{"action_units": torch.int8, "landmarks": torch.float32},
    }
    assert (resident.train.x.shape, resident.train.x.dtype) == ((12, 3, 32, 32), torch.uint8)
    assert dataset(**SMALL, storage="fly").tasks == (attributes,)


def test_the_sizes_are_those_of_the_partition_of_celeba(monkeypatch):
    monkeypatch.setattr(faces, "labels", lambda index, *_: {})
    data = dataset(storage="fly")
    assert [len(split) for split in parts(data).values()] == [162_770, 19_867, 19_962]
    assert data.train.x.shape == (162_770, 3, 64, 64)


def test_landmarks_are_fractions_of_the_image_whatever_its_size(resident):
    y = dataset(**{**SMALL, "size": 48}, tasks=["landmarks"], storage="fly").train.y["landmarks"]
    assert torch.equal(y, resident.train.y["landmarks"])
    corners = torch.tensor([[-1.0, -1.0, 1.0, 1.0]])
    assert positions(corners, 32).tolist() == [[[-0.5, -0.5], [31.5, 31.5]]]
    # The face fills the middle of the image, its points well inside what a network puts out at first.
    assert y.abs().max() < 1.5
    assert y.mean().abs() < 0.3


def test_no_person_is_in_two_splits_however_large_they_are():
    last = torch.arange(RANGE - 300, RANGE)
    for first, second in (("train", "validation"), ("validation", "test")):
        border = faces.population.identities(last + faces.FIRST[first])
        beyond = identities(second, 300)
        assert not torch.isin(border, beyond).any()
    assert not torch.isin(identities("train", 5000), identities("test", 5000)).any()


def test_identities_are_those_of_the_drawn_faces_and_make_pairs():
    who = identities("validation", 120)
    assert torch.equal(who, draw(numbers("validation", 120), size=32).identity)
    rows = Pairs(who, 8, seed=0)(0)
    assert [who[a] == who[b] for a, b in rows.view(-1, 2)] == [True, False] * 2


def test_a_split_is_the_beginning_of_a_larger_one_and_no_other_moves(resident):
    larger = dataset(**{**SMALL, "train": 20}, storage="fly", tasks=ALL)
    assert torch.equal(larger.train.x[:12], resident.train.x)
    assert torch.equal(larger.train.y["attributes"][:12], resident.train.y["attributes"])
    assert torch.equal(larger.test.x[:], resident.test.x)


def test_another_seed_has_other_faces(resident):
    other = dataset(**SMALL, seed=1)
    assert not torch.equal(other.train.x, resident.train.x)
    assert not torch.equal(other.train.y["attributes"], resident.train.y["attributes"])


def test_labels_do_not_depend_on_what_is_computed_together(monkeypatch):
    index = numbers("train", 50)
    expected = labels(index, 3, ALL)
    monkeypatch.setattr(faces, "AT_ONCE", 7)
    found = labels(index, 3, ALL)
    assert all(torch.equal(found[name], expected[name]) for name in ALL)


def test_how_faces_are_drawn_together_changes_nothing(resident, monkeypatch, capsys):
    monkeypatch.setattr(faces, "PIXELS", 5 * 32**2)
    assert torch.equal(dataset(**SMALL).train.x, resident.train.x)
    assert capsys.readouterr().out.splitlines() == ["· drawing faces: done"]


# ------------------------------------------------------------------ drawn when asked for


@settings(max_examples=10, deadline=None)
@given(st.lists(st.integers(0, 11), max_size=6))
def test_drawn_rows_are_the_resident_ones(rows):
    rows = torch.tensor(rows, dtype=torch.long)
    assert torch.equal(Drawn(numbers("train", 12), 0, 32)[rows], draw(range(12), size=32).images[rows])


def test_a_run_on_drawn_faces_is_the_run_on_resident_ones(tmp_path):
    def run(storage, seed=0):
        data = dataset(**SMALL, storage=storage, seed=seed)
        with seeded("weights"):
            method = MultiTask(tiny(features=8), 8, data.tasks)
        done = fit(method, data, Recipe(steps=3, batch=4), validate_every=2, checkpoint=tmp_path / storage)
        return done.history, accuracy(method, data.test)

    assert run("fly") == run("fly") == run("resident")  # the second is taken from the checkpoint
    with pytest.raises(ValueError, match=r"fly belongs to another run: data, training rows"):
        run("fly", seed=1)


def test_drawn_faces_are_known_by_what_they_are_drawn_from(monkeypatch):
    index = numbers("train", 12)
    drawn = [Drawn(index, 0, 32), Drawn(index, 1, 32), Drawn(index, 0, 48), Drawn(numbers("test", 12), 0, 32)]
    known = {digest(x) for x in drawn}
    assert digest(Drawn(index.clone(), 0, 32)) in known
    monkeypatch.setattr(faces, "DRAWING", 99)
    assert digest(drawn[0]) not in known
    assert len(known) == 4


def test_drawn_and_large_faces_can_be_annotated(resident, monkeypatch, tmp_path):
    sizes = {"attributes": 4, "expression": 5, "action_units": 0.25, "landmarks": 3}
    monkeypatch.setattr(lazy, "ROOM", 1)
    expected = annotate(resident, sizes, 0.5).train
    for storage in ("fly", "cached"):
        found = annotate(dataset(**SMALL, tasks=ALL, storage=storage, root=tmp_path), sizes, 0.5)
        assert isinstance(found.train.x, lazy.Lazy)
        assert torch.equal(found.train.x[:], expected.x[:])
        assert torch.equal(found.train.y["attributes"], expected.y["attributes"])
        with seeded("weights"):
            method = MultiTask(tiny(features=8), 8, found.tasks)
        fit(method, found, Recipe(steps=2, batch=4))


# ------------------------------------------------------------------ drawn once into a file


@pytest.fixture
def drawings(monkeypatch):
    """The numbers of the faces that were drawn."""
    done = []

    def noted(index, *arguments):
        done.extend(index.tolist())
        return draw(index, *arguments)

    monkeypatch.setattr(faces, "draw", noted)
    return done


def test_cached_faces_are_drawn_once(resident, drawings, tmp_path):
    for _ in range(2):
        cached = dataset(**SMALL, storage="cached", root=tmp_path)
        for name, split in parts(cached).items():
            assert torch.equal(split.x, parts(resident)[name].x)
    assert len(drawings) == len(set(drawings)) == 12 + 5 + 6


@pytest.mark.parametrize("what", ["a byte", "the population", "the drawing"])
def test_a_cache_that_is_damaged_or_of_another_version_is_drawn_again(
    resident, drawings, tmp_path, monkeypatch, capsys, what
):
    dataset(**SMALL, storage="cached", root=tmp_path)
    drawings.clear()
    capsys.readouterr()
    if what == "a byte":
        (file,) = tmp_path.glob("train*.bin")
        content = bytearray(file.read_bytes())
        content[5000] ^= 64
        file.write_bytes(content)
    elif what == "the drawing":
        monkeypatch.setattr(faces, "DRAWING", 99)
    else:
        changed = json.loads(structure.FILE.read_text()) | {"version": 99}
        monkeypatch.setattr(structure, "FILE", tmp_path / "structure.json")
        structure.FILE.write_text(json.dumps(changed))
    assert torch.equal(dataset(**SMALL, storage="cached", root=tmp_path).train.x, resident.train.x)
    assert len(drawings) == (12 if what == "a byte" else 23)
    lines = [line for line in capsys.readouterr().out.splitlines() if line.endswith("it is made again")]
    assert len(lines) == (1 if what == "a byte" else 3)


def test_every_seed_and_size_has_a_cache_of_its_own(drawings, tmp_path):
    variants = [{}, {"seed": 1}, {"size": 40}, {"train": 13}]
    for _ in range(2):
        for other in variants:
            arguments = {**SMALL, **other}
            cached = dataset(**arguments, storage="cached", root=tmp_path)
            assert torch.equal(cached.train.x, dataset(**arguments, storage="fly").train.x[:])
    assert len(list(tmp_path.glob("train*.bin"))) == 4


def test_no_room_is_told_before_any_label_is_computed(tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda folder: type("Usage", (), {"free": 10**6}))
    monkeypatch.setattr(faces, "labels", None)
    with pytest.raises(OSError, match=f"{202_599 * 3 * 64**2:,} bytes are wanted, 1,000,000 are free"):
        dataset(storage="cached", root=tmp_path)


# ------------------------------------------------------------------ what is refused


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"tasks": ["attributes", "mood"]}, "attributes, expression, action_units, landmarks, each once, got"),
        ({"tasks": "attributes"}, "tasks are one or more of"),
        ({"tasks": []}, "tasks are one or more of"),
        ({"tasks": ["attributes", "attributes"]}, "each once"),
        ({"size": 31}, "faces are drawn at 32 to 256 pixels, got size 31"),
        ({"size": 257}, "got size 257"),
        ({"size": 64.0}, "got size 64.0"),
        ({"train": 0}, r"the train split has 1 to 2\*\*28 faces, got 0"),
        ({"validation": -1}, "the validation split has"),
        ({"test": 2**28 + 1}, "the test split has .* got 268435457"),
        ({"test": 0.5}, "got 0.5"),
        ({"seed": "seven"}, "the seed is a whole number, got 'seven'"),
        ({"storage": "disk"}, "storage is one of resident, fly, cached, got 'disk'"),
    ],
)
def test_bad_input_is_refused_before_any_work(monkeypatch, change, message):
    monkeypatch.setattr(faces, "people", None)
    with pytest.raises(ValueError, match=message):
        dataset(**{**SMALL, **change})
