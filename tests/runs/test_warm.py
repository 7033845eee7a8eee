"""Kernels that are forks: warm, each by itself, gone with whoever asked for them; and how the command ended."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

# Starts two kernels as everybody does, and leaves what they say.
COMMAND = """
import json, os, sys
from pathlib import Path
from jupyter_client.manager import start_new_kernel

os.environ["FOR_KERNELS"] = "yes"
def say(client, code):
    said = []
    client.execute_interactive(code, output_hook=lambda m: said.append(m["content"].get("text", "")), timeout=60)
    return "".join(said).strip()

ASK = "import json, os, sys; print(json.dumps([os.getpid(), os.getcwd(), os.environ.get('FOR_KERNELS'), "
ASK += "'colorsys' in sys.modules, 'mtlib.tasks' in sys.modules, 'x' in globals()]))"
folder = Path(sys.argv[1])
(first, one), (second, other) = (start_new_kernel(kernel_name="python3", cwd=str(folder)) for _ in range(2))
say(one, "x = 1")
found = [json.loads(say(client, ASK)) for client in (one, other)]
asleep = "import time; print('asleep', flush=True); time.sleep(60)"
def wake(message):
    if message["msg_type"] == "stream":
        first.interrupt_kernel()

found.append(one.execute_interactive(asleep, output_hook=wake, timeout=50)["content"]["ename"])
found.append(say(one, "print('goes on')"))
first.shutdown_kernel()
second.provisioner.process.kill()  # not the kernel: what asked for it
(folder / "found.json").write_text(json.dumps(found))
sys.exit(7)
"""


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    folder = tmp_path_factory.mktemp("warm")
    begin = "import sys; from mtlib.runs import warm; warm.MODULES = ('ipykernel.kernelapp', 'colorsys'); "
    words = [sys.executable, "-c", begin + "sys.exit(warm.run(sys.argv[1:]))", sys.executable, "-c", COMMAND, folder]
    ended = subprocess.run(words, cwd=Path(__file__).parent, timeout=120, capture_output=True, text=True)
    assert (folder / "found.json").exists(), ended.stderr
    return ended, folder, json.loads((folder / "found.json").read_text())


def test_kernels_are_warm_and_have_a_folder_an_environment_and_a_memory_of_their_own(done):
    _, folder, (one, other, *_) = done
    assert one[1:] == [str(folder), "yes", True, False, True]
    assert other[1:] == [str(folder), "yes", True, False, False]
    assert one[0] != other[0]


def test_a_kernel_can_be_interrupted_and_goes_on(done):
    assert done[2][2:] == ["KeyboardInterrupt", "goes on"]


def test_the_command_ends_as_it_would_by_itself(done):
    assert done[0].returncode == 7


def test_no_kernel_outlives_whoever_asked_for_it(done):
    pids = [one[0] for one in done[2][:2]]
    for _ in range(100):
        if not any(Path(f"/proc/{pid}").exists() for pid in pids):
            return
        time.sleep(0.1)
    raise AssertionError(f"{pids} are still there")
