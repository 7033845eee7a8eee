"""Verification of photographs, on stand-ins for their files: what a row has, and lists of pairs with folds."""

import pytest
import torch

from mtlib.datasets import Pairs, examples
from mtlib.experiments import verification_pairs
from mtlib.experiments.verification_scores import GRID
from mtlib.recipe import Recipe
from mtlib.seeds import generator


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photographs")
    examples.write("att_faces", folder / "data")
    recipe = Recipe(steps=2, batch=16, rate=1e-3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(verification_pairs, "RESAMPLES", 5)
        return verification_pairs.real_pairs(root=folder / "data", seeds=(3, 4), recipe=recipe, cache=folder / "cache")


def test_there_is_a_row_of_pixels_and_two_per_seed(rows):
    assert [(row["arm"], row["seed"]) for row in rows] == [
        *(("pixels", 3), ("untrained", 3), ("trained", 3)),
        *(("untrained", 4), ("trained", 4)),
    ]
    for row in rows:
        assert (row["people"], row["pairs"], len(row["roc"])) == (20, 200 * 199 // 2, len(GRID))
        assert row["data"].startswith("AT&T faces, 32 pixels")


def test_the_first_seed_has_an_interval_over_people(rows):
    assert [row["interval"] is not None for row in rows] == [True, True, True, False, False]
    for row in rows[:3]:
        low, high = row["interval"]
        assert 0 <= low <= high <= 100


def test_training_changes_what_the_network_says(rows):
    assert rows[1]["roc"] != rows[2]["roc"]
    assert rows[1]["roc"] != rows[3]["roc"]  # another seed


def test_arguments_that_there_are_not():
    with pytest.raises(
        ValueError, match=r"att_faces alone.*got 'lfw', \[0\]\. Pairs of other sets are for score_pairs"
    ):
        verification_pairs.real_pairs("lfw", seeds=[0])
    with pytest.raises(ValueError, match=r"got 'att_faces', \[\]"):
        verification_pairs.real_pairs(seeds=[])
    with pytest.raises(ValueError, match="a multiple of 4, got 10"):
        verification_pairs.real_pairs(recipe=Recipe(batch=10))


def listed(folds):
    """Four pictures, black, black, white and white: two pairs alike and two that are not."""
    x = torch.tensor([0, 0, 255, 255], dtype=torch.uint8).view(4, 1, 1, 1).expand(4, 1, 16, 16)
    first, second = torch.tensor([0, 2, 0, 1]), torch.tensor([1, 3, 2, 3])
    return Pairs("four pictures", x, first, second, first // 2 == second // 2, torch.tensor(folds))


def test_pixels_tell_black_from_white_in_every_fold():
    row = verification_pairs.score_pairs(None, listed([0, 1, 0, 1]))
    assert (row["data"], row["pairs"], row["AUC"], row["true match at 1 %"]) == ("four pictures", 4, 100, 100)
    assert row["fold accuracy"] == {"mean": 100, "standard error": 0, "folds": [100, 100]}


def test_without_folds_there_is_no_accuracy_over_them():
    assert verification_pairs.score_pairs(None, listed([0] * 4))["fold accuracy"] is None


def test_a_network_scores_pairs_a_part_at_a_time(monkeypatch):
    x = torch.randint(0, 256, (6, 1, 16, 16), generator=generator("pairs"), dtype=torch.uint8)
    first, second = torch.tensor([0, 1, 2, 3]), torch.tensor([4, 5, 4, 5])
    pairs = Pairs("noise", x, first, second, torch.tensor([True, True, False, False]), torch.zeros(4).long())
    method = verification_pairs.network(0)
    whole = verification_pairs.score_pairs(method, pairs)
    monkeypatch.setattr(verification_pairs, "AT_ONCE", 4)
    assert verification_pairs.score_pairs(method, pairs) == whole
