"""Where the course lies on disk."""

import os
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def repository() -> Path:
    """The folder that holds ``notebooks/`` and ``data/``, whatever the working folder.

    nbval runs in a notebook's own folder and papermill in the caller's, so no path of the course
    may depend on the working folder.

    Raises:
        FileNotFoundError: mtlib is installed away from its repository, which the course needs.
    """
    if not (ROOT / "data" / "claims").is_dir():
        raise FileNotFoundError(
            f"no data/claims beside {ROOT / 'mtlib'}: the course runs from a clone of its repository, "
            "installed with 'pip install -e'"
        )
    return ROOT


def write_atomic(path: Path, content: str | bytes) -> None:
    """Write a whole file or nothing: a reader, or a run killed half-way, never meets half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    data = content.encode() if isinstance(content, str) else content
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as part:
        try:
            part.write(data)
            part.flush()
            os.fsync(part.fileno())
            os.chmod(part.name, 0o644)  # a temporary file is private; a result is not
            os.replace(part.name, path)
        except BaseException:
            os.unlink(part.name)
            raise
