"""Mulan's sets: their layout, their draws, and that what has Mulan's columns is Mulan's."""

import pytest
import torch

from mtlib.datasets import load, mulan
from mtlib.datasets.registry import ENTRIES

LABELS = {name: entry for name, entry in mulan.PUBLISHED.items() if len(entry) == 4}
TARGETS = {name: entry for name, entry in mulan.PUBLISHED.items() if len(entry) == 3}


def label_file(root, name):
    return root / "mulan" / "multi-label" / "scene" / name


def target_file(root):
    return root / "mulan" / "multi-target" / "andro.arff"


def rows_of(file):
    """The rows of an ARFF file as texts."""
    lines = file.read_text().splitlines()
    return [line.split(",") for line in lines[lines.index("@DATA") + 1 :] if line and not line.startswith("%")]


def test_every_published_set_can_be_loaded_by_its_name():
    entries = {name: entry for name, entry in ENTRIES.items() if entry.folder == "mulan"}
    assert set(entries) == set(mulan.PUBLISHED)
    assert {name for name, entry in entries.items() if entry.function == "read_targets"} == set(TARGETS)


def test_labels_with_the_official_splits(example):
    data = load("scene", root=example("scene"))
    assert data.name == "Mulan: scene"
    assert (data.train.x.shape, data.test.x.shape) == ((12, 5), (8, 5))
    assert data.tasks[0].columns == ("label1", "label2", "label3", "label4")
    bits = [[i >> place & 1 for place in range(4)] for i in range(12)]
    assert data.train.y["labels"].tolist() == bits
    assert data.test.y["labels"].tolist() == bits[:8]
    assert data.train.x[0, 2:].tolist() == [1, 0, 0]
    assert data.train.x[2, 2:].tolist() == [0, 0, 0]  # its colour is missing
    assert data.train.x.isfinite().all()


def test_targets_are_the_last_columns_and_a_third_is_drawn_to_test(example):
    root = example("andro")
    data = load("andro", root=root)
    assert data.name == "Mulan: andro"
    assert (data.train.x.shape, data.test.x.shape) == ((8, 5), (4, 5))
    assert data.tasks[0].columns == tuple(f"target{i + 1}" for i in range(6))
    drawn = [load("andro", root=root, split=split).train.y["targets"] for split in (0, 0, 1)]
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])
    expected = sorted([float(cell) for cell in row[3:]] for row in rows_of(target_file(root)))
    found = torch.cat([data.train.y["targets"], data.test.y["targets"]]).double()
    torch.testing.assert_close(torch.tensor(sorted(found.tolist())), torch.tensor(expected), rtol=1e-6, atol=0)


def test_a_missing_number_becomes_the_mean_of_what_is_trained_on(example):
    root = example("andro")
    for split in range(4):
        data = load("andro", root=root, split=split)
        known = {float(row[0]) for row in rows_of(target_file(root)) if row[0] != "?"}
        x = torch.cat([data.train.x, data.test.x])[:, 0]
        (filled,) = (value for value in x.tolist() if not any(abs(value - cell) < 1e-6 for cell in known))
        rows = [value for value in data.train.x[:, 0].tolist() if value != filled]
        assert filled == pytest.approx(sum(rows) / len(rows), abs=1e-6)


@pytest.mark.parametrize("split", [-1, 10, 0.0, "1", True])
def test_no_other_draw(example, split):
    with pytest.raises(ValueError, match="split is 0 to 9, got"):
        load("andro", root=example("andro"), split=split)


@pytest.mark.parametrize("name", ["scene-train.arff", "scene-test.arff", "scene.xml"])
def test_a_missing_file_is_named(example, name):
    root = example("scene")
    label_file(root, name).unlink()
    with pytest.raises(FileNotFoundError, match=rf"Mulan: {name} is not in .*says under 'Mulan'"):
        load("scene", root=root)


