"""Checkpoints: whole or absent, safe to load, and never taken for those of another run."""

import ctypes
import glob
import hashlib
import io
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from mtlib.lazy import Lazy
from mtlib.paths import write_atomic
from mtlib.tasks import Split

FORMAT = 1  # raised when what a checkpoint holds changes
ROOM = 2**26  # bytes of a tensor that are hashed whole; of a larger one, evenly spaced rows of about so many
PLAIN = (bool, int, float, str, bytes, type(None))


def save(path: Path, run: dict, state: dict) -> None:
    """Write a checkpoint in one piece: a run killed at any moment leaves the last one or this one.

    Args:
        run: what the run is (recipe, data, seed ...): plain values; a run of another kind cannot resume from it.
        state: plain values and tensors; numpy's numbers are made plain.

    Raises:
        TypeError: something else, which could be written but not be loaded safely.
    """
    path = Path(path)
    for leftover in path.parent.glob(f".{glob.escape(path.name)}.????????"):
        leftover.unlink(missing_ok=True)  # half a file, of a run that was killed while it wrote
    buffer = io.BytesIO()
    torch.save({"format": FORMAT, "run": _plain(run, "run"), "state": _plain(state, "state")}, buffer)
    write_atomic(path, buffer.getvalue())


def load(path: Path, run: dict, device: torch.device | str = "cpu") -> dict | None:
    """The state saved at ``path`` by the same run, or None where nothing was saved yet.

    Raises:
        ValueError: the file is no checkpoint, or one of another run; what differs is named.
    """
    path = Path(path)
    if not path.exists():
        return None
    try:
        found = torch.load(path, weights_only=True, map_location=device)
        form, other, state = found["format"], found["run"], found["state"]
    except Exception as error:  # torch raises half a dozen kinds for what is not its own
        raise ValueError(
            f"{path.name} is not a checkpoint of this course ({type(error).__name__}); remove it"
        ) from error
    if form != FORMAT:
        raise ValueError(f"{path.name} was written in format {form}, this is format {FORMAT}; remove it to start anew")
    differing = [key for key in sorted({*run, *other}) if run.get(key) != other.get(key)]
    if differing:
        key = differing[0]
        raise ValueError(
            f"{path.name} belongs to another run: {', '.join(differing)} differ "
            f"({key} is {_short(other.get(key))} there, {_short(run.get(key))} here); remove it or choose another file"
        )
    return state


def digest(*tensors: Tensor | Lazy | None) -> str:
    """A short hash of shapes, types and content; of a very large tensor, of rows evenly spaced over it.

    What is made when asked for is known by what it follows from; none of it is made.
    """
    found = hashlib.blake2b(digest_size=8)
    for value in tensors:
        if value is None:
            found.update(b"none")
            continue
        if isinstance(value, Lazy) and value.whole is not None:
            value = value.whole  # wherever it has been placed
        found.update(f"{tuple(value.shape)} {value.dtype}".encode())
        if isinstance(value, Lazy):
            found.update(f"{value.recipe} {digest(*value.sources)}".encode())
            continue
        if value.nbytes > ROOM:
            value = value[torch.linspace(0, len(value) - 1, max(1, len(value) * ROOM // value.nbytes)).long()]
        data = value.detach().cpu().contiguous().flatten().view(torch.uint8)
        found.update((ctypes.c_char * data.numel()).from_address(data.data_ptr()))  # without numpy
    return found.hexdigest()


def describe(thing: object, depth: int = 4, *, values: bool = True) -> str:
    """A text that is the same for things made the same way: class and public settings; tensors, splits by their digest.

    For a network: the settings of all its modules, and its parameters' names and shapes.

    Args:
        depth: how far settings of settings are followed.  values: look at a network's parameters and buffers too.
    """
    if isinstance(thing, PLAIN):
        return repr(thing)
    if depth < 0:
        return type(thing).__qualname__
    if isinstance(thing, partial):
        return f"partial{describe((thing.func, thing.args, thing.keywords), depth - 1)}"
    if isinstance(thing, Tensor):
        return f"tensor {digest(thing)}"
    if callable(thing) and hasattr(thing, "__qualname__"):  # functions, methods, classes
        return thing.__qualname__
    if isinstance(thing, Split):
        return f"split {digest(thing.x, *(thing.y[name] for name in sorted(thing.y)), thing.source)}"
    if isinstance(thing, dict):
        return "{" + ", ".join(f"{key!r}: {describe(value, depth - 1)}" for key, value in thing.items()) + "}"
    if isinstance(thing, list | tuple | set | frozenset):
        texts = [describe(value, depth - 1) for value in thing]
        return f"({', '.join(sorted(texts) if isinstance(thing, set | frozenset) else texts)})"
    if isinstance(thing, nn.Module):
        modules = [f"{name} {_settings(module, depth)}" for name, module in thing.named_modules()]
        shapes = [f"{name} {tuple(value.shape)}" for name, value in thing.named_parameters()]
        digests = [digest(*thing.parameters(), *thing.buffers())] if values else []
        return "; ".join(modules + shapes + digests)
    return _settings(thing, depth)


def _settings(thing: object, depth: int) -> str:
    """Name(public attribute=..., ...), without what training changes."""
    own = {} if depth <= 0 else {k: v for k, v in getattr(thing, "__dict__", {}).items() if not k.startswith("_")}
    own.pop("training", None)
    return type(thing).__qualname__ + "(" + ", ".join(f"{k}={describe(v, depth - 1)}" for k, v in own.items()) + ")"


def _plain(value: object, place: str) -> object:
    """The same, in types that ``torch.load(weights_only=True)`` takes."""
    if type(value) in PLAIN or isinstance(value, Tensor):
        return value
    if isinstance(value, dict):
        return {_plain(key, place): _plain(item, f"{place}, {key}") for key, item in value.items()}
    if type(value) in (list, tuple):
        return type(value)(_plain(item, place) for item in value)
    if type(value).__module__ == "numpy" and value.ndim == 0:
        return value.item()
    raise TypeError(f"a checkpoint holds tensors and plain values; {place} has a {type(value).__name__}")


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
