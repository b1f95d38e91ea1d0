"""The habits of scripts: devices, types, sizes, switches."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.errors import DeviceError, DtypeError


def test_a_device_is_chosen_as_scripts_do_it():
    device = tg.device("cuda" if tg.cuda.is_available() else "cpu")
    device_of_accelerators = tg.accelerator.current_accelerator() if tg.accelerator.is_available() else "cpu"
    x = tg.ones(2, 3, device=device).to(device_of_accelerators)
    assert x.device == device == tg.device("cpu")
    assert x.to(device) is x
    assert tg.nn.Linear(2, 2).to(device)(tg.ones(1, 2).to(device, non_blocking=True)).device.type == "cpu"
    assert (str(tg.device("cuda", 1)), repr(tg.device("cuda:1"))) == ("cuda:1", "device(type='cuda', index=1)")


@pytest.mark.parametrize(
    "call",
    [
        lambda: tg.ones(2, device="cuda"),
        lambda: tg.ones(2).to("cuda:0"),
        lambda: tg.ones(2).cuda(),
        lambda: tg.nn.Linear(2, 2, device="mps"),
        lambda: tg.nn.Linear(2, 2).to(tg.device("cuda")),
        lambda: tg.randn(2, device=tg.device("cuda", 0)),
        lambda: tg.Generator("cuda"),
        lambda: tg.set_default_device("cuda"),
    ],
)
def test_a_device_that_is_not_there_is_an_error(call):
    with pytest.raises(DeviceError, match=r"is not available; tensors live on 'cpu'"):
        call()


@pytest.mark.parametrize("name", ["gpu", "cuda:x", "", "cuda:1:2"])
def test_what_is_no_device_is_an_error(name):
    with pytest.raises(DeviceError, match="is no device"):
        tg.device(name)


def test_a_device_as_a_context_and_a_decorator():
    with tg.device("cpu"):
        assert tg.device("cpu")(lambda: tg.ones(1))().item() == 1.0


def test_tensor_types_make_convert_and_are_known():
    assert tg.FloatTensor([1, 2]).dtype == tg.float32
    assert tg.LongTensor(np.array([1.5])).tolist() == [1]
    assert tg.DoubleTensor(2, 3).shape == (2, 3)
    assert tg.ByteTensor([1]).type() == "torch.ByteTensor"
    x = tg.ones(2)
    assert x.type(tg.LongTensor).type(tg.float64).type("torch.FloatTensor").dtype == tg.float32
    assert isinstance(x, tg.FloatTensor)
    assert not isinstance(x, tg.LongTensor)
    assert tg.Tensor([1, 2]).dtype == tg.float32
    assert tg.Tensor(2, 3).shape == (2, 3)


def test_shapes_multiply_out_and_are_tuples():
    x = tg.zeros(2, 3)
    assert x.shape.numel() == x.size().numel() == 6
    assert x.shape == (2, 3) == tg.Size([2, 3])
    assert isinstance(x.shape, tg.Size)


def test_limits_and_promotion_of_dtypes():
    assert tg.finfo().max == np.finfo(np.float32).max
    assert tg.iinfo(tg.int8).min == -128
    with pytest.raises(DtypeError, match="use iinfo"):
        tg.finfo(tg.int64)
    with pytest.raises(DtypeError, match="use finfo"):
        tg.iinfo(tg.float32)
    assert tg.can_cast(tg.int64, tg.float16)
    assert tg.is_floating_point(tg.ones(1))
    assert not tg.is_complex(tg.ones(1))


def test_threads_can_be_set_and_told():
    before = tg.get_num_threads()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # where NumPy brings no OpenBLAS it says so
        tg.set_num_threads(1)
        tg.set_num_threads(before)
    assert tg.get_num_threads() == before
    with pytest.raises(ValueError, match="1 or more"):
        tg.set_num_threads(0)


def test_switches_of_absent_libraries_can_be_set():
    tg.backends.cudnn.benchmark = True
    assert not tg.backends.mps.is_available()
    tg.backends.cuda.matmul.allow_tf32 = True
    tg.cuda.manual_seed_all(3)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = tg.backends.nothing


def test_printing_can_be_set():
    tg.set_printoptions(precision=2, sci_mode=True)
    assert repr(tg.tensor([1.5])) == "tensor([1.50e+00])"
    tg.set_printoptions(profile="short")
    assert repr(tg.tensor([1.234])) == "tensor([1.23])"
    tg.set_printoptions(profile="default")
    assert repr(tg.tensor([1.234])) == "tensor([1.2340])"
    with pytest.raises(ValueError, match="profile must be one of"):
        tg.set_printoptions(profile="long")


def test_sizes_may_be_given_by_name():
    assert tg.zeros(size=(2, 3)).shape == tg.randn(size=[2, 3]).shape == (2, 3)
    assert tg.ones(1).new_zeros(size=(4,)).shape == (4,)
    with pytest.raises(TypeError, match="twice"):
        tg.zeros(2, size=(2,))


def test_random_fillings():
    x = tg.empty(10_000)
    assert 0.9 < x.exponential_(1.0).mean().item() < 1.1
    assert set(tg.empty(100, dtype=tg.int64).random_(2, 4).tolist()) == {2, 3}
    assert tg.full((3,), 0.0).bernoulli(1.0).tolist() == [1.0] * 3
    with pytest.raises(ValueError, match="must be above from"):
        x.random_(3, 3)


def test_lower_precision_on_the_side_is_declined_with_a_warning():
    with pytest.warns(UserWarning, match="autocast: there is none for 'cpu'"):
        block = tg.autocast("cpu", dtype=tg.bfloat16)
    with block:
        assert (tg.ones(2, 2) @ tg.ones(2, 2)).dtype == tg.float32
    with pytest.warns(UserWarning, match="losses are not scaled"):
        scaler = tg.cuda.amp.GradScaler()
    x = tg.ones(1, requires_grad=True)
    assert scaler.scale(x) is x
    assert (scaler.get_scale(), scaler.is_enabled(), scaler.state_dict()) == (1.0, False, {})
    with warnings.catch_warnings():
        warnings.simplefilter("error")

        @tg.autocast("cuda", enabled=False)
        def double(x):
            return 2 * x

        assert double(double(x)).item() == 4


@pytest.mark.parametrize("dtype", [tg.bfloat16, tg.complex64, tg.complex128], ids=str)
def test_dtypes_that_tensors_cannot_have_can_be_named_and_compared_with(dtype):
    x = tg.ones(2)
    assert x.dtype != dtype
    assert x.dtype not in (dtype,)
    for use in (lambda: x.to(dtype), lambda: tg.zeros(2, dtype=dtype), lambda: tg.nn.Linear(2, 2).to(dtype)):
        with pytest.raises(DtypeError, match=f"cannot have dtype {dtype}"):
            use()


def test_there_is_one_process_and_one_device_to_train_on():
    assert not tg.distributed.is_available()
    assert not tg.distributed.is_initialized()
    assert (tg.distributed.get_rank(), tg.distributed.get_world_size()) == (0, 1)
    for insist in (tg.distributed.init_process_group, tg.nn.parallel.DistributedDataParallel):
        with pytest.raises(RuntimeError, match="tensorgrad trains in one process"):
            insist(tg.nn.Linear(2, 2))
    layer = tg.nn.Linear(3, 2)
    model = tg.nn.DataParallel(layer, device_ids=[0, 1])
    x = tg.randn(4, 3)
    assert model.module is layer
    assert model(x).equal(layer(x))
    assert list(model.parameters()) == list(layer.parameters())
