"""A run that was stopped, by whatever, and started again ends where it would have ended, bit by bit."""

import os
import signal
import subprocess
import sys

import pytest
import torch

from mtlib import toy
from mtlib.networks import mlp
from mtlib.paths import repository
from mtlib.recipe import Recipe
from mtlib.rows import Epoch, Mixed
from mtlib.seeds import seeded
from mtlib.sos import SOS
from mtlib.training import fit
from mtlib.updates import Alternate, Descend
from mtlib.weighting import Fixed, Uncertainty

RECIPE = Recipe(steps=30, batch=32, rate=0.01)


class Kill(Exception):
    """What a run dies of: no clean-up of its own is asked for."""


def dies_after(steps):
    def advance(_):
        nonlocal steps
        steps -= 1
        if steps < 0:
            raise Kill

    return advance


def ending(method, result):
    return {**method.state_dict(), "history": result.history, "best": result.best}


def assert_same(found, expected):
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        assert torch.equal(found[name], value) if isinstance(value, torch.Tensor) else found[name] == value, name


RECIPES = {
    "adam": RECIPE,
    "sgd, drops": Recipe(steps=30, batch=32, rate=0.1, optimiser="sgd", momentum=0.9, schedule="step", drops=(0.5,)),
    "plateau": Recipe(steps=30, batch=32, rate=0.01, schedule="plateau", factor=0.5),
    "bfloat16": Recipe(steps=30, batch=32, rate=0.01, precision="bfloat16"),
}


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_a_run_that_dies_thrice_ends_as_if_it_had_not(noisy, plane, tmp_path, recipe):
    def run(checkpoint=None, advance=lambda _: None):
        method = noisy()
        return ending(
            method,
            fit(
                method, plane, recipe, validate_every=7, checkpoint=checkpoint, save_every=0, advance=advance, logged=8
            ),
        )

    unbroken, path, reached = run(), tmp_path / "run", []
    for steps in (8, 0, 13):  # counted from where the run goes on, which is told as one advance
        with pytest.raises(Kill):
            run(path, dies_after(steps))
        reached.append(torch.load(path, weights_only=True)["state"]["step"])
    assert reached == [8, 8, 20]
    assert_same(run(path), unbroken)


def small_sos():
    with seeded("weights", 0):
        return SOS(mlp(2, 6), 6, toy.TASKS, 4, 2)


UPDATES = {
    "weights that are learned": lambda: Descend(Uncertainty(2)),
    "matrices by rules": lambda: Alternate({"heads.0.bias": lambda value, gradient: 0.9 * value - gradient}, every=2),
}


@pytest.mark.parametrize("update", UPDATES.values(), ids=UPDATES)
def test_every_update_resumes(plane, tmp_path, update):
    def run(checkpoint=None, advance=lambda _: None):
        method = small_sos()
        return ending(
            method, fit(method, plane, RECIPE, update(), checkpoint=checkpoint, save_every=0, advance=advance)
        )

    with pytest.raises(Kill):
        run(tmp_path / "run", dies_after(11))
    assert_same(run(tmp_path / "run"), run())


def test_a_finished_run_returns_at_once(noisy, plane, tmp_path):
    def run():
        told, method = [], noisy()
        result = fit(method, plane, RECIPE, validate_every=5, checkpoint=tmp_path / "run", advance=told.append)
        return told, ending(method, result)

    told, first = run()
    assert told == [1] * 30
    told, again = run()
    assert told == [30]
    assert_same(again, first)


def test_parameters_of_the_last_step_are_saved_and_those_of_the_best_returned(noisy, plane, tmp_path):
    method = noisy()
    score = iter([{"score": 1.0}, {"score": 0.0}])
    fit(*(method, plane, RECIPE), validate_every=15, score=lambda *_: next(score), checkpoint=tmp_path / "run")
    state = torch.load(tmp_path / "run", weights_only=True)["state"]
    own = dict(method.named_parameters())
    assert all(torch.equal(state["best"]["values"][name], own[name]) for name in own)
    assert not any(torch.equal(state["values"][name], own[name]) for name in own if name.endswith("weight"))


