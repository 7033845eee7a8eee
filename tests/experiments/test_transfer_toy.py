"""Transfer on the toy plane: what a gain is, that gains are paired, and that nothing is trained twice."""

from dataclasses import replace

import pytest
import torch

from mtlib import ensemble, toy
from mtlib.ensemble import Copy
from mtlib.experiments import transfer_summary
from mtlib.experiments import transfer_toy as transfer
from mtlib.experiments.transfer_toy import ARMS, MAIN, MODES, PAIRS, PARTNER, SHARED, SINGLE, Cell, Plan

TINY = transfer.Profile(32, 40, 3, 2, ("set 7", "rings 0.1"), (SINGLE, SHARED, "adversarial 0.1"), widths=(6, 4))


@pytest.fixture
def plan(tmp_path):
    return Plan(TINY, tmp_path, "a commit")


# ------------------------------------------------------------------ geometry


@pytest.mark.parametrize("slide", ["rings", "bands"])
def test_overlap_falls_along_a_slide_from_all_to_nothing(slide):
    values = [transfer.overlap(place) for place in transfer.SLIDES[slide]]
    assert values[0] == 1
    assert values[-1] == 0
    assert values == sorted(values, reverse=True)
    assert len(set(values[:-1])) == len(values) - 1  # only "touching" and "apart" may be alike


def test_the_overlap_of_bands_is_that_of_two_intervals():
    for h in transfer.BANDS:
        assert transfer.overlap(f"bands {h:g}") == pytest.approx(max(0, (0.3 - 2 * h) / (0.3 + 2 * h)), abs=0.01)


def test_a_wave_is_a_cosine_band_moved_up():
    x = torch.rand(1000, 2, generator=torch.Generator().manual_seed(0)) * 2 - 1
    wave = transfer.Wave(4, 1, 0.4, 0.3, 0.2)
    assert torch.equal(wave(x), toy.Cos(4, 1, 0.4, 0.3)(x - torch.tensor([0.0, 0.2])))
    assert wave(torch.tensor([[-0.25, 0.6]])).item()  # where the cosine is at 0.4, the middle is at 0.6


def test_a_complement_is_what_the_ring_is_not():
    ring, outside = PAIRS[transfer.OPPOSITE]
    x = torch.rand(1000, 2, generator=torch.Generator().manual_seed(0)) * 2 - 1
    assert torch.equal(ring(x), ~outside(x))
    assert transfer.overlap(transfer.OPPOSITE) == 0
    assert transfer.correlation(transfer.OPPOSITE) == pytest.approx(-1)
    assert transfer.correlation("rings 0") == pytest.approx(1)
    assert transfer.correlation("rings 0.5") < 0


def test_every_place_has_points_of_all_labels():
    for place in PAIRS:
        y = transfer.make(place, 900, TINY).test.y[MAIN]
        assert ((y == 0).any(0) & (y == 1).any(0)).all(), place


# ------------------------------------------------------------------ points and networks


def test_a_training_point_has_one_label_and_a_test_point_both():
    data = transfer.make("set 3", 900, TINY)
    assert ((data.train.y[MAIN] >= 0).sum(1) == 1).all()
    assert (data.test.y[MAIN] >= 0).all()
    assert len(data.train) == 32
    assert len(data.validation) == len(data.test) == 40
    assert not (data.validation.x[:, None] == data.test.x).all(2).any()  # no point is in both
    assert torch.equal(data.train.y[MAIN], data.train.y[PARTNER])
    both = transfer.make("set 3", 900, replace(TINY, sampling="cycle"))
    assert (both.train.y[MAIN] >= 0).all()


def test_the_single_network_does_not_see_the_partner():
    """Weight 0: with the partner's labels shuffled, what is learned of the main task is the same to the last bit."""
    data = transfer.make("set 3", 900, TINY)
    order = torch.randperm(len(data.train), generator=torch.Generator().manual_seed(0))
    shuffled = transfer.make("set 3", 900, TINY)
    shuffled.train.y[PARTNER] = shuffled.train.y[PARTNER][order]
    copies = [
        transfer.copy_of(Cell("set 3", 0, arm, 900), number) for arm in (SINGLE, SHARED) for number in (0, 1)
    ]  # fmt: skip
    result = ensemble.fit(
        lambda copy: transfer.build(copy, (6, 4)), [data, shuffled], copies, replace(TINY, updates=10).recipe
    )
    outputs = [network(data.test.x) for network in result.networks()]
    assert torch.equal(outputs[0][MAIN], outputs[1][MAIN])
    assert not torch.equal(outputs[0][PARTNER], outputs[1][PARTNER])  # but the onlooker learned another thing
    assert not torch.equal(outputs[2][MAIN], outputs[3][MAIN])  # and what shares does see it


