"""Many networks as one program: each ends where training alone would bring it, and one that fails disturbs no other."""

import os
import signal
import subprocess
import sys
import textwrap
import warnings
from dataclasses import replace

import pytest
import torch
from torch import nn

from mtlib import ensemble, toy
from mtlib.controls import MultiTask, SingleTask
from mtlib.ensemble import Copy
from mtlib.ensemble.stack import Batches, Networks
from mtlib.method import Losses, Method
from mtlib.networks import mlp
from mtlib.recipe import Recipe
from mtlib.rows import Epoch
from mtlib.seeds import seeded
from mtlib.sos import SOS, Reading
from mtlib.tasks import Dataset, Split, Task
from mtlib.training import fit

CHUNK = 16
SHORT = Recipe(steps=2 * CHUNK + 10, batch=32, rate=0.01)  # two whole chunks and a rest


def network(model, copy, **settings):
    with seeded("weights", copy.seed):
        if model == "ST":
            return SingleTask(lambda: mlp(2, 8, 4), 4, toy.TASKS)
        if model == "MT":
            return MultiTask(mlp(2, 8), 8, toy.TASKS)
        return SOS(mlp(2, 8), 8, toy.TASKS, common=5, specific=3, **settings)


def planes(*numbers, dtype=torch.float32, seed=0):
    data = [toy.make(number, n_train=200, n_test=20, seed=seed) for number in numbers]
    for each in data:
        each.train.x = each.train.x.to(dtype)
    return data


def values(method):
    return torch.cat([value.detach().flatten() for value in (*method.parameters(), *method.buffers())])


def all_values(result):
    return torch.stack([values(each) for each in result.networks()])


# ------------------------------------------------------------------ the same as one by one


@pytest.mark.parametrize("model", ["ST", "MT", "SOS"])
@pytest.mark.parametrize(("dtype", "error"), [(torch.float32, 1e-5), (torch.float64, 1e-12)])
def test_every_copy_ends_where_training_alone_would_bring_it(model, dtype, error):
    data = planes(8, 3, dtype=dtype)
    recipe = Recipe(steps=100, batch=32, rate=5e-4)
    copies = [Copy(seed=1, data=0), Copy(seed=2, data=1), Copy(seed=1, data=1)]
    result = ensemble.fit(lambda copy: network(model, copy).to(dtype), data, copies, recipe)
    for copy, found, rows in zip(copies, result.networks(), result.history.unbind(1), strict=True):
        alone = fit(network(model, copy).to(dtype), data[copy.data], recipe, seed=copy.seed)
        torch.testing.assert_close(values(found), values(alone.method), rtol=error, atol=error)
        assert result.steps == [row["step"] for row in alone.history]
        own = torch.tensor([[row[name] for name in result.names] for row in alone.history], dtype=dtype)
        torch.testing.assert_close(rows, own, rtol=10 * error, atol=10 * error)


