"""Rows of bytes in one file: written once, checked whenever it is opened, mapped into memory.

For images that take long to draw or to decode. A file is whole, or is known not to be: writing is resumed where a kill
cut it off, and a file that was cut, zeroed or changed, or that holds something else, is made again.
"""

import ctypes
import errno
import json
import math
import mmap
import os
import shutil
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from mtlib.paths import write_atomic
from mtlib.progress import Progress

FORMAT = 1  # raised when the layout of the files changes
CHUNK = 2**23  # bytes of rows that are made, checked and resumed at a time, about

Make = Callable[[int, int], Tensor]  # (start, stop) -> rows (stop - start, ...) uint8


@dataclass(frozen=True)
class Packed:
    """A tensor (N, ...) of uint8 that lies in a file.

    ``path``.bin holds the rows one after another, ``path``.json what they are and the CRC-32 of every chunk of them
    (about 3 GB are checked in a second). While they are written they are ``path``.part, with the checksums of what is
    there in ``path``.part.json; ``.path.lock`` keeps a second process waiting, where the system has such locks.

    Args:
        path: folder and name, without a suffix.
        key: everything that the rows follow from, as plain values by name: versions, seeds, sizes, sources. A file
            with another key is not taken for this one.
        shape: (N, ...).
    """

    path: Path
    key: Mapping[str, object]
    shape: tuple[int, ...]

    @property
    def nbytes(self) -> int:
        """Bytes of all rows."""
        return math.prod(self.shape)

    @property
    def chunk(self) -> int:
        """Rows of a chunk; the last one may have fewer."""
        return max(1, CHUNK // math.prod(self.shape[1:]))

    def ensure(self, make: Make, label: str | None = None) -> Tensor:
        """The rows from the file; where it is missing or not to be used, they are made, written and read back.

        One line says why a file that is there is not used. What a killed process has written is gone on from.

        Args:
            make: (start, stop) -> the rows from start up to stop, uint8; a pure function of them and of the key.
            label: what a progress bar says; none is shown without.

        Raises:
            OSError: there is no room on the disk, or the folder cannot be written.
            ValueError: ``make`` gave something else than such rows.
        """
        try:
            return self.open(label)
        except (FileNotFoundError, ValueError):
            pass  # looked at again once nobody else is at it
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with _alone(self._file(".lock", hidden=True)):
            try:
                return self.open(label)
            except FileNotFoundError:
                pass
            except ValueError as error:
                print(f"· {error}: it is made again", flush=True)
                self._file(".bin").unlink(missing_ok=True)  # whoever has it mapped keeps what was mapped
            check_room([self])
            self._write(make, label)
        return self.open()

    def open(self, label: str | None = None) -> Tensor:
        """The rows (N, ...), mapped, once all of them have been checked. Writing to them never reaches the file.

        Raises:
            FileNotFoundError: there is no such file.
            ValueError: it is not whole, or holds something else; the message says what.
        """
        sums = self._checksums()
        with open(self._file(".bin"), "rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size != self.nbytes:  # looked at first: reading beyond the end of a mapped file kills the process
                raise ValueError(f"{self._file('.bin').name} has {size:,} bytes, not {self.nbytes:,}")
            mapped = _map(file.fileno(), size)
        with memoryview(mapped) as content, _progress(self.shape[0], label) as bar:
            for place, (rows, part) in enumerate(self._parts()):
                if zlib.crc32(content[part]) != sums[place]:
                    first, last = rows.start, rows.stop - 1
                    raise ValueError(f"{self._file('.bin').name} is damaged in rows {first:,} to {last:,}")
                if bar is not None:
                    bar.advance(len(rows))
        return torch.frombuffer(mapped, dtype=torch.uint8).view(self.shape)

    def missing(self) -> int:
        """Bytes that are still to be written, as far as the files' sizes tell."""
        if _size(self._file(".bin")) == self.nbytes and self._file(".json").exists():
            return 0
        there = max(_size(self._file(".bin")), _size(self._file(".part")))  # the one is removed, the other gone on from
        return max(0, self.nbytes - there)

    # ------------------------------------------------------------------ layout

    def _file(self, suffix: str, hidden: bool = False) -> Path:
        return self.path.with_name(f"{'.' * hidden}{self.path.name}{suffix}")

    def _parts(self) -> Iterator[tuple[range, slice]]:
        """The rows and the bytes of every chunk, in order."""
        row = math.prod(self.shape[1:])
        for start in range(0, self.shape[0], self.chunk):
            stop = min(start + self.chunk, self.shape[0])
            yield range(start, stop), slice(start * row, stop * row)

    def _header(self) -> dict:
        """What the file is, but for the checksums, as JSON gives it back."""
        return json.loads(json.dumps({**self.key, "format": FORMAT, "shape": self.shape, "chunk": self.chunk}))

    def _checksums(self) -> list[int]:
        """One per chunk, from a header that is this one's.

        Raises:
            FileNotFoundError, ValueError: as ``open``.
        """
        file = self._file(".json")
        try:
            found = json.loads(file.read_bytes())
            own, other, sums = self._header(), dict(found["header"]), found["crc32"]
        except (ValueError, TypeError, KeyError):
            raise ValueError(f"{file.name} is damaged") from None
        for name in (*own, *other):
            if own.get(name) != other.get(name):
                raise ValueError(f"{file.name} is another one: {name} is {other.get(name)}, not {own.get(name)}")
        if not isinstance(sums, list) or len(sums) != -(-self.shape[0] // self.chunk):
            raise ValueError(f"{file.name} is damaged")
        return sums

    # ------------------------------------------------------------------ writing

    def _write(self, make: Make, label: str | None) -> None:
        """Chunk by chunk into the part; a chunk counts once the journal beside it has its checksum."""
        part, journal = self._file(".part"), self._file(".part.json")
        sums = self._resumed()
        write_atomic(journal, "\n".join([json.dumps(self._header()), *map(str, sums), ""]))
        with (
            open(part, "r+b" if sums else "wb") as file,
            open(journal, "a") as log,
            _progress(self.shape[0], label) as bar,
        ):
            file.seek(min(len(sums) * self.chunk, self.shape[0]) * math.prod(self.shape[1:]))
            file.truncate()  # what was written of the next chunk
            for place, (rows, _) in enumerate(self._parts()):
                if place == len(sums):
                    content = _bytes(self._made(make, rows))
                    file.write(content)
                    file.flush()
                    sums.append(zlib.crc32(content))
                    log.write(f"{sums[-1]}\n")
                    log.flush()
                if bar is not None:
                    bar.advance(len(rows))
            os.fsync(file.fileno())
        # In this order a kill leaves either a header whose rows are not there, and the part, or everything.
        write_atomic(self._file(".json"), json.dumps({"header": self._header(), "crc32": sums}))
        os.replace(part, self._file(".bin"))
        journal.unlink()

    def _resumed(self) -> list[int]:
        """Checksums of the chunks that a killed process left whole: those that the journal has, read and checked."""
        sums: list[int] = []
        try:
            first, *lines = self._file(".part.json").read_text().splitlines()
            if json.loads(first) != self._header():
                return []
            with open(self._file(".part"), "rb") as file:
                for line, (_, part) in zip(lines, self._parts(), strict=False):
                    content = file.read(part.stop - part.start)
                    if len(content) < part.stop - part.start or zlib.crc32(content) != int(line):
                        break
                    sums.append(int(line))
        except (OSError, ValueError):  # nothing there, or a line that a power cut left
            pass
        return sums

    def _made(self, make: Make, rows: range) -> Tensor:
        made = make(rows.start, rows.stop)
        wanted = (len(rows), *self.shape[1:])
        if made.dtype != torch.uint8 or tuple(made.shape) != wanted:
            raise ValueError(f"{self.path.name}: rows are {wanted} uint8, got {tuple(made.shape)} {made.dtype}")
        return made.cpu().contiguous()


def check_room(packs: Iterable[Packed]) -> None:
    """Refuse what the disk has no room for, before any of it is made.

    Raises:
        OSError: how much there is, and how much is wanted.
    """
    packs = list(packs)
    wanted, folder = sum(pack.missing() for pack in packs), packs[0].path.parent.absolute()
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if wanted > free:
        names = ", ".join(pack.path.name for pack in packs)
        raise OSError(errno.ENOSPC, f"{names}: {wanted:,} bytes are wanted, {free:,} are free", str(folder))


def _bytes(rows: Tensor) -> ctypes.Array:
    """A tensor's bytes, without a copy and without numpy; the tensor must outlive them."""
    content = (ctypes.c_char * rows.numel()).from_address(rows.data_ptr())
    content.rows = rows
    return content


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


def _progress(total: int, label: str | None) -> Progress | nullcontext:
    return nullcontext() if label is None else Progress(total, label)


def _map(file: int, size: int) -> mmap.mmap:
    """A file's content as memory of this process's own: it is read when touched, and writing stays in memory."""
    if not hasattr(mmap, "MAP_PRIVATE"):  # Windows
        return mmap.mmap(file, size, access=mmap.ACCESS_COPY)
    # Linux would set memory aside for what might be written, and refuse a file larger than what it has.
    unreserved = getattr(mmap, "MAP_NORESERVE", 0x4000 if sys.platform == "linux" else 0)  # named from Python 3.13 on
    return mmap.mmap(file, size, flags=mmap.MAP_PRIVATE | unreserved, prot=mmap.PROT_READ | mmap.PROT_WRITE)


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """One process at a time; the others wait. A killed one lets go."""
    with open(lock, "w") as file:
        try:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
        except (ImportError, OSError):  # Windows, or a network's disk: two at a time would only waste work
            pass
        yield
