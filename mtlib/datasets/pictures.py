"""Pictures on disk: decoded in order by all cores, all to one size, each file looked at before any of it is used."""

import copy
import hashlib
import io
import os
from abc import ABC, abstractmethod
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self

import torch
from torch import Tensor

from mtlib.datasets.geometry import Geometry

CORES = os.cpu_count() or 1
ZEROS = 64  # bytes in a row
TOGETHER = 32  # pictures that a thread decodes before it takes others: one by one, small ones took a quarter longer


class Pictures(ABC):
    """N pictures that can be decoded.

    ``title`` names the data set in errors. A subclass says how one picture is opened.
    """

    title: str

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def take(self, rows: Tensor) -> "Pictures":
        """The pictures ``rows`` (B,) alone."""

    @abstractmethod
    def digest(self) -> str:
        """What the pictures are known by: another digest, another cache."""

    @abstractmethod
    def one(self, place: int, geometry: Geometry) -> Tensor:
        """One picture (C, size, size) uint8.

        Raises:
            ValueError: it cannot be read, or is not what the data set has; it is named.
        """

    def decode(self, start: int, stop: int, geometry: Geometry, row: tuple[int, ...]) -> Tensor:
        """The pictures from start up to stop, (B, *row) uint8, by as many threads as there are cores.

        Raises:
            ValueError: one that cannot be read, or that is not of the shape ``row``.
        """

        found = torch.empty(stop - start, *row, dtype=torch.uint8)

        def some(places: range) -> list[ValueError]:
            wrong = []
            for place in places:
                try:
                    found[place - start] = self._alike(place, geometry, row)
                except ValueError as error:
                    wrong.append(error)
            return wrong

        step = max(1, min(TOGETHER, (stop - start) // (4 * CORES)))
        parts = [range(first, min(first + step, stop)) for first in range(start, stop, step)]
        with ThreadPoolExecutor(CORES) as pool:
            wrong = [error for each in pool.map(some, parts) for error in each]
        if len(wrong) > 1:
            raise ValueError(f"{wrong[0]} (and {len(wrong) - 1} more near it)")
        if wrong:
            raise wrong[0]
        return found

    def _alike(self, place: int, geometry: Geometry, row: tuple[int, ...]) -> Tensor:
        picture = self.one(place, geometry)
        if tuple(picture.shape) != tuple(row):
            raise ValueError(
                f"{self.title}: {self.name(place)} is {tuple(picture.shape)}, others are {tuple(row)}; give a size "
                "and channels to make them alike"
            )
        return picture

    def name(self, place: int) -> str:
        """What errors call a picture."""
        return f"picture {place}"


class Files(Pictures):
    """Picture files.

    Args:
        title: of the data set.  folder: that the names begin in.  names: (N,) paths below it.
        formats: what Pillow may find in them, whatever their suffix says.
        shape: (width, height) that every file must have; None where they differ.
    """

    def __init__(
        self,
        title: str,
        folder: Path,
        names: Sequence[str],
        formats: Sequence[str] = ("JPEG",),
        shape: tuple[int, int] | None = None,
    ) -> None:
        self.title, self.folder, self.names = title, Path(folder), list(names)
        self.formats, self.shape = tuple(formats), shape

    def __len__(self) -> int:
        return len(self.names)

    def take(self, rows: Tensor) -> Self:
        """The files ``rows`` (B,) alone."""
        other = copy.copy(self)
        other.names = [self.names[row] for row in rows.tolist()]
        return other

    def digest(self) -> str:
        """Names, sizes and dates of the files: one that was replaced is another one.

        Raises:
            FileNotFoundError: the first missing one, and how many are.
        """
        found, missing = hashlib.blake2b(digest_size=8), []
        for name in self.names:
            try:
                known = os.stat(self.folder / name)
            except OSError:
                missing.append(name)
                continue
            found.update(f"{name} {known.st_size} {known.st_mtime_ns}\n".encode())
        if missing:
            raise FileNotFoundError(
                f"{self.title}: {len(missing):,} of {len(self):,} pictures are not in {self.folder}, the first is "
                f"{missing[0]} (data/README.md)"
            )
        return found.hexdigest()

    def name(self, place: int) -> str:
        """The file's."""
        return self.names[place]

    def one(self, place: int, geometry: Geometry) -> Tensor:
        """One file, decoded."""
        name = self.names[place]
        try:
            content = (self.folder / name).read_bytes()
        except OSError as error:
            raise ValueError(f"{self.title}: {name} cannot be read ({error.strerror})") from None
        return _decoded(self.title, name, content, self.formats, self.shape, geometry)


class Packets(Pictures):
    """Encoded pictures one after another in memory.

    Args:
        title: of the data set.  content: (bytes,) uint8.  offsets: (N + 1,) where each begins and the last one ends.
        rows: (M,) which of them; all of them without.
        formats, shape: as of ``Files``.
    """

    def __init__(
        self,
        title: str,
        content: Tensor,
        offsets: Tensor,
        rows: Tensor | None = None,
        formats: Sequence[str] = ("JPEG",),
        shape: tuple[int, int] | None = None,
    ) -> None:
        self.title, self.content, self.offsets = title, content, offsets
        self.rows = torch.arange(len(offsets) - 1) if rows is None else rows
        self.formats, self.shape = tuple(formats), shape

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, rows: Tensor) -> "Packets":
        """The pictures ``rows`` (B,) alone."""
        return Packets(self.title, self.content, self.offsets, self.rows[rows], self.formats, self.shape)

    def digest(self) -> str:
        """Of all bytes and of which pictures."""
        found = hashlib.blake2b(self.content.numpy(), digest_size=8)
        found.update(self.offsets.numpy())
        found.update(self.rows.numpy())
        return found.hexdigest()

    def name(self, place: int) -> str:
        """Its number among all of the file's."""
        return f"picture {int(self.rows[place])}"

    def one(self, place: int, geometry: Geometry) -> Tensor:
        """One picture, decoded."""
        row = int(self.rows[place])
        content = self.content[self.offsets[row] : self.offsets[row + 1]].numpy().tobytes()
        return _decoded(self.title, self.name(place), content, self.formats, self.shape, geometry)


class Raw(Pictures):
    """Pictures that need no decoding: (N, C, H, W) uint8 in memory."""

    def __init__(self, title: str, x: Tensor) -> None:
        self.title, self.x = title, x

    def __len__(self) -> int:
        return len(self.x)

    def take(self, rows: Tensor) -> "Raw":
        """The pictures ``rows`` (B,) alone."""
        return Raw(self.title, self.x[rows])

    def digest(self) -> str:
        """Of all pixels."""
        return hashlib.blake2b(self.x.contiguous().numpy(), digest_size=8).hexdigest()

    def one(self, place: int, geometry: Geometry) -> Tensor:
        """One picture, resized."""
        from PIL import Image

        content = self.x[place]
        content = content[0] if len(content) == 1 else content.permute(1, 2, 0)
        return geometry(Image.fromarray(content.contiguous().numpy()))


class Joined(Pictures):
    """The pictures of several data sets, one set after another.

    Args:
        parts: the sets'.  rows: (M,) which of them all; all of them without.
    """

    def __init__(self, parts: Sequence[Pictures], rows: Tensor | None = None) -> None:
        self.parts = tuple(parts)
        self.title = " + ".join(part.title for part in self.parts)
        self.rows = torch.arange(sum(map(len, self.parts))) if rows is None else rows

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, rows: Tensor) -> "Joined":
        """The pictures ``rows`` (B,) alone."""
        return Joined(self.parts, self.rows[rows])

    def digest(self) -> str:
        """Of all parts, and of which pictures."""
        found = hashlib.blake2b(self.rows.numpy(), digest_size=8)
        for part in self.parts:
            found.update(part.digest().encode())
        return found.hexdigest()

    def _at(self, place: int) -> tuple[Pictures, int]:
        row = int(self.rows[place])
        for part in self.parts:
            if row < len(part):
                return part, row
            row -= len(part)
        raise IndexError(place)

    def name(self, place: int) -> str:
        """As its set calls it."""
        part, place = self._at(place)
        return f"{part.name(place)} of {part.title}"

    def one(self, place: int, geometry: Geometry) -> Tensor:
        """One picture, decoded."""
        part, place = self._at(place)
        return part.one(place, geometry)