def test_settings_in_buffers_may_differ_from_copy_to_copy():
    data = planes(3, dtype=torch.float64)
    copies = [Copy(settings={"lambda_cs": value}) for value in (0.0, 0.01, 1.0)]
    build = lambda copy: network("SOS", copy, **copy.settings).double()  # noqa: E731
    result = ensemble.fit(build, data, copies, SHORT)
    ends = all_values(result)
    assert not torch.allclose(ends[0], ends[2], atol=1e-3)
    for copy, end in zip(copies, ends, strict=True):
        alone = fit(build(copy), data[0], SHORT, seed=0).method
        torch.testing.assert_close(end, values(alone), rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize(
    "recipe",
    [
        replace(SHORT, optimiser="sgd", momentum=0.9, weight_decay=1e-3),
        replace(SHORT, schedule="step", drops=(0.3, 0.6)),
        replace(SHORT, schedule="constant", weight_decay=0.01),
        Recipe(epochs=3, batch=32, rate=0.01),
    ],
    ids=["sgd", "step", "weight decay", "epochs"],
)
def test_optimisers_and_schedules_are_those_of_fit(recipe):
    data = planes(8, dtype=torch.float64)
    copies = [Copy(seed=0), Copy(seed=1)]
    result = ensemble.fit(lambda copy: network("MT", copy).double(), data, copies, recipe)
    for copy, end in zip(copies, all_values(result), strict=True):
        alone = fit(network("MT", copy).double(), data[0], recipe, seed=copy.seed).method
        torch.testing.assert_close(end, values(alone), rtol=1e-9, atol=1e-9)


def test_batch_normalisation_is_that_of_each_copy_alone():
    def build(copy):
        with seeded("weights", copy.seed):
            return MultiTask(nn.Sequential(nn.Linear(2, 6), nn.BatchNorm1d(6), nn.ReLU()), 6, toy.TASKS).double()

    data = planes(8, dtype=torch.float64)
    copies = [Copy(seed=0), Copy(seed=1)]
    for copy, found in zip(copies, ensemble.fit(build, data, copies, SHORT).networks(), strict=True):
        alone = fit(build(copy), data[0], SHORT, seed=copy.seed).method
        torch.testing.assert_close(values(found), values(alone), rtol=1e-8, atol=1e-8)
        assert found.trunk[1].num_batches_tracked == SHORT.steps


@pytest.mark.parametrize("optimiser", ["adam", "sgd"])
def test_frozen_and_unused_parameters_stay_where_they_are(optimiser):
    class Spare(MultiTask):
        def __init__(self, *arguments):
            super().__init__(*arguments)
            self.spare = nn.Parameter(torch.ones(3))  # no loss uses it: weight decay must not move it either

    def build(copy):
        with seeded("weights", copy.seed):
            method = Spare(mlp(2, 5), 5, toy.TASKS).double()
        method.trunk.requires_grad_(False)
        return method

    data, copies = planes(8, dtype=torch.float64), [Copy(seed=0), Copy(seed=1)]
    recipe = replace(SHORT, optimiser=optimiser, weight_decay=0.01)
    for copy, found in zip(copies, ensemble.fit(build, data, copies, recipe).networks(), strict=True):
        before, alone = build(copy), fit(build(copy), data[0], recipe, seed=copy.seed).method
        assert torch.equal(found.trunk[0].weight, before.trunk[0].weight)
        assert torch.equal(found.spare, before.spare)
        torch.testing.assert_close(values(found), values(alone), rtol=1e-9, atol=1e-9)


def test_copies_may_learn_different_columns():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(100, 2, generator=generator, dtype=torch.float64)
    y = torch.randint(-1, 2, (100, 4), generator=generator)  # -1: missing
    data = Dataset("four", (Task("four", "binary", 4),), Split(x, {"four": y}), Split(x, {"four": y}))
    pairs = [(0, 1), (3, 1)]

    def build(copy):
        with seeded("weights"):
            return MultiTask(mlp(2, 5), 5, [Task("four", "binary", 2)]).double()

    copies = [Copy(columns={"four": pair}) for pair in pairs]
    result = ensemble.fit(build, data, copies, replace(SHORT, batch=16))
    for pair, end in zip(pairs, all_values(result), strict=True):
        own = Dataset("two", (Task("four", "binary", 2),), Split(x, {"four": y[:, pair]}), data.test)
        alone = fit(build(Copy()), own, replace(SHORT, batch=16), seed=0).method
        torch.testing.assert_close(end, values(alone), rtol=1e-9, atol=1e-9)


def test_the_order_of_the_copies_does_not_matter():
    data = planes(8, dtype=torch.float64)
    copies = [Copy(seed=seed) for seed in range(3)]
    build = lambda copy: network("MT", copy).double()  # noqa: E731
    forwards = all_values(ensemble.fit(build, data, copies, SHORT))
    backwards = all_values(ensemble.fit(build, data, copies[::-1], SHORT))
    torch.testing.assert_close(forwards, backwards.flip(0), rtol=1e-10, atol=1e-10)


# ------------------------------------------------------------------ the data


def test_inputs_are_held_once():
    data = planes(8)
    alike, various = [Copy(seed=0)] * 3, [Copy(seed=seed) for seed in range(3)]
    batches = Batches(data, various, 32, Epoch)
    assert batches.x.data_ptr() == data[0].train.x.data_ptr()  # not even copied once
    assert batches.y["toy"].data_ptr() == data[0].train.y["toy"].data_ptr()
    x, y = next(batches.draw(0, 1))
    assert (tuple(x.shape), tuple(y["toy"].shape)) == ((3, 32, 2), (3, 32, 2))
    x, y = next(Batches(data, alike, 32, Epoch).draw(0, 1))
    assert (tuple(x.shape), tuple(y["toy"].shape)) == ((32, 2), (32, 2))  # one batch serves all


def test_copies_with_the_same_batches_but_other_columns_share_the_inputs():
    data = planes(8)
    batches = Batches(data, [Copy(columns={"toy": [0]}), Copy(columns={"toy": [1]})], 32, Epoch)
    x, y = next(batches.draw(5, 1))
    own = data[0].train.take(Epoch(200, 32, 0)(5))
    assert torch.equal(x, own.x)
    assert torch.equal(y["toy"], own.y["toy"].T.unsqueeze(-1))


@pytest.mark.parametrize("start", [0, 5, CHUNK])
def test_batches_are_those_of_fit_wherever_a_chunk_begins(start):
    data = planes(8, 3)
    copies = [Copy(seed=4, data=1), Copy(seed=7, data=0)]
    for step, (x, y) in enumerate(Batches(data, copies, 32, Epoch).draw(start, 3), start):
        for k, copy in enumerate(copies):
            own = data[copy.data].train.take(Epoch(200, 32, copy.seed)(step))
            assert torch.equal(x[k], own.x)
            assert torch.equal(y["toy"][k], own.y["toy"])


def test_tables_of_places_are_not_stacked():
    stacked = Networks([network("SOS", Copy(seed=seed)) for seed in range(2)])
    assert [name.split(".")[-1] for name in stacked.shared] == ["columns"]
    assert [name.split(".")[-1] for name in stacked.stacked] == ["lambdas"]


# ------------------------------------------------------------------ a copy that fails


def spoilt(row=17):
    data = planes(8, 8)
    data[1].train.x = data[1].train.x.clone()
    data[1].train.x[row] = torch.inf
    return data


def test_a_copy_that_is_not_finite_is_frozen_and_reported_and_the_others_go_on():
    copies = [Copy(seed=0), Copy(seed=1, data=1), Copy(seed=2)]
    build = lambda copy: network("MT", copy)  # noqa: E731
    result = ensemble.fit(build, spoilt(), copies, SHORT)
    well = ensemble.fit(build, planes(8, 8), copies, SHORT)
    step = next(step for step in range(SHORT.steps) if 17 in Epoch(200, 32, 1)(step))
    assert set(result.frozen) == {1}
    assert result.frozen[1].startswith(f"step {step}: the loss of 'task 1' is ")
    ends, others = all_values(result), all_values(well)
    assert torch.equal(ends[[0, 2]], others[[0, 2]])
    assert ends.isfinite().all()
    assert result.history[-1, 1].isnan().all()
    assert torch.equal(result.history[:, [0, 2]], well.history[:, [0, 2]])
    # It stands where it was at the beginning of the chunk, here where it began.
    assert torch.equal(ends[1], values(build(copies[1])))
    with pytest.raises(FloatingPointError, match=f"step {step}: the loss of 'task 1' is"):
        fit(build(copies[1]), spoilt()[1], SHORT, seed=1)


class Runaway(Method):
    """Loss -x w: finite, while w leaves the range of floats."""

    tasks = (Task("t", "points", 1),)

    def __init__(self, rate):
        super().__init__()
        self.w = nn.Parameter(torch.tensor([1.0]))
        self.register_buffer("slope", torch.tensor(rate))

    def losses(self, batch):
        return Losses((-self.slope * self.w * batch.x.mean()).reshape(1))


def test_a_parameter_that_is_not_finite_after_the_last_step_is_noticed():
    split = Split(torch.ones(8, 1), {"t": torch.zeros(8, 1)})
    data = Dataset("ones", Runaway.tasks, split, split)
    recipe = Recipe(steps=1, batch=8, optimiser="sgd", rate=1e38, schedule="constant")
    copies = [Copy(settings={"rate": value}) for value in (1.0, 1e2)]
    result = ensemble.fit(lambda copy: Runaway(copy.settings["rate"]), data, copies, recipe)
    assert result.frozen == {1: "step 0: a parameter is not finite after it"}
    assert [each.w.item() for each in result.networks()] == [pytest.approx(1e38), 1.0]


# ------------------------------------------------------------------ stop and go on


class Stopped(Exception):
    pass


def stop_after(chunks):
    """An ``advance`` that breaks off, as a lost machine would."""
    calls = iter(range(chunks))

    def advance(updates):
        if next(calls, None) is None:
            raise Stopped

    return advance


@pytest.mark.parametrize("kind", ["SOS", "dropout", "frozen"])
def test_a_run_that_was_cut_short_ends_as_if_it_had_not_been(tmp_path, kind):
    def build(copy):
        if kind == "dropout":
            with seeded("weights", copy.seed):
                return MultiTask(nn.Sequential(mlp(2, 8), nn.Dropout(0.5)), 8, toy.TASKS)
        return network("SOS", copy)

    data = spoilt() if kind == "frozen" else planes(8, 3)
    copies = [Copy(seed=0), Copy(seed=1, data=1)]
    file = tmp_path / "run.pt"
    whole = ensemble.fit(build, data, copies, SHORT)
    with pytest.raises(Stopped):
        ensemble.fit(build, data, copies, SHORT, checkpoint=file, save_every=0, advance=stop_after(1))
    told = []
    result = ensemble.fit(build, data, copies, SHORT, checkpoint=file, advance=told.append)
    assert told[0] == 2 * CHUNK  # resumed after the first chunk of both
    assert torch.equal(all_values(result), all_values(whole))
    assert torch.equal(result.history.nan_to_num(), whole.history.nan_to_num())
    assert (result.steps, result.frozen) == (whole.steps, whole.frozen)
    assert bool(result.frozen) == (kind == "frozen")


def test_a_finished_run_is_taken_from_its_checkpoint(tmp_path):
    arguments = (lambda copy: network("MT", copy), planes(8), [Copy(), Copy(seed=1)], SHORT)
    first = ensemble.fit(*arguments, checkpoint=tmp_path / "run.pt")
    before = (tmp_path / "run.pt").stat().st_mtime_ns
    told = []
    again = ensemble.fit(*arguments, checkpoint=tmp_path / "run.pt", advance=told.append)
    assert told == [2 * SHORT.steps]
    assert torch.equal(all_values(again), all_values(first))
    assert torch.equal(again.history, first.history)
    assert (tmp_path / "run.pt").stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"recipe": replace(SHORT, rate=0.02)}, "recipe"),
        ({"copies": [Copy(seed=5), Copy(seed=1)]}, "copies"),
        ({"data": planes(3)}, "data"),
        ({"build": lambda copy: network("MT", replace(copy, seed=9))}, "the networks' initial values"),
        ({"build": lambda copy: with_momentum(copy, 0.2)}, "method"),
        ({"rows": lambda n, batch, seed: Backwards(n, batch, seed)}, "rows"),
    ],
)
def test_a_checkpoint_of_another_run_is_refused_by_name(tmp_path, change, named):
    arguments = {
        "build": lambda copy: network("MT", copy),
        "data": planes(8),
        "copies": [Copy(seed=0), Copy(seed=1)],
        "recipe": SHORT,
    }
    ensemble.fit(**arguments, checkpoint=tmp_path / "run.pt")
    with pytest.raises(ValueError, match=rf"run\.pt belongs to another run: .*{named}"):
        ensemble.fit(**{**arguments, **change}, checkpoint=tmp_path / "run.pt")


