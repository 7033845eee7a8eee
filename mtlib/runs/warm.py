"""Kernels that start at once: forked from a process that has imported what nearly every notebook imports.

Importing torch and its like takes a kernel five seconds and more, and tests start thirty kernels. So a command may be
run as ``python -m mtlib.runs.warm COMMAND ...``: all kernels that it starts are forks of this process. Each has memory,
a folder and an environment of its own, and of mtlib only ``vision`` has been imported. ``make verify`` and a reader's
run start cold. The kernels of one command share the order in which Python hashes strings, those of another do not.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from mtlib import vision

MODULES = (
    "ipykernel.kernelapp", "matplotlib.figure", "matplotlib.backends.backend_agg", "pandas", "scipy.stats",
    "papermill", "sklearn.linear_model", "torch", "torch._dynamo",
)  # fmt: skip
LONGEST = 1 << 20  # bytes of a request: arguments, folder and environment of a kernel
POLL = 0.2  # seconds between two looks whether the command has ended
# What Jupyter starts instead of a kernel: it asks for a fork, and lives as long as that does.
CLIENT = """\
import json, os, socket, sys
link = socket.socket(socket.AF_UNIX)
link.connect(sys.argv[1])
request = {"arguments": sys.argv[2:], "folder": os.getcwd(), "environment": dict(os.environ)}
socket.send_fds(link, [json.dumps(request).encode()], [0, 1, 2])
sys.exit(int(link.recv(8) or b"1"))
"""


def run(command: Sequence[str]) -> int:
    """Run a command whose Jupyter kernels are forks of this process; its exit status."""
    for name in MODULES:
        import_module(name)
    vision.torchmetrics()
    signal.signal(signal.SIGINT, lambda *_: None)  # Ctrl-C is for the command, which says how it ends
    kernels: list[int] = []
    with tempfile.TemporaryDirectory(prefix="mtlib-") as folder, socket.socket(socket.AF_UNIX) as listener:
        address = Path(folder) / "socket"
        listener.bind(str(address))
        listener.listen()
        listener.settimeout(POLL)
        _specify(Path(folder), address)
        path = os.pathsep.join(filter(None, [folder, os.environ.get("JUPYTER_PATH")]))
        process = subprocess.Popen(command, env={**os.environ, "JUPYTER_PATH": path})
        while process.poll() is None:
            kernels = [pid for pid in kernels if os.waitpid(pid, os.WNOHANG)[0] == 0]
            try:
                link, _ = listener.accept()
            except TimeoutError:
                continue
            kernels.append(os.fork())
            if kernels[-1] == 0:
                listener.close()
                _kernel(link)
            link.close()
    return process.returncode


def _specify(folder: Path, address: Path) -> None:
    """A kernel called python3, before all others on Jupyter's path."""
    spec = folder / "kernels" / "python3"
    spec.mkdir(parents=True)
    client = folder / "client.py"
    client.write_text(CLIENT)
    argv = [sys.executable, "-S", "-E", str(client), str(address), "-f", "{connection_file}"]
    content = {"argv": argv, "display_name": "Python 3", "language": "python", "interrupt_mode": "message"}
    (spec / "kernel.json").write_text(json.dumps(content))


def _kernel(link: socket.socket) -> None:
    """In the fork: become the kernel that was asked for, and end with it, or with whoever asked."""
    code = 1
    try:
        text, files, *_ = socket.recv_fds(link, LONGEST, 3)
        request = json.loads(text)
        for number, file in enumerate(files):  # it reads and writes where whoever asked does
            os.dup2(file, number)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.setsid()
        os.chdir(request["folder"])
        os.environ.clear()
        os.environ.update(request["environment"])
        sys.path[0] = ""
        threading.Thread(target=_watch, args=(link,), daemon=True).start()
        from ipykernel.kernelapp import IPKernelApp

        IPKernelApp.launch_instance(request["arguments"])
        code = 0
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 0 if error.code is None else 1
    finally:
        link.sendall(str(code).encode())
        os._exit(code)


def _watch(link: socket.socket) -> None:
    link.recv(1)
    os._exit(1)  # whoever asked for this kernel is gone


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
