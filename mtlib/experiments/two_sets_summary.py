"""What two data bases in one network come to: changes against single-task networks, paired by seed."""

from collections.abc import Mapping, Sequence

import pandas as pd
import torch
from torch.utils.flop_counter import FlopCounterMode

from mtlib.claims import Claims, mean_of
from mtlib.experiments.two_sets import ARMS, HALF, RATE, Cell, Plan, build
from mtlib.experiments.two_sets_data import CHANNELS, PAIRS, SIZE
from mtlib.paths import repository
from mtlib.tasks import Batch, Task

DIFFERENCES = (("MT", "ST"), ("SOS", "ST"), ("SOS", "MT"))

Samples = dict[str, list[float]]  # {"a/CIFAR-10/MT-ST": points, one per seed}


def rows() -> list[tuple[str, str]]:
    """The four data bases in order: (pair's letter, role)."""
    return [(letter, role) for letter, pair in PAIRS.items() for role in pair.roles]


def samples(scores: pd.DataFrame) -> Samples:
    """Paired differences of test accuracy in points, seeds in the order of the scores; seeds that lack an arm left out.

    Args:
        scores: as ``two_sets.train`` gives them.
    """
    found: Samples = {}
    for letter, role in rows():
        own = scores[(scores["pair"] == letter) & (scores["data base"] == role)]
        wide = own.pivot(index="seed", columns="arm", values="accuracy")
        for first, second in DIFFERENCES:
            if {first, second} <= set(wide.columns):
                found[f"{letter}/{role}/{first}-{second}"] = (wide[first] - wide[second]).dropna().round(3).tolist()
    return {key: values for key, values in found.items() if values}


def printed() -> dict[str, float]:
    """The printed changes by the same keys, in points: one run each; SOS minus MT is the difference of two of them."""
    table = pd.read_csv(repository() / "data" / "papers" / "sos_mnist_cifar.csv")
    change = {(pair[0], role, model): value for pair, role, model, value in table.itertuples(index=False)}
    found = {}
    for letter, role in rows():
        mt, sos = change[letter, role, "MT"], change[letter, role, "SOS"]
        found |= {f"{letter}/{role}/MT-ST": mt, f"{letter}/{role}/SOS-ST": sos}
        found[f"{letter}/{role}/SOS-MT"] = round(sos - mt, 2)
    return found


def accuracies(scores: pd.DataFrame) -> dict[str, dict[str, dict[str, dict[str, float]]]]:
    """{pair: {data base: {arm: {"mean", "low", "high", "n"}}}}, per cent of the test pictures."""
    found: dict = {}
    for (letter, role, arm), own in scores.groupby(["pair", "data base", "arm"], sort=False):
        found.setdefault(letter, {}).setdefault(role, {})[arm] = mean_of(own["accuracy"].tolist())
    return found


def in_a_table(found: Mapping[str, Mapping[str, Mapping[str, Mapping[str, float]]]]) -> pd.DataFrame:
    """What ``accuracies`` gave, spelled: a row per data base, a column per arm; no interval goes beyond 0 and 100."""
    table = {
        (letter, role): {
            arm: f"{one['mean']:.1f} [{max(one['low'], 0):.1f}, {min(one['high'], 100):.1f}]"
            for arm, one in arms.items()
        }
        for letter, roles in found.items()
        for role, arms in roles.items()
    }
    return pd.DataFrame(table).T.rename_axis(["pair", "in the role of"])


def beside_print(found: Samples, names: Mapping[str, str]) -> pd.DataFrame:
    """The printed changes beside ours in points, one row per data base and difference.

    Args:
        found: as ``samples`` gives them.  names: of the data that they were had on, by the pair's letter.
    """
    theirs, table = printed(), {}
    for letter, role in rows():
        for first, second in DIFFERENCES:
            key = f"{letter}/{role}/{first}-{second}"
            if key in found:
                one = mean_of(found[key])
                ours = f"{one['mean']:+.2f} [{one['low']:+.2f}, {one['high']:+.2f}], n = {one['n']}"
                row = {"printed": f"{theirs[key]:+.2f}", "ours": ours, "our data": names[letter]}
                table[letter, role, f"{first} − {second}"] = row
    frame = pd.DataFrame(table).T
    frame.index.names = ["pair", "in the role of", "difference"]
    return frame