def _decoded(
    title: str,
    name: str,
    content: bytes,
    formats: tuple[str, ...],
    shape: tuple[int, int] | None,
    geometry: Geometry,
) -> Tensor:
    """A file's content as a picture.

    Raises:
        ValueError: Pillow cannot read it to its end, or it is of another format or size; the file is named.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        if content.startswith(b"\x89PNG"):
            with Image.open(io.BytesIO(content), formats=formats) as image:
                image.verify()  # its checksums and its end, which loading does not look at
        with Image.open(io.BytesIO(content), formats=formats) as image:
            image.load()
    except UnidentifiedImageError:
        raise ValueError(f"{title}: {name} is no {' or '.join(formats)} picture; get it again") from None
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError(f"{title}: {name} is damaged ({error}); get it again") from None
    if image.format == "JPEG":
        _check_scan(title, name, content[content.rfind(b"\xff\xda") :], shape is not None)
    if shape is not None and image.size != shape:
        wide, high = image.size
        raise ValueError(f"{title}: {name} has {wide} x {high} pixels, not {shape[0]} x {shape[1]}; get it again")
    try:
        return geometry(image)
    except ValueError as error:
        raise ValueError(f"{title}: {name} {error}") from None


def _check_scan(title: str, name: str, scan: bytes, photograph: bool) -> None:
    """Refuse coded pixels that a JPEG decoder makes something of, but that were not coded so: it has no checksum.

    Cut short or zeroed to its end it lacks the end marker, which cannot be among the coded pixels. A long run of zeros
    within them codes a large area of one colour, which a drawing may have and a photograph of a face has not.
    """
    if b"\xff\xd9" not in scan:
        raise ValueError(f"{title}: {name} is damaged (it has no end); get it again")
    if photograph and bytes(ZEROS) in scan:
        raise ValueError(f"{title}: {name} is damaged (a part of it is zeros); get it again")