def test_all_networks_of_a_seed_begin_alike():
    first, *others = (transfer.build(transfer.copy_of(cell, 0), (6, 4)) for cell in transfer.cells(TINY, 3))
    for other in others:
        assert all(torch.equal(a, b) for a, b in zip(first.parameters(), other.parameters(), strict=True))
    other = transfer.build(Copy(seed=4, settings={"arm": SINGLE}), (6, 4))
    assert not torch.equal(first.head.weight, other.head.weight)
    weights = {arm: transfer.build(Copy(settings={"arm": arm}), (6, 4)).weight.item() for arm in ARMS}
    assert weights == pytest.approx(ARMS)


def test_scores_by_hand():
    """A network that calls everything positive: right for all positives and no negative."""
    data = transfer.make("set 3", 900, TINY)
    network = transfer.build(Copy(settings={"arm": SINGLE}), (6, 4))
    with torch.no_grad():
        for layer in (network.head, network.adversary[0]):
            layer.weight.zero_()
            layer.bias.fill_(1)
    found = transfer.scored(network, data, main=1)
    assert found["test"] == pytest.approx(100 * data.test.y[MAIN][:, 1].double().mean().item())
    assert found["validation"] == pytest.approx(100 * data.validation.y[MAIN][:, 1].double().mean().item())
    assert found["balanced"] == found[PARTNER] == 50


# ------------------------------------------------------------------ training


def test_a_row_per_network_and_nothing_is_trained_again(plan, monkeypatch):
    told = []
    rows = transfer.train(plan, 900, advance=told.append)
    assert len(rows) == 2 * 2 * 2 * 3  # seeds, places, directions, arms
    assert sum(told) == TINY.work() == 24 * 3
    assert rows["seed"].unique().tolist() == [900, 901]
    assert rows["made by"].unique().tolist() == ["a commit"]
    assert [path.suffix for path in plan.folder.iterdir()] == [".json"] * 2  # the checkpoints are gone
    monkeypatch.setattr(ensemble, "fit", lambda *a, **k: pytest.fail("trained again"))
    again = []
    assert transfer.train(plan, 900, advance=again.append).equals(rows)
    assert sum(again) == TINY.work()


def test_more_seeds_keep_what_is_trained(plan):
    two = transfer.train(plan, 900)
    files = set(plan.folder.iterdir())
    three = transfer.train(replace(plan, profile=replace(TINY, seeds=3)), 900)
    assert three[: len(two)].equals(two)
    assert len(set(plan.folder.iterdir()) - files) == 1


def test_a_job_cut_short_goes_on_from_its_checkpoint(tmp_path):
    long = replace(TINY, updates=130, seeds=1, places=("set 7",))
    whole = transfer.train(Plan(long, tmp_path / "whole"), 900)
    plan, real = Plan(long, tmp_path / "cut"), ensemble.fit
    calls = iter([False, True])

    def lost(updates):
        if next(calls):
            raise OSError("the machine is gone")

    often = {"save_every": 0, "advance": lost}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ensemble, "fit", lambda *a, **k: real(*a, **{**k, **often}))
        with pytest.raises(OSError, match="gone"):
            transfer.train(plan, 900)
    assert plan.stem(900).with_suffix(".pt").exists()
    told = []
    assert transfer.train(plan, 900, advance=told.append).equals(whole)
    assert told[0] == 6 * 64  # what was done is told first


def test_the_smoke_profile_runs_through_everything(tmp_path):
    rows = transfer.train(Plan(transfer.profile("smoke"), tmp_path), 900)
    found = transfer_summary.samples(rows)
    assert {len(own) for own in found.values()} == {2}
    for key in ("sets: mean gain of sharing", "sets: mean gain of one lambda", "rings: gain at overlap 0 of sharing"):
        assert key in found
    kept = transfer_summary.from_record(transfer_summary.to_record(rows))
    for key, own in transfer_summary.samples(kept).items():
        assert own == pytest.approx(found[key], abs=0.1), key


def test_profiles_say_what_they_cannot_do():
    with pytest.raises(ValueError, match="profiles are smoke, quick"):
        transfer.profile("large")
    with pytest.raises(ValueError, match="places are one or more of set 1"):
        replace(TINY, places=("set 11",))
    with pytest.raises(ValueError, match="arms need 'single'"):
        replace(TINY, arms=(SHARED,))
    assert transfer.profile("quick", seeds=5).seeds == 5
    assert set(transfer.profile("standard").places) == set(PAIRS) == {place for own in MODES.values() for place in own}
