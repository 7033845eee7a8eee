"""Examples: every one can be loaded, is the same whenever written, and any file of it that is damaged is named."""

import pytest
import torch

from mtlib.datasets import examples, load

SMALL = list(examples.EXAMPLES)


def files_of(root):
    return sorted(path for path in root.rglob("*") if path.is_file())


@pytest.mark.parametrize("name", SMALL)
def test_every_example_can_be_loaded(tmp_path, name):
    data = load(examples.write(name, tmp_path / "data"), root=tmp_path / "data", cache=tmp_path / "cache")
    for split in (data.train, data.test):
        assert len(split) > 0
        assert torch.equal(split.x[torch.arange(len(split))].isnan().any(), torch.tensor(False))
        for task in data.tasks:
            assert split.y[task.name].shape == (len(split), len(task.columns))


@pytest.mark.parametrize("name", SMALL)
def test_the_same_seed_gives_the_same_files_and_another_other_ones(tmp_path, name):
    for folder, seed in (("a", 0), ("b", 0), ("c", 1)):
        examples.write(name, tmp_path / folder, seed)
    found = []
    for folder in "abc":
        data = load(examples.SECOND.get(name, name), root=tmp_path / folder, cache=tmp_path / "cache")
        found.append(data.train.x.clone())
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])
    names = [[path.relative_to(tmp_path / folder) for path in files_of(tmp_path / folder)] for folder in "abc"]
    assert names[0] == names[1] == names[2]


def test_every_picture_of_the_same_seed_is_another_one(tmp_path):
    for name in ("mnist", "att_faces"):
        examples.write(name, tmp_path)
        x = load(name, root=tmp_path).train.x
        assert len(x.flatten(1).unique(dim=0)) == len(x)


def test_all_layouts_are_to_be_had_by_name():
    every = examples.every()
    assert set(SMALL) < set(every)
    assert {"celeba", "cub"} < set(every)
    with pytest.raises(ValueError, match=r"there is no example 'digits'; there are mnist, "):
        examples.write("digits", "nowhere")


DAMAGES = {
    "cut": lambda content: content[: len(content) // 2],
    "zeroed": lambda content: content[: len(content) // 2] + bytes(len(content) - len(content) // 2),
    "all zero": lambda content: bytes(len(content)),
    "empty": lambda content: b"",
    "a text": lambda content: b"hello, world\n",
    "a folder": None,
    "another file": lambda content: examples.encoded(torch.zeros(3, 8, 8, dtype=torch.uint8), "PNG"),
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", SMALL)
def test_every_damaged_file_is_named(tmp_path, spoil, name, damage):
    known = examples.write(name, tmp_path)
    files = files_of(tmp_path)
    for path in files if len(files) < 20 else files[::133]:
        whole = path.read_bytes()
        spoil(path, DAMAGES[damage])
        with pytest.raises(ValueError, match=path.name):
            load(known, root=tmp_path, cache=tmp_path / "cache")
        if path.is_dir():
            path.rmdir()
        path.write_bytes(whole)


def test_from_a_shell(tmp_path, capsys):
    examples.main(["cifar10_jpeg", str(tmp_path)])
    assert capsys.readouterr().out == f"load('cifar10', root='{tmp_path}')\n"
    assert (tmp_path / "cifar10" / "cifar10_jpeg.npz").exists()
    with pytest.raises(SystemExit, match="NAME FOLDER"):
        examples.main(["scene"])
