"""What may be faster must train the same, or nearly, and leave everybody's random numbers and buffers alone."""

import shutil

import pytest
import torch
from torch import nn

from mtlib.controls import MultiTask
from mtlib.method import Losses
from mtlib.networks import lenet5, mlp
from mtlib.recipe import Recipe
from mtlib.seeds import generator, seeded
from mtlib.tasks import Dataset, Split, Task, example_losses
from mtlib.training import fit
from mtlib.updates import Descend

TASKS = (Task("b", "binary", 3), Task("c", "classes", 1, classes=4), Task("p", "points", 2))


def images(n=64):
    random = generator("images")
    x = torch.rand(n, 1, 28, 28, generator=random)
    y = {
        "b": torch.randint(-1, 2, (n, 3), generator=random),
        "c": torch.randint(-1, 4, (n, 1), generator=random),
        "p": torch.rand(n, 2, generator=random),
    }
    return Dataset("drawn", TASKS, Split(x, y), Split(x, y))


def small_lenet():
    with seeded("weights", 0):
        trunk = nn.Sequential(lenet5(), nn.Dropout(0.1), nn.BatchNorm1d(84))
        return MultiTask(trunk, 84, TASKS)


def trained(method=small_lenet, **settings):
    """The losses before each of six updates, and what the method ended with."""
    method = method()
    recipe = Recipe(steps=6, batch=32, rate=1e-3, schedule="constant", **settings)
    return [row["total"] for row in fit(method, images(), recipe).history], method


def test_channels_last_trains_the_same_up_to_rounding():
    losses, method = trained(channels_last=True)
    assert losses == pytest.approx(trained()[0], rel=1e-4)
    trunk = method.trunk[0]
    assert trunk.body[4].weight.is_contiguous(memory_format=torch.channels_last)


def test_channels_last_leaves_what_is_no_image_alone(noisy, plane):
    recipe = Recipe(steps=5, batch=32)
    assert fit(noisy(), plane, recipe).history == (
        fit(noisy(), plane, Recipe(steps=5, batch=32, channels_last=True)).history
    )


def test_bfloat16_trains_nearly_the_same_and_parameters_stay_float32():
    losses, method = trained(precision="bfloat16")
    plain = trained()[0]
    assert losses[:4] == pytest.approx(plain[:4], rel=0.02)
    assert losses != plain
    assert {p.dtype for p in method.parameters()} == {torch.float32}


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.kind)
def test_losses_count_in_single_precision_under_bfloat16(task):
    z = torch.zeros(301, task.heads, task.outputs, dtype=torch.bfloat16)  # in bfloat16, 301 ones are 300 or 302
    loss, known = example_losses(
        task, z, torch.zeros_like(z) if task.kind == "points" else torch.zeros(301, task.heads)
    )
    assert loss.dtype == torch.float32
    assert (known.sum(0) == 301).all()


def test_a_bfloat16_network_learns(plane):
    with seeded("weights", 0):
        method = MultiTask(mlp(2, 16), 16, plane.tasks)
    history = fit(method, plane, Recipe(steps=200, batch=32, rate=0.02, precision="bfloat16")).history
    assert history[-1]["total"] < 0.8 * history[0]["total"]


# ------------------------------------------------------------------ compiling


class TwiceThroughTheGraph(Descend):
    """Weighs tasks by the size of their gradients, as several papers do: the graph is gone through twice."""

    def total(self, losses):
        weight = self.method.heads[0].weight
        (slope,) = torch.autograd.grad(losses.tasks[0], weight, retain_graph=True)
        return losses.total() / (1 + slope.norm().detach())


@pytest.mark.skipif(not (shutil.which("c++") or shutil.which("g++") or shutil.which("clang")), reason="no C++ compiler")
def test_compiled_losses_train_the_same_up_to_rounding(recwarn, monkeypatch):
    monkeypatch.setattr("torch._inductor.config.compile_threads", 1)

    def run(**settings):
        torch.manual_seed(5)
        with seeded("weights", 0):
            method = MultiTask(nn.Sequential(nn.Flatten(), mlp(784, 8), nn.BatchNorm1d(8)), 8, TASKS)
        recipe = Recipe(steps=4, batch=32, rate=1e-3, **settings)
        history = fit(method, images(), recipe, TwiceThroughTheGraph()).history
        return method, [row["total"] for row in history], torch.rand(2).tolist()

    (plain, losses, after), (compiled, same, after_too) = run(), run(compile=True)
    assert not [warning for warning in recwarn if "uncompiled" in str(warning.message)]
    assert same == pytest.approx(losses, rel=1e-5)
    assert after == after_too
    for a, b in zip(plain.state_dict().values(), compiled.state_dict().values(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-6)  # batch statistics, though one batch was tried before


def test_where_there_is_no_compiler_training_goes_on_without_and_says_so_once(noisy, plane):
    nowhere = {"cpp.cxx": ("no-such-compiler",), "force_disable_caches": True}
    with (
        torch._inductor.config.patch(nowhere),
        pytest.warns(UserWarning, match="training goes on uncompiled") as warned,
    ):
        history = fit(noisy(), plane, Recipe(steps=5, batch=24, compile=True)).history
    assert sum("uncompiled" in str(warning.message) for warning in warned) == 1
    assert history == fit(noisy(), plane, Recipe(steps=5, batch=24)).history


class Wrong(MultiTask):
    def losses(self, batch):
        return Losses(self(batch.x)["no such task"])


@pytest.mark.filterwarnings("ignore:training goes on uncompiled")
def test_a_faulty_method_fails_with_its_own_error(plane):
    method = Wrong(mlp(2, 4), 4, plane.tasks)
    with pytest.raises(KeyError, match="no such task"):
        fit(method, plane, Recipe(steps=2, compile=True))
