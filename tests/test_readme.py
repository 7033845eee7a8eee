"""What the README says works as it stands."""

import re
from collections import Counter

import pytest
import torch

from mtlib.controls import MultiTask
from mtlib.datasets import examples, packing
from mtlib.paths import repository
from mtlib.recipe import Recipe
from mtlib.runs.record import read
from mtlib.tasks import Dataset, Split, Task

README = (repository() / "README.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def test_the_take_away_trains_on_a_readers_network(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    take_away, graph, coupling, blind, alone, together, drawn, _ = BLOCKS
    trunk = torch.nn.Sequential(torch.nn.Linear(6, 512), torch.nn.ReLU())
    loader = [(torch.randn(8, 6), torch.randint(-1, 2, (8, 40))) for _ in range(2)]
    before = trunk[0].weight.clone()
    names = {"trunk": trunk, "loader": loader}
    exec(take_away, names)
    assert not torch.equal(before, trunk[0].weight)
    sos = names["model"]
    exec(graph, names)
    assert names["model"].graph.sum() > 0
    names["model"] = sos
    names |= {"species": ("wren", "crow", "swan"), "looks": ("brown", "black"), "Task": Task}
    names |= {"y_species": torch.randint(-1, 3, (8, 1)), "y_looks": torch.randint(-1, 2, (8, 2))}
    names["outputs"] = {"species": torch.randn(8, 1, 3), "looks": torch.randn(8, 2)}
    exec(coupling, names)
    assert set(names["terms"]) == {"matching", "co-annotation"}
    names |= {"x": torch.randn(8, 6), **{f"y_{key}": torch.randint(-1, 2, (8, 1)) for key in ("smiling", "glasses")}}
    exec(blind, names)
    assert set(names["terms"].extra) == {"adversary"}

    x, y = torch.randn(160, 6), torch.randint(-1, 2, (160, 40))
    parts = [Split(x[rows], {"attributes": y[rows]}) for rows in (slice(64, 160), slice(32), slice(32, 64))]
    names["data"] = Dataset("mine", names["model"].tasks, *parts)
    exec(alone, names)
    assert names["result"].history[-1]["step"] == 19  # twenty epochs of one batch
    assert names["result"].best is not None
    assert (tmp_path / "run.pt").exists()

    names["build"] = lambda copy: MultiTask(torch.nn.Linear(6, 4), 4, names["data"].tasks)
    names["Recipe"] = lambda **given: Recipe(**{**given, "steps": 3})  # the same words, sooner done
    exec(together, names)
    assert len(names["scores"]) == 20

    exec(drawn, names)
    assert names["where"].shape == (20, 64, 64)
    annotated = names["data"]
    assert {name: int((y >= 0).all(1).sum()) for name, y in annotated.train.y.items()} == {
        "expression": 1200,
        "action_units": 600,
    }
    assert int((annotated.train.source == 0).sum()) == 150  # a quarter of the smaller set has both


def test_a_readers_own_data_are_trained_on(tmp_path, monkeypatch, capsys):
    examples.write("celeba", tmp_path)
    monkeypatch.setenv("MTLIB_DATA", str(tmp_path))
    monkeypatch.setattr(packing, "repository", lambda: tmp_path)  # for the cache
    exec(BLOCKS[-1], {})
    told = capsys.readouterr().out
    assert all(name in told for name in ("reading celeba train: done", "5_o_Clock_Shadow", "balanced accuracy", "AUC"))
    assert list((tmp_path / "data" / "cache").glob("celeba-train-*.bin"))


def test_every_make_command_exists():
    targets = set(re.findall(r"^([a-z]+):", (repository() / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"(?:`|^)make ([a-z]+)", README, re.MULTILINE)) <= targets


WORDS = ("partly", "reproduced", "not reproduced", "undecided", "holds", "reversed", "negligible")
RECORDS = sorted((repository() / "data" / "results").glob("*.json"))


def word(claim):
    """The verdict; of a claim that cannot be tested what holds on the stand-in."""
    found = re.search(r": (holds|reversed|negligible|undecided); ", claim["evidence"])
    return found.group(1) if claim["verdict"] == "not testable here" and found else claim["verdict"]


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.stem)
def test_the_verdicts_told_are_those_recorded(path):
    lines = re.findall(rf"^\| {path.stem.split('_')[0]}, .*\|(.*)\|$", README, re.MULTILINE)
    told = Counter()
    for n, name in re.findall(rf"\b(\d+) ({'|'.join(WORDS)})\b", " ".join(lines)):
        told[name] += int(n)
    assert told == Counter(map(word, read(path)["claims"]))


def test_the_large_printed_gaps_lie_far_from_single_runs_of_ours():
    record = read(repository() / "data" / "results" / "01_semantic_orthogonal_spaces.standard.json")
    pattern = r"printed ([^,]+), a single run of ours \[(.+), (.+)\]$"
    found = [re.search(pattern, claim["evidence"]) for claim in record["claims"]]
    effects = [tuple(map(float, one.groups())) for one in found if one]
    assert len(effects) == 6
    large = [one for one in effects if abs(one[0]) >= 10]
    assert len(large) == 4
    assert not any(low <= printed <= high for printed, low, high in large)


def test_every_link_leads_somewhere():
    for link in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (repository() / link).exists(), link