def test_nothing_there(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"Mulan: andro.arff is not in"):
        load("andro", root=tmp_path)


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("scene-train.arff", lambda old: old[: len(old) * 2 // 3], "scene-train.arff is damaged in example"),
        ("scene-train.arff", lambda old: old[:-30] + bytes(30), "scene-train.arff is no text"),
        ("scene-test.arff", lambda old: old.replace(b"label4", b"label5"), "scene-test.arff does not have the columns"),
        ("scene-test.arff", lambda old: b"", "scene-test.arff is empty"),
        ("scene-test.arff", None, "scene-test.arff cannot be read"),
        ("scene.xml", lambda old: old[:-20], "scene.xml cannot be read"),
        (
            "scene.xml",
            lambda old: old.replace(b"label4", b"label5"),
            "scene.xml lists a label 'label5', which scene-tr",
        ),
    ],
)
def test_damage_is_named(example, spoil, name, change, message):
    root = example("scene")
    spoil(label_file(root, name), change)
    with pytest.raises(ValueError, match=f"^Mulan: {message}"):
        load("scene", root=root)


def published(monkeypatch, name, content):
    """As if Mulan's ``name`` were such a file, of 12 examples with 3 features."""
    import hashlib

    md5 = hashlib.md5(content.rstrip()).hexdigest()
    _, columns, *files = mulan.PUBLISHED[name]
    columns = 4 if name == "scene" else columns
    monkeypatch.setitem(mulan.PUBLISHED, name, (3, columns, (12, md5), *files[1:]))


def test_with_mulans_columns_it_must_be_mulans(example, monkeypatch):
    root = example("andro")
    file, content = target_file(root), target_file(root).read_bytes()
    published(monkeypatch, "andro", content)
    load("andro", root=root)
    file.write_bytes(content.replace(b"\n", b"\r\n") + b"\n")
    load("andro", root=root)  # other ends of lines change nothing
    lines = content.splitlines(keepends=True)
    last = max(place for place, line in enumerate(lines) if line[:1] == b"0")
    file.write_bytes(b"".join(lines[:last]))
    with pytest.raises(ValueError, match=r"andro.arff has 11 examples, there are 12"):
        load("andro", root=root)
    file.write_bytes(b"".join(lines[:last]) + lines[last].rstrip()[:-1] + b"\n")  # its last digit is lost
    with pytest.raises(ValueError, match=r"andro.arff is not as published: its text has the MD5 \w{32}, not \w{32}"):
        load("andro", root=root)


def test_and_so_must_its_list_of_labels(example, monkeypatch):
    root = example("scene")
    published(monkeypatch, "scene", label_file(root, "scene-train.arff").read_bytes())
    names = label_file(root, "scene.xml")
    names.write_bytes(names.read_bytes().replace(b'<label name="label4"></label>', b""))
    with pytest.raises(ValueError, match=r"scene.xml lists 3 labels, there are 4"):
        load("scene", root=root)


@pytest.mark.parametrize("name", LABELS)
def test_the_real_multi_label_sets(real, name):
    data = load(name, root=real("mulan"))
    _, labels, (trained, _), (tested, _) = LABELS[name]
    columns = {"scene": 294, "yeast": 103, "emotions": 72, "flags": 48}[name]  # of flags 9 are categories
    assert (data.train.x.shape, data.test.x.shape) == ((trained, columns), (tested, columns))
    assert (data.train.y["labels"].shape, data.test.y["labels"].shape) == ((trained, labels), (tested, labels))
    assert set(data.train.y["labels"].unique().tolist()) == {0, 1}
    if name == "scene":
        assert data.tasks[0].columns == ("Beach", "Sunset", "FallFoliage", "Field", "Mountain", "Urban")
        assert (data.train.x.min(), data.train.x.max()) == (0, 1)
        both = torch.cat([data.train.y["labels"], data.test.y["labels"]])
        assert both.sum(1).double().mean().item() == pytest.approx(1.074, abs=5e-4)  # Mulan's cardinality


@pytest.mark.parametrize("name", TARGETS)
def test_the_real_sets_with_several_targets(real, name):
    data = load(name, root=real("mulan"))
    features, targets, (examples, _) = TARGETS[name]
    columns = {"sf1": 33, "sf2": 33}.get(name, features)
    assert len(data.train) + len(data.test) == examples
    assert len(data.train) == (2 * examples + 1) // 3
    assert (data.train.x.shape[1], data.train.y["targets"].shape[1]) == (columns, targets)
    assert data.train.x.isfinite().all()
    assert not data.train.y["targets"].isnan().any()