def described(plan: Plan) -> dict[str, str]:
    """What each pair was trained on and for how long, by its letter: the data that a verdict names."""
    found = {}
    for letter, which in plan.data.items():
        pictures = "all training pictures" if which.train is None else f"up to {which.train} training pictures of each"
        text = f"{which.name}; {pictures}, {plan.updates[letter]} updates at rate {plan.rate:g}"
        if (which.train, plan.updates[letter], plan.rate) != (None, PAIRS[letter].printed, RATE):
            text += f" (printed: all, {PAIRS[letter].printed} at {RATE:g})"
        found[letter] = text
    return found


def cost(arm: str, tasks: Sequence[Task]) -> int:
    """Multiplications and additions of matrix products in one update's forward and backward pass, ST's two together."""
    total = 0
    networks = build(Cell("a", arm, 0), tasks)
    n = len(tasks) * HALF // len(networks)
    for network in networks:
        batch = Batch(torch.zeros(n, CHANNELS, SIZE, SIZE), {task.name: torch.zeros(n, 1).long() for task in tasks})
        with FlopCounterMode(display=False) as counter:
            network.losses(batch).total().backward()
        total += counter.get_total_flops()
    return total


def scoreboard(found: Samples, tasks: Sequence[Task]) -> dict[str, object]:
    """SOS's row of the course's scoreboard: gains by pair, averaged over its data bases, in points; cost per update."""
    gains: dict[str, dict] = {}
    for rival, name in (("ST", "gain over single-task"), ("MT", "gain over equal weights")):
        for letter, pair in PAIRS.items():
            keys = [f"{letter}/{role}/SOS-{rival}" for role in pair.roles]
            if set(keys) <= set(found):
                each = [sum(both) / 2 for both in zip(*(found[key] for key in keys), strict=True)]
                gains.setdefault(name, {})[letter] = mean_of(each)
    relative = {"operations per update relative to equal weights": cost("SOS", tasks) / cost("MT", tasks)}
    return {"method": "SOS", **gains, **relative}


def judged(rules: Claims, found: Samples, plan: Plan) -> list[dict]:
    """The verdicts on every pair, each with the data that it was had on."""
    names, verdicts = described(plan), []
    for letter, which in plan.data.items():
        own = {key: values for key, values in found.items() if key.startswith(f"{letter}/")}
        options = {"data": names[letter], "scope": which.scope, "updates": plan.updates[letter]}
        verdicts += rules.judge_all(own, **options)
    return verdicts


def to_record(scores: pd.DataFrame) -> dict[str, dict[str, dict[str, list]]]:
    """The scores as a record holds them: {pair: {data base: {"seed": [...], arm: [accuracy of each seed]}}}."""
    found: dict = {}
    for (letter, role), own in scores.groupby(["pair", "data base"], sort=False):
        wide = own.pivot(index="seed", columns="arm", values="accuracy").dropna()
        columns = {arm: [round(value, 3) for value in wide[arm].tolist()] for arm in ARMS if arm in wide}
        found.setdefault(letter, {})[role] = {"seed": wide.index.tolist(), **columns}
    return found


def from_record(recorded: Mapping[str, Mapping[str, Mapping[str, list]]]) -> pd.DataFrame:
    """The scores that ``to_record`` packed."""
    return pd.DataFrame([
        {"pair": letter, "data base": role, "arm": arm, "seed": seed, "accuracy": value}
        for letter, roles in recorded.items()
        for role, columns in roles.items()
        for arm in ARMS
        if arm in columns
        for seed, value in zip(columns["seed"], columns[arm], strict=True)
    ])  # fmt: skip