# ------------------------------------------------------------------ another run's checkpoint


def changed(plane):
    """name: (arguments of fit that differ, what the refusal says)."""
    other_rows = toy.make(8, 200, 50)
    other_rows.train.y["toy"][17, 1] = -1
    return {
        "recipe": (
            {"recipe": Recipe(steps=30, batch=32, rate=0.02)},
            r"recipe\.rate differ \(recipe\.rate is 0\.01 there",
        ),
        "seed": ({"seed": 1}, "rows, seed differ"),
        "data": ({"data": toy.make(9, 200, 50)}, "data, training rows differ"),
        "one label": ({"data": other_rows}, "training rows differ"),
        "update": ({"update": Descend(Uncertainty(2))}, "update differ"),
        "rows": ({"rows": Epoch(200, 16, 0)}, "rows differ"),
        "history": ({"logged": 3}, "steps between rows of history differ"),
        "dropout": ({"rate": 0.3}, "method differ"),
        "initial values": ({"shift": 1e-6}, "the method's initial values differ"),
    }


@pytest.mark.parametrize("what", changed(None))
def test_the_checkpoint_of_another_run_is_refused(noisy, plane, tmp_path, what):
    own = toy.make(8, 200, 50)
    arguments, message = changed(plane)[what]

    def run(rate=0.2, shift=0.0, data=own, recipe=RECIPE, **arguments):
        method = noisy()
        method.trunk[2].p = rate
        method.heads[0].bias.data += shift
        return fit(method, data, recipe, checkpoint=tmp_path / "run", **arguments)

    run()
    content = (tmp_path / "run").read_bytes()
    with pytest.raises(ValueError, match=f"run belongs to another run: .*{message}"):
        run(**arguments)
    assert (tmp_path / "run").read_bytes() == content


def test_an_update_that_trained_before_is_still_known(plane, tmp_path):
    def run(update):
        return fit(small_sos(), plane, RECIPE, update, checkpoint=tmp_path / "run").history

    update = Descend(Fixed([1.0, 2.0]))
    assert run(update) == run(update) == run(Descend(Fixed([1.0, 2.0])))
    with pytest.raises(ValueError, match="update differ"):
        run(Descend(Fixed([1.0, 3.0])))


def test_mixed_rows_are_known_by_their_sizes(noisy, plane, tmp_path):
    plane.train.source = torch.arange(200) % 2

    def run(sizes):
        return fit(noisy(), plane, RECIPE, rows=Mixed(plane.train.source, sizes, 0), checkpoint=tmp_path / "run")

    assert run({0: 4, 1: 4}).history == run({0: 4, 1: 4}).history
    with pytest.raises(ValueError, match="rows differ"):
        run({0: 4, 1: 5})


# ------------------------------------------------------------------ interrupts and kills


def test_an_interrupt_stops_after_the_step_at_hand_saves_and_returns_what_there_is(noisy, plane, tmp_path):
    def run(checkpoint=None, at=None):
        done, method = 0, noisy()

        def advance(steps):
            nonlocal done
            done += steps
            if done == at:
                os.kill(os.getpid(), signal.SIGINT)

        return ending(method, result := fit(method, plane, RECIPE, checkpoint=checkpoint, advance=advance)), result

    unbroken, _ = run()
    stopped, result = run(tmp_path / "run", at=12)
    assert result.interrupted
    assert not result.method.training
    assert stopped["history"] == unbroken["history"][:12]
    resumed, result = run(tmp_path / "run")
    assert not result.interrupted
    assert_same(resumed, unbroken)
    assert run(at=12)[1].interrupted  # without a checkpoint as well


def test_a_run_killed_at_random_moments_loses_nothing():
    script = repository() / "benchmarks" / "faults.py"
    done = subprocess.run([sys.executable, script, "--kills", "2", "--kind", "fit"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("fit: 2 kills")
    assert done.stdout.endswith(" 0 lost\n")