class Backwards(Epoch):
    """Other rows: the same orders, read from the end."""

    def __call__(self, step):
        return super().__call__(step).flip(0)


def with_momentum(copy, momentum):
    """A setting that neither parameters nor buffers show."""
    method = network("MT", copy)
    method.momentum = momentum
    return method


def test_an_interrupt_stops_between_chunks_and_gives_what_there_is(tmp_path):
    file, arguments = tmp_path / "run.pt", (lambda copy: network("MT", copy), planes(8), [Copy()], SHORT)
    result = ensemble.fit(*arguments, checkpoint=file, advance=lambda n: os.kill(os.getpid(), signal.SIGINT))
    assert result.interrupted
    assert result.steps[-1] < CHUNK
    assert len(result.history) == len(result.steps)
    rest = ensemble.fit(*arguments, checkpoint=file)
    assert not rest.interrupted
    assert torch.equal(all_values(rest), all_values(ensemble.fit(*arguments)))


def test_a_killed_run_resumes_bitwise_equal(tmp_path):
    """Three processes that share nothing but the checkpoint; forked, as importing everything takes longer than all."""
    code = textwrap.dedent(
        """
        import os
        import signal
        import sys
        import torch._dynamo  # which training would import late, in every process
        from pathlib import Path
        from mtlib import ensemble, toy
        from mtlib.controls import MultiTask
        from mtlib.ensemble import run
        from mtlib.networks import mlp
        from mtlib.recipe import Recipe
        from mtlib.seeds import seeded
        torch.set_num_threads(1)
        run.CHUNK = int(sys.argv[2])

        def build(copy):
            with seeded("weights", copy.seed):
                return MultiTask(mlp(2, 8), 8, toy.TASKS)

        def train(name, dies_after=None):
            told = []

            def advance(updates):
                told.append(updates)
                if len(told) == dies_after:
                    os.kill(os.getpid(), signal.SIGKILL)

            copies = [ensemble.Copy(seed=seed) for seed in range(3)]
            result = ensemble.fit(build, toy.make(8, n_train=200, n_test=10), copies, Recipe(steps=100, rate=0.01),
                                  checkpoint=Path(sys.argv[1], name), save_every=0, advance=advance)
            ends = [p.double().sum().item().hex() for net in result.networks() for p in net.parameters()]
            print(told[0], ends, sep="\\t", flush=True)

        def elsewhere(*arguments):
            child = os.fork()
            if not child:
                train(*arguments)
                os._exit(0)
            return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

        assert elsewhere("killed.pt", 4) == -signal.SIGKILL
        assert elsewhere("killed.pt") == 0
        train("whole.pt")
        """
    )
    command = [sys.executable, "-c", code, str(tmp_path), str(CHUNK)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    (begun, resumed), (_, whole) = (line.split("\t") for line in done.stdout.splitlines())
    assert resumed == whole
    assert begun == str(3 * 3 * CHUNK)  # three chunks of three copies were saved: it did not begin anew


# ------------------------------------------------------------------ compiled


def test_where_compiling_fails_training_goes_on_without(monkeypatch):
    def broken(*arguments, **options):
        raise RuntimeError("no compiler")

    arguments = (lambda copy: network("SOS", copy), planes(8), [Copy(), Copy(seed=1)])
    plain = ensemble.fit(*arguments, SHORT)
    monkeypatch.setattr(torch, "compile", broken)
    with pytest.warns(UserWarning, match="not compiled, training goes on without .RuntimeError: no compiler"):
        result = ensemble.fit(*arguments, replace(SHORT, compile=True))
    assert torch.equal(all_values(result), all_values(plain))


def test_compiling_does_not_disturb_the_random_numbers(monkeypatch):
    """A resumed run compiles again, in the middle; its dropout must go on as if it had not."""

    def build(copy):
        with seeded("weights", copy.seed):
            return MultiTask(nn.Sequential(mlp(2, 8), nn.Dropout(0.5)), 8, toy.TASKS)

    arguments = (build, planes(8), [Copy(), Copy(seed=1)])
    plain = ensemble.fit(*arguments, SHORT)
    monkeypatch.setattr(torch, "compile", lambda graph, fullgraph: graph)
    result = ensemble.fit(*arguments, replace(SHORT, compile=True))
    torch.testing.assert_close(all_values(result), all_values(plain), rtol=1e-4, atol=1e-5)


def test_what_is_compiled_is_the_same_program(monkeypatch):
    """The graph handed to the compiler is run as it is: compiling takes half a minute, tracing must be right."""
    monkeypatch.setattr(torch, "compile", lambda graph, fullgraph: graph)
    arguments = (lambda copy: network("SOS", copy), planes(8, 3), [Copy(), Copy(seed=1, data=1)])
    plain = ensemble.fit(*arguments, SHORT)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = ensemble.fit(*arguments, replace(SHORT, compile=True))
    torch.testing.assert_close(all_values(result), all_values(plain), rtol=1e-4, atol=1e-5)


# ------------------------------------------------------------------ what is refused


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"copies": []}, "an ensemble needs one or more Copy"),
        ({"copies": [Copy(data=1)]}, "copy 0: data set 1 does not exist, there are 1"),
        ({"copies": [Copy(columns={"toy": [2]})]}, "copy 0: no columns"),
        ({"copies": [Copy(columns={"game": [0]})]}, "copy 0: no columns"),
        ({"copies": [Copy(columns={"toy": [0]}), Copy()]}, "the same number of columns of 'toy'"),
        ({"recipe": replace(SHORT, schedule="plateau")}, "no validation for schedule 'plateau'"),
        ({"recipe": replace(SHORT, channels_last=True)}, "no channels_last"),
        ({"data": [toy.make(8, 100, 10), toy.make(8, 90, 10)]}, "data sets of one ensemble have one shape"),
        (
            {"data": Dataset("bare", toy.TASKS, Split(torch.ones(4, 2), {}), None)},
            "train split of 'bare': no labels for task 'toy'",
        ),
        ({"build": lambda copy: network("MT" if copy.seed else "ST", copy)}, "copy 1 has other classes"),
        ({"build": lambda copy: MultiTask(mlp(2, 3 + copy.seed), 3 + copy.seed, toy.TASKS)}, "other parameters"),
        ({"build": lambda copy: network("SOS", copy, fake_rate=1.0 + copy.seed)}, "other optimiser groups"),
        (
            {"build": lambda copy: network("SOS", copy, reading=Reading(spaces="relu" if copy.seed else "linear"))},
            "copy 1 has other settings",
        ),
        (
            {"data": Dataset("two bases", toy.TASKS, replace(toy.make(8, 40).train, source=torch.ones(40)), None)},
            "sources",
        ),
        ({"logged": 0}, "logged must be a whole number of 1 or more"),
        ({"save_every": -1}, "save_every must be seconds"),
        ({"rows": lambda n, batch, seed: Epoch(2 * n, 2 * n, seed)}, "rows.0. must be one or more whole numbers"),
    ],
)
def test_what_cannot_share_a_program_is_refused_before_any_work(change, message):
    arguments = {
        "build": lambda copy: network("MT", copy),
        "data": planes(8),
        "copies": [Copy(), Copy(seed=1)],
        "recipe": SHORT,
    }
    with pytest.raises(ValueError, match=message):
        ensemble.fit(**{**arguments, **change})


def test_the_table_has_a_row_per_logged_step_and_copy():
    result = ensemble.fit(lambda copy: network("SOS", copy), planes(8), [Copy(), Copy(seed=1)], SHORT, logged=4)
    table = result.table()
    assert list(table.columns) == ["step", "copy", *result.names]
    assert result.names[:2] == ["task 1", "task 2"]
    assert result.names[-1] == "total"
    assert table["step"].unique().tolist() == result.steps
    assert table["total"].iloc[1] == pytest.approx(result.history[0, 1, -1].item())
