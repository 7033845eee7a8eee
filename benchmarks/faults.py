"""Is anything lost when work is killed at any moment, and is every damaged file found?

    python benchmarks/faults.py [--kills 30 --kind fit ensemble packing files --seed 0]

`fit`, `ensemble`: runs that save checkpoints are killed with SIGKILL at random moments, started again until they end,
and compared with a run that nobody disturbed: every parameter and buffer must be the same bit for bit, every checkpoint
found must load, and none may be older than the one before. `packing`: the same while pictures are decoded into their
cache: the pictures must be the same byte for byte, and what was packed before a kill must still be there after it.
`files`: every file of tiny data sets in their official layouts is cut, zeroed, made another type or size, and bytes of
caches are flipped; each must be refused by its name, or made again. Exit status 1 where anything was lost or missed.
"""

import argparse
import io
import multiprocessing
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stdout
from multiprocessing.connection import Connection
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor, nn

from mtlib import datasets, ensemble, storage, toy
from mtlib.controls import MultiTask
from mtlib.datasets import cub, examples
from mtlib.networks import mlp
from mtlib.recipe import Recipe
from mtlib.seeds import seeded
from mtlib.training import fit

# Much that a resumed run could get wrong: random numbers in a step, batch statistics, momentum, a schedule,
# validation. It saves so often that many kills fall into the writing.
STEPS, SAVE_EVERY = 300, 0.004
PIECE = 2**17  # bytes of a packed chunk, so few that kills fall between two and within one


def by_fit(checkpoint: Path) -> dict[str, Tensor]:
    with seeded("weights", 0):
        trunk = nn.Sequential(mlp(2, 20), nn.BatchNorm1d(20), nn.Dropout(0.2), mlp(20, 20))
        method = MultiTask(trunk, 20, toy.TASKS)
    data = toy.make(8, 500, 100)
    data.validation = data.test
    result = fit(
        *(method, data, Recipe(steps=STEPS, rate=0.01)),
        validate_every=50,
        checkpoint=checkpoint,
        save_every=SAVE_EVERY,
    )
    history = torch.tensor([row["total"] for row in result.history], dtype=torch.double)
    return {**method.state_dict(), "history": history}


def by_ensemble(checkpoint: Path) -> dict[str, Tensor]:
    def build(copy: ensemble.Copy) -> MultiTask:
        with seeded("weights", copy.seed):
            trunk = nn.Sequential(mlp(2, 20), nn.BatchNorm1d(20), nn.Dropout(0.2), mlp(20, 20))
            return MultiTask(trunk, 20, toy.TASKS)

    copies = [ensemble.Copy(seed=seed) for seed in range(5)]
    recipe = Recipe(steps=10 * STEPS, rate=0.01)  # it can save every 64 steps only
    result = ensemble.fit(build, toy.make(8, 500, 100), copies, recipe, checkpoint=checkpoint, save_every=SAVE_EVERY)
    networks = enumerate(result.networks())
    ends = {f"{place} {name}": value for place, network in networks for name, value in network.state_dict().items()}
    return {**ends, "history": result.history}


def by_packing(checkpoint: Path) -> dict[str, Tensor]:
    storage.CHUNK = PIECE
    with redirect_stdout(io.StringIO()):
        data = datasets.load("digits", size=128, cache=checkpoint.parent / "cache")
    return {"train": data.train.x.clone(), "test": data.test.x.clone()}


Work = Callable[[Path], dict[str, Tensor]]  # works with a checkpoint there, resumes from it, gives what it ends with
KINDS: dict[str, Work] = {"fit": by_fit, "ensemble": by_ensemble, "packing": by_packing}


def child(kind: str, folder: Path, ready: Connection) -> None:
    torch.set_num_threads(1)
    ready.send(True)
    torch.save(KINDS[kind](folder / "checkpoint"), folder / "end")


def start(kind: str, folder: Path) -> multiprocessing.Process:
    """A training process, about to begin."""
    here, there = SERVER.Pipe(duplex=False)
    process = SERVER.Process(target=child, args=(kind, folder, there))
    process.start()
    here.recv()
    return process


