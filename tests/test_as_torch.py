"""Scripts that were written for PyTorch run, each in a process of its own in which PyTorch is not to be had."""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
import warnings

import pytest

from tensorgrad import as_torch


def ran(tmp_path, script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    path = tmp_path / "script.py"
    path.write_text(textwrap.dedent(script))
    command = [sys.executable, "-m", "tensorgrad.as_torch", str(path), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def run(tmp_path, script: str, *arguments: str) -> str:
    done = ran(tmp_path, script, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_training_script_runs_unchanged(tmp_path):
    script = """
    import math
    import torch
    import torch.nn as nn
    import torch.nn.functional as F
    import torch.optim as optim
    from torch import Tensor
    from torch.optim.lr_scheduler import StepLR
    from torch.utils.data import DataLoader, TensorDataset

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(0)
    torch.backends.cudnn.deterministic = True

    class Net(nn.Module):
        def __init__(self):
            super(Net, self).__init__()
            self.fc1 = nn.Linear(1, 32)
            self.fc2 = nn.Linear(32, 1)

        def forward(self, x: Tensor) -> Tensor:
            return self.fc2(F.relu(self.fc1(x)))

    x = torch.linspace(-math.pi, math.pi, 200).unsqueeze(1)
    loader = DataLoader(TensorDataset(x, torch.sin(x)), batch_size=20, shuffle=True)
    model = Net().to(device)
    optimizer = optim.Adam(model.parameters(), lr=0.02)
    scheduler = StepLR(optimizer, step_size=20, gamma=0.5)
    for epoch in range(40):
        for data, target in loader:
            data, target = data.to(device), target.to(device)
            optimizer.zero_grad()
            loss = F.mse_loss(model(data), target)
            loss.backward()
            optimizer.step()
        scheduler.step()
    with torch.no_grad():
        print(F.mse_loss(model(x), torch.sin(x)).item() < 0.01)
    torch.save(model.state_dict(), "net.pt")
    model.load_state_dict(torch.load("net.pt", map_location=device, weights_only=True))
    """
    assert run(tmp_path, "import os, sys; os.chdir(os.path.dirname(sys.argv[0]))\n" + textwrap.dedent(script)) == "True"


def test_the_script_gets_its_arguments_its_folder_and_the_name_main(tmp_path):
    (tmp_path / "beside.py").write_text("import torch\nanswer = torch.tensor(42)\n")
    script = """
    import sys
    from beside import answer
    print(__name__, sys.argv[1:], answer.item(), __file__.endswith("script.py"))
    """
    assert run(tmp_path, script, "--lr", "0.1") == "__main__ ['--lr', '0.1'] 42 True"


LACKING = {
    "torch.fft.fft(1)": (AttributeError, "torch.fft: tensorgrad, which stands in for torch, does not have it"),
    "torch.nn.Lineer(1, 1)": (AttributeError, "the nearest that it has in torch.nn: Linear"),
    "from torch.nn import Lineer": (ImportError, "the nearest that it has in torch.nn: Linear, Bilinear$"),
    "import torch.sparse": (ImportError, "torch.sparse: tensorgrad"),
    "torch.nn.spectral_norm": (AttributeError, r"there is torch\.nn\.utils\.parametrizations\.spectral_norm$"),
    "torch.cross_entropy": (AttributeError, r"there is torch\.nn\.functional\.cross_entropy$"),
    "torch.linear": (AttributeError, r"there is torch\.nn\.functional\.linear$"),
    "from torch.nn import functionl": (ImportError, "the nearest that it has in torch.nn: functional"),
    "torch.ones(2).gelu()": (AttributeError, r"torch\.Tensor\.gelu: .* there is torch\.nn\.functional\.gelu$"),
    "from torch.optim import StepLR": (ImportError, r"there is torch\.optim\.lr_scheduler\.StepLR$"),
    "import torch.Tensor": (ImportError, "torch.Tensor"),
    "torch.ones(2).cumsumm()": (AttributeError, "torch.Tensor.cumsumm: .* cumsum"),
    "from torch.utils.cpp_extension import load": (ImportError, "torch.utils.cpp_extension"),
    "import torch.onnx; torch.onnx.export(1, 2, 'f')": (AttributeError, "torch.onnx.export: tensorgrad"),
}


@pytest.mark.parametrize(("code", "error", "text"), [(c, *e) for c, e in LACKING.items()], ids=LACKING)
def test_what_is_lacking_is_said_with_the_nearest_thing_there_is(tmp_path, code, error, text):
    script = f"""
    import torch
    try:
        {code}
    except {error.__name__} as error:
        print(error)
    """
    assert re.search(text, run(tmp_path, script))


def test_names_are_the_same_objects_as_ours(tmp_path):
    script = """
    import torch, tensorgrad as tg
    import torch.nn.functional as F
    from torch.nn import Module
    from torch.nn.parameter import Parameter
    from torch.nn.modules import Linear
    from torch.autograd import Variable
    print(Module is tg.nn.Module, F.relu is tg.nn.functional.relu, torch.Tensor is tg.Tensor, Linear is tg.nn.Linear)
    print(torch.__version__ >= "2", hasattr(torch, "fft"), hasattr(torch, "nn"), "relu" in dir(torch))
    """
    assert run(tmp_path, script) == "True True True True\nTrue False True True"


def test_installing_twice_and_taking_it_back():
    script = """
import tensorgrad.as_torch as a
a.install(); a.install()
import torch, torch.nn
a.uninstall()
import sys
print([n for n in sys.modules if n.split(".")[0] == "torch"], "__getattr__" in vars(torch.Tensor))
print([f for f in sys.path if "stand_in" in f])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[] False\n[]"


def test_it_refuses_where_pytorch_is_in_use_already():
    pytest.importorskip("torch")
    script = "import torch, tensorgrad.as_torch as a\ntry:\n    a.install()\nexcept RuntimeError as e:\n    print(e)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "PyTorch itself has been imported" in done.stdout


def test_a_script_that_is_not_there_and_none_at_all():
    for arguments, text in ((["nowhere.py"], "there is no script 'nowhere.py'"), ([], "python -m tensorgrad.as_torch")):
        with pytest.raises(SystemExit, match=text):
            as_torch.main(arguments)


def test_torchvision_is_ours(tmp_path):
    script = """
    import numpy as np
    from torchvision import datasets, transforms
    from torchvision.utils import make_grid
    print(transforms.ToTensor()(np.zeros((2, 3), np.uint8)).shape, datasets.MNIST.classes[0])
    """
    assert run(tmp_path, script) == "(1, 2, 3) 0 - zero"


def test_what_is_imported_for_other_machines_is_there(tmp_path):
    script = """
    import warnings
    import torch, torch.onnx
    import torch.backends.cudnn as cudnn
    import torch.distributed as dist
    from torch import nn
    from torch.amp import GradScaler
    from torch.cuda.amp import autocast
    from torch.distributed import destroy_process_group, init_process_group
    from torch.nn.parallel import DistributedDataParallel

    cudnn.benchmark = True
    if dist.is_available():
        init_process_group(backend="nccl")
    model = nn.DataParallel(nn.Linear(2, 1))
    optimizer, scaler = torch.optim.SGD(model.parameters(), lr=0.1), GradScaler("cuda", enabled=False)
    with autocast(enabled=False):
        loss = model(torch.ones(3, 2)).square().mean()
    scaler.scale(loss).backward()
    scaler.unscale_(optimizer)
    scaler.step(optimizer)
    scaler.update()
    kind = {"float32": torch.float32, "bfloat16": torch.bfloat16}["float32"]
    print(cudnn is torch.backends.cudnn, torch.backends.cudnn.benchmark, list(model.state_dict()), kind == loss.dtype)
    """
    assert run(tmp_path, script) == "True True ['module.weight', 'module.bias'] True"


def test_what_scripts_import_at_their_top_is_there(tmp_path):
    script = """
    import pickle
    import torch, torch.hub
    import torch.multiprocessing as mp
    import torch.utils.checkpoint as checkpoints
    from torch.jit import ScriptModule
    from torch.nn import *
    from torch.nn.modules.utils import _pair, _single, _triple
    from torch.optim.lr_scheduler import _LRScheduler
    from torch.types import Number
    from torch.utils.checkpoint import checkpoint, checkpoint_sequential
    from torch.utils.tensorboard import SummaryWriter

    print(Linear is torch.nn.Linear, _single(2), _pair(3), _triple((1, 2, 3)), Number, mp is torch.multiprocessing)
    print(torch.version.cuda, torch.version.__version__ == torch.__version__, torch.jit.is_scripting())
    x = torch.ones(2, requires_grad=True)
    checkpoint(torch.mul, x, 3, use_reentrant=False).sum().backward()
    checkpoint_sequential(Sequential(ReLU(), Flatten(0)), 2, x).sum().backward()
    print(x.grad.tolist(), isinstance(Linear(1, 1), ScriptModule))
    torch.save({"x": x}, "x.pt", pickle_module=pickle, _use_new_zipfile_serialization=False)
    print(torch.load("x.pt", pickle_module=pickle)["x"].tolist())
    for use in (SummaryWriter, lambda: torch.jit.script(print), lambda: torch.hub.load("a", "b")):
        try:
            use()
        except AttributeError as error:
            print(error)
    """
    chosen = "import os, sys; os.chdir(os.path.dirname(sys.argv[0]))\n"
    lines = run(tmp_path, chosen + textwrap.dedent(script)).splitlines()
    assert lines[:4] == [
        "True (2,) (3, 3) (1, 2, 3) int | float | bool True",
        "None True False",
        "[4.0, 4.0] False",
        "[1.0, 1.0]",
    ]
    for line, text in zip(lines[4:], ["SummaryWriter: .* tensorgrad.tracking", "script: .* as they are", "hub.load: "]):
        assert re.search(text, line)


def test_processes_are_started_as_scripts_do_it_and_one_that_fails_is_told_of(tmp_path):
    script = """
    import torch
    import torch.multiprocessing as mp

    def work(rank, queue, failing):
        if rank == failing:
            raise SystemExit(3)
        queue.put((rank, torch.full((2,), rank)))

    if __name__ == "__main__":
        mp.set_sharing_strategy(mp.get_sharing_strategy())
        queue = mp.get_context("fork").Queue()
        mp.start_processes(work, (queue, None), nprocs=2, start_method="fork")
        print(sorted((rank, x.tolist()) for rank, x in (queue.get(), queue.get())))
        try:
            mp.start_processes(work, (queue, 1), nprocs=2, join=False, start_method="fork").join()
        except RuntimeError as error:
            print(error)
    """
    done = run(tmp_path, script)
    assert done == "[(0, [0, 0]), (1, [1, 1])]\nspawn: process 1 ended with exit code 3; see what it printed"


def test_methods_take_the_number_first_as_they_did_of_old(tmp_path):
    script = """
    import warnings
    import torch
    warnings.simplefilter("ignore")
    x, y = torch.ones(2), torch.tensor([1.0, 2.0])
    print(x.add_(-0.5, y).tolist(), x.addcmul_(2, y, y).tolist(), y.sub(0.5, y).tolist(), y.addcdiv(2.0, y, y).tolist())
    print(y.add_(x, alpha=0).tolist(), y.add(1).tolist())
    """
    assert run(tmp_path, script) == "[0.5, 0.0] [2.5, 8.0] [0.5, 1.0] [3.0, 4.0]\n[1.0, 2.0] [2.0, 3.0]"


def test_functions_take_numbers_among_their_tensors_as_pytorch_still_does(tmp_path):
    torch = pytest.importorskip("torch")
    x, m = torch.tensor([1.0, 2.0]), torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    b = m.reshape(1, 2, 2)
    calls = [
        "torch.add(x, 2, x)", "torch.sub(x, 2.5, x)", "torch.addcmul(x, 2, x, x)", "torch.addcdiv(x, 3, x, x)",
        "torch.addmm(2, m, m, m)", "torch.addmm(2, m, 3, m, m)", "m.addmm(2, m, m)", "m.addmm(2, 3, m, m)",
        "torch.addmv(2, x, 3, m, x)", "torch.addr(2, m, 3, x, x)", "torch.addbmm(2, m, b, b)",
        "torch.baddbmm(2, b, 3, b, b)", "m.clone().addmm_(2, 3, m, m)", "torch.add(x, 2)",
        "torch.addmm(m, m, m, beta=2)",
    ]  # fmt: skip
    script = "import warnings, torch; warnings.simplefilter('ignore')\n"
    script += "x, m = torch.tensor([1.0, 2.0]), torch.tensor([[1.0, 2.0], [3.0, 4.0]]); b = m.reshape(1, 2, 2)\n"
    lines = run(tmp_path, script + "\n".join(f"print({call}.tolist())" for call in calls)).splitlines()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = [str(eval(call, {"torch": torch, "x": x, "m": m, "b": b}).tolist()) for call in calls]
    assert dict(zip(calls, lines)) == dict(zip(calls, expected))


@pytest.mark.parametrize("context", ["fork", "spawn", "forkserver"])
def test_worker_processes_find_torch_however_they_are_started(tmp_path, context):
    script = f"""
    import torch, torchvision
    from torch.utils.data import DataLoader, Dataset

    class Squares(Dataset):
        def __len__(self):
            return 4

        def __getitem__(self, i):
            import torchvision.transforms
            return torch.tensor(i, dtype=torch.float32) ** 2

    if __name__ == "__main__":
        loader = DataLoader(Squares(), batch_size=2, num_workers=2, multiprocessing_context="{context}")
        print([batch.tolist() for batch in loader])
    """
    assert run(tmp_path, script) == "[[0.0, 1.0], [4.0, 9.0]]"


def test_a_traceback_begins_with_the_script(tmp_path):
    done = ran(tmp_path, "import torch\n\ndef f():\n    raise ValueError('mine')\n\nf()\n")
    lines = done.stderr.splitlines()
    assert done.returncode == 1
    assert lines[0] == "Traceback (most recent call last):"
    assert [line.split(", ", 1)[1] for line in lines if "  File" in line] == ["line 6, in <module>", "line 4, in f"]
    assert lines[-1] == "ValueError: mine"


def test_a_syntax_error_and_an_exit_are_those_of_python(tmp_path):
    done = ran(tmp_path, "print(1")
    assert (done.returncode, done.stderr.splitlines()[-1]) == (1, "SyntaxError: '(' was never closed")
    assert "Traceback" not in done.stderr
    assert ran(tmp_path, "import sys; sys.exit(3)").returncode == 3


def test_its_own_examples_run():
    script = "import doctest, tensorgrad.as_torch as a; print(doctest.testmod(a, optionflags=doctest.ELLIPSIS).failed)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "0"