def reached(kind: str, folder: Path) -> int:
    """How many updates, or bytes of whole chunks, what is saved there is worth; a broken checkpoint raises."""
    checkpoint = folder / "checkpoint"
    if kind != "packing":
        return torch.load(checkpoint, weights_only=True)["state"]["step"] if checkpoint.exists() else 0
    whole = sum(file.stat().st_size for file in folder.glob("cache/*.bin"))
    sums = [file.read_text().count("\n") - 1 for file in folder.glob("cache/*.part.json")]  # after a header
    return whole + PIECE * sum(sums)


def half_written(kind: str, folder: Path) -> bool:
    """Whether a file is half written."""
    return any(folder.glob("cache/*.part" if kind == "packing" else ".checkpoint.*"))


class Trial:
    """Kills of one kind of training, counted."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.kind, self.folder = kind, folder
        self.kills = self.writing = self.runs = self.lost = 0
        self.places: set[int] = set()  # what was saved when a kill came
        undisturbed = self.begin("undisturbed")
        began = time.monotonic()
        self.reference = self.end(undisturbed)
        self.seconds = time.monotonic() - began

    def begin(self, name: str) -> tuple[Path, multiprocessing.Process]:
        folder = self.folder / f"{self.kind} {name}"
        folder.mkdir(exist_ok=True)
        return folder, start(self.kind, folder)

    def end(self, run: tuple[Path, multiprocessing.Process]) -> dict[str, Tensor]:
        folder, process = run
        process.join()
        if process.exitcode:
            raise RuntimeError(f"{self.kind}: a process ended with {process.exitcode}")
        return torch.load(folder / "end", weights_only=True)

    def one_run(self, kills: int, moments: random.Random) -> None:
        """Kill one run up to so often, then let it end and compare."""
        name, before = str(self.runs), 0
        for _ in range(kills):
            folder, process = self.begin(name)
            process.join(moments.uniform(0, self.seconds / 3))
            if not process.is_alive():
                break
            process.kill()
            process.join()
            self.kills += 1
            self.writing += half_written(self.kind, folder)
            found = reached(self.kind, folder)
            self.lost += found < before
            before = found
            self.places.add(found)
        end = self.end(self.begin(name))
        same = end.keys() == self.reference.keys() and all(torch.equal(end[k], self.reference[k]) for k in end)
        self.lost += not same
        self.runs += 1


# ------------------------------------------------------------------ damaged files

PICTURES = {".jpg", ".jpeg", ".png", ".bmp", ".webp", ".pgm"}
FEW = 3  # pictures of a set that are damaged; of other files all are
UNREAD = {"certainties.txt"}  # four words that never change
TABLES = ("school", "scene", "andro")  # no pictures: no size to ask for


def damages(content: bytes, path: Path, alike: bool) -> dict[str, bytes | None]:
    """What a file may turn into, None if it is gone. ``alike``: all pictures of its set have one size."""
    found = {"cut": content[: len(content) // 2], "emptied": b"", "zeroed": bytes(len(content)), "gone": None}
    found["of another type"] = b"%PDF-1.4\n" + random.Random(len(content)).randbytes(len(content))
    if path.suffix in (".txt", ".csv", ".arff", ".gz"):  # others end where their content says
        found["twice as long"] = content + content
    elif alike and path.suffix in PICTURES:
        picture = Image.open(io.BytesIO(content))
        larger, file = picture.resize((picture.width + 1, picture.height)), io.BytesIO()
        larger.save(file, picture.format)
        found["of another size"] = file.getvalue()
        if picture.format == "JPEG":
            third = len(content) // 3
            found["zeroed within"] = content[:third] + bytes(third) + content[2 * third :]
    if path.suffix in (".gz", ".npz"):
        place = len(content) // 2  # well within what their checksums are of
        found["flipped in one bit"] = content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]
    return found


def read_all(name: str, folder: Path) -> dict[str, Tensor]:
    """Everything that there is of an example, loaded."""
    settings = {"root": folder / "root", "cache": folder / "cache"} | ({} if name in TABLES else {"size": 32})
    more = {
        "celeba": {"tasks": ("attributes", "identity", "landmarks")},
        "cub": {"tasks": ("species", "attributes"), "boxes": True, "invisible": "missing"},
    }
    with redirect_stdout(io.StringIO()) as told:
        data = datasets.load(name, **settings, **more.get(name, {}))
        found = {"train": data.train.x.clone(), "test": data.test.x.clone()}
        for view in ("folds", "train", "test") if name == "lfwa" else ():
            found[view] = datasets.pairs("lfw", **settings, view=view).first
        if name == "manifest":
            found["pairs"] = datasets.pairs(name, **settings).first
        if name == "cub":
            found["relations"] = cub.relations(settings["root"])
    found["again"] = torch.tensor("it is made again" in told.getvalue())
    return found


def refused(name: str, folder: Path, path: Path) -> bool:
    """Whether loading says that it is this file."""
    try:
        read_all(name, folder)
    except (ValueError, FileNotFoundError) as error:
        return path.name in str(error)
    return False


def damaged_sources(example: str, folder: Path, chance: random.Random) -> Iterator[tuple[str, bool]]:
    """Every file of an example damaged in every way: what was done, and whether it was found."""
    name = examples.write(example, folder / "root")
    files = sorted(path for path in (folder / "root").rglob("*") if path.is_file() and path.name not in UNREAD)
    pictures = [path for path in files if path.suffix in PICTURES]
    left = chance.sample(pictures, min(FEW, len(pictures)))
    for path in [path for path in files if path not in pictures] + left:
        content = path.read_bytes()
        for what, spoiled in damages(content, path, example not in ("cub", "manifest")).items():
            path.unlink() if spoiled is None else path.write_bytes(spoiled)
            yield f"{example}: {path.name} {what}", refused(name, folder, path)
            path.write_bytes(content)


def damaged_caches(example: str, folder: Path, chance: random.Random, times: int = 10) -> Iterator[tuple[str, bool]]:
    """A byte of a cached file changed: what was done, and whether it was found and made again."""
    name = examples.write(example, folder / "root")
    first = read_all(name, folder)
    for _ in range(times):
        path = chance.choice(sorted((folder / "cache").glob("*.bin")))
        content, place = bytearray(path.read_bytes()), chance.randrange(path.stat().st_size)
        content[place] ^= 1 << chance.randrange(8)
        path.write_bytes(content)
        found = read_all(name, folder)
        same = all(torch.equal(found[split], first[split]) for split in first.keys() - {"again"})
        yield f"{example}: byte {place} of {path.name} in the cache", same and bool(found["again"])


def damaged_files(names: Sequence[str], folder: Path, chance: random.Random) -> int:
    """Damages these examples, tells, and returns how many damages went unseen."""
    found: list[tuple[str, bool]] = []
    for example in names:
        found += damaged_sources(example, Path(tempfile.mkdtemp(dir=folder)), chance)
    sources = len(found)
    for example in sorted({"celeba", "manifest", "cifar10_jpeg"} & {*names}):
        found += damaged_caches(example, Path(tempfile.mkdtemp(dir=folder)), chance)
    missed = [what for what, seen in found if not seen]
    caches = f"{len(found) - sources} bytes flipped in caches"
    print(f"files: {sources} damaged of {len(names)} examples, {caches}, {len(missed)} missed")
    for what in missed:
        print(f"  missed: {what}")
    return len(missed)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=30, help="of every kind")
    parser.add_argument("--kind", choices=[*KINDS, "files"], nargs="*", default=[*KINDS, "files"])
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    parser.add_argument("--examples", nargs="*", choices=examples.every(), default=list(examples.every()))
    a = parser.parse_args()
    SERVER.set_forkserver_preload(ALWAYS + (PACKING if "packing" in a.kind else []))
    moments, lost = random.Random(a.seed), 0
    with tempfile.TemporaryDirectory() as folder:
        for kind in a.kind:
            if kind == "files":
                lost += damaged_files(a.examples, Path(folder), moments)
                continue
            trial = Trial(kind, Path(folder))
            while trial.kills < a.kills:
                trial.one_run(a.kills - trial.kills, moments)
            lost += trial.lost
            print(
                f"{kind}: {trial.kills} kills ({trial.writing} while a file was written) in {trial.runs} runs of "
                f"{trial.seconds:.1f} s, at {len(trial.places)} places, {trial.lost} lost"
            )
    sys.exit(lost > 0)


# A server that has everything imported, what torch imports late too: what is killed is training, not its preparation.
SERVER = multiprocessing.get_context("forkserver")
ALWAYS = ["torch._dynamo", "mtlib.training", "mtlib.ensemble", "mtlib.controls", "mtlib.datasets", "PIL.Image"]
PACKING = ["mtlib.datasets.digits", "sklearn.datasets"]

if __name__ == "__main__":
    main()
