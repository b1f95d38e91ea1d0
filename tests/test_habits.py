"""The habits of scripts: devices, types, sizes, switches."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.errors import AutogradError, DeviceError, DtypeError, ShapeError


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


# What is asked for and changes nothing


def test_compiling_gives_the_module_or_function_itself():
    model = tg.nn.Linear(2, 1)
    assert tg.compile(model, fullgraph=True, dynamic=False, backend="inductor", mode="max-autotune") is model

    @tg.compile(mode="reduce-overhead")
    def double(x):
        return 2 * x

    @tg.compile
    def triple(x):
        return 3 * x

    assert (double(2), triple(2)) == (4, 6)
    for mistake, error in (({"mode": "fast"}, ValueError), ({"mode": "default", "options": {}}, ValueError)):
        with pytest.raises(error, match="compile: mode"):
            tg.compile(model, **mistake)
    with pytest.raises(TypeError, match="takes a module or a function, not int"):
        tg.compile(5)


def test_constants_are_pythons():
    assert (tg.pi, tg.e, tg.inf) == (math.pi, math.e, math.inf)
    assert math.isnan(tg.nan)
    assert tg.ones(2)[:, tg.newaxis].shape == (2, 1)


def test_pinned_memory_and_the_layout_may_be_asked_for_wherever_tensors_are_made():
    x = tg.ones(2)
    for made in (
        tg.zeros(2, pin_memory=True), tg.ones(size=(2,), pin_memory=True), tg.empty(2, pin_memory=True),
        tg.full((2,), 1.0, pin_memory=True), tg.tensor([1, 2], pin_memory=True), tg.arange(2, pin_memory=True),
        tg.linspace(0, 1, 2, pin_memory=True), tg.logspace(0, 1, 2, pin_memory=True), tg.rand(2, pin_memory=True),
        tg.randn(2, pin_memory=True), tg.randint(2, (2,), pin_memory=True), tg.randperm(2, pin_memory=True),
        tg.eye(2, pin_memory=True)[0], tg.zeros_like(x, pin_memory=True), tg.ones_like(x, pin_memory=True),
        tg.full_like(x, 2, pin_memory=True), tg.rand_like(x, pin_memory=True), tg.randn_like(x, pin_memory=True),
        tg.randint_like(x, 2, pin_memory=True), x.new_zeros(2, pin_memory=True), tg.zeros(2, layout=tg.strided),
        tg.zeros_like(x, layout=tg.strided, memory_format=tg.preserve_format),
    ):  # fmt: skip
        assert made.shape == (2,)
    with pytest.raises(ValueError, match=r"layout must be torch\.strided"):
        tg.zeros(2, layout="sparse")
    with pytest.raises(TypeError, match="memory_format"):
        tg.zeros(2, memory_format=tg.channels_last)


FORMATS = """
x.stride()
x.contiguous(memory_format=lib.channels_last).stride()
x.contiguous(memory_format=lib.channels_last).contiguous().stride()
x.contiguous(memory_format=lib.channels_last).contiguous(memory_format=lib.contiguous_format).stride()
x.contiguous(memory_format=lib.channels_last).tolist()
x.contiguous(memory_format=lib.channels_last).is_contiguous(memory_format=lib.channels_last)
x.contiguous(memory_format=lib.channels_last).is_contiguous()
x.is_contiguous(memory_format=lib.channels_last)
x.is_contiguous(memory_format=lib.contiguous_format)
x.to(memory_format=lib.channels_last).stride()
x.to(lib.float64, memory_format=lib.channels_last).dtype.itemsize
x.to(memory_format=lib.preserve_format).stride()
x.clone(memory_format=lib.channels_last).stride()
x.clone(memory_format=lib.contiguous_format).stride()
x.reshape(1, 2, 3, 4, 1).contiguous(memory_format=lib.channels_last_3d).stride()
lib.empty(5, 2, 3, 4, memory_format=lib.channels_last).stride()
lib.empty_like(x, memory_format=lib.channels_last).stride()
lib.ones(2, 3).is_contiguous(memory_format=lib.channels_last)
""".strip().splitlines()


@pytest.mark.parametrize("call", FORMATS)
def test_memory_formats_lay_out_as_pytorch_does(call):
    torch = pytest.importorskip("torch")
    results = [eval(call, {"lib": lib, "x": lib.arange(24.0).reshape(1, 2, 3, 4)}) for lib in (tg, torch)]
    assert results[0] == results[1]


def test_gradients_flow_through_memory_formats_and_values_do_not_change():
    x = tg.randn(2, 3, 4, 5, requires_grad=True)
    y = x.to(memory_format=tg.channels_last)
    (y * y).sum().backward()
    assert tg.allclose(x.grad, 2 * x.detach())
    assert y.equal(x)
    convolution = tg.nn.Conv2d(3, 2, 3).to(memory_format=tg.channels_last)
    assert tg.allclose(convolution(y), convolution(x), atol=1e-6)


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: tg.ones(2, 3).contiguous(memory_format=tg.channels_last), ShapeError, r"takes 4 dimensions.*\(2, 3\)"),
        (lambda: tg.ones(2, 3).to(memory_format=tg.channels_last), ShapeError, "to: torch.channels_last takes 4"),
        (lambda: tg.ones(2).clone(memory_format="last"), TypeError, "memory_format must be such as"),
    ],
)
def test_a_memory_format_that_does_not_fit_is_an_error(call, error, text):
    with pytest.raises(error, match=text):
        call()


# Older words


def test_the_default_type_of_tensors_can_be_set():
    for kind, dtype in ((tg.DoubleTensor, tg.float64), ("torch.HalfTensor", tg.float16), ("FloatTensor", tg.float32)):
        tg.set_default_tensor_type(kind)
        assert tg.tensor(1.5).dtype == dtype
    for kind, error in ((tg.LongTensor, DtypeError), ("torch.cuda.FloatTensor", DeviceError), ("float", DtypeError)):
        with pytest.raises(error):
            tg.set_default_tensor_type(kind)


NEW = """
ones(2).new(2, 3).shape
ones(2).new().tolist()
ones(2).new([1, 2])
ones(2).long().new([1.5, 2])
ones(2).new(lib.ones(3))
ones(2).new((3,))
ones(2).new(lib.ones(2, 3).size()).shape
ones(2).new(size=(3,)).shape
FloatTensor(lib.ones(2, 3).size()).shape
Tensor(lib.ones(2, 3).size()).shape
ones(2, 1).expand(size=(2, 3))
ones(2, 1).ndimension()
ones(2, 1).double().itemsize
""".strip().splitlines()


@pytest.mark.parametrize("call", NEW)
def test_older_words_mean_what_they_did(call):
    torch = pytest.importorskip("torch")
    ours, theirs = (eval(f"lib.{call}", {"lib": lib}) for lib in (tg, torch))
    if isinstance(ours, tg.Tensor):
        assert (ours.tolist(), ours.type()) == (theirs.tolist(), theirs.type())
    else:
        assert ours == theirs


@pytest.mark.parametrize("name", ["float16", "float32", "float64"])
def test_limits_of_floats_are_pytorchs(name):
    torch = pytest.importorskip("torch")
    ours, theirs = tg.finfo(getattr(tg, name)), torch.finfo(getattr(torch, name))
    for key in ("bits", "eps", "max", "min", "tiny", "smallest_normal", "resolution", "dtype"):
        assert getattr(ours, key) == getattr(theirs, key)
        assert type(getattr(ours, key)) is type(getattr(theirs, key))


@pytest.mark.parametrize("name", ["uint8", "int8", "int16", "int32", "int64"])
def test_limits_of_integers_are_pytorchs(name):
    torch = pytest.importorskip("torch")
    ours, theirs = tg.iinfo(getattr(tg, name)), torch.iinfo(getattr(torch, name))
    assert [getattr(ours, key) for key in ("bits", "max", "min", "dtype")] == [
        getattr(theirs, key) for key in ("bits", "max", "min", "dtype")
    ]


# What would go wrong silently


def test_the_gradient_of_a_tensor_that_is_no_leaf_is_warned_of():
    x = tg.ones(2, requires_grad=True)
    y = x * 2
    with pytest.warns(UserWarning, match=r"not a leaf but a result of mul.*\.retain_grad\(\)") as caught:
        assert y.grad is None
    assert caught[0].filename == __file__
    retained = x * 3
    retained.retain_grad()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert x.grad is retained.grad is tg.ones(2).grad is y.detach().grad is x[:1].detach().grad is None
        retained.sum().backward()
        assert retained.grad.tolist() == [1.0, 1.0]


def test_a_tensor_made_of_tensors_that_require_a_gradient_is_warned_of():
    x = tg.ones(2, requires_grad=True)
    for make in (lambda: tg.tensor([x[0], 1.0]), lambda: tg.tensor(x), lambda: tg.as_tensor([[x[0]], [x[1]]])):
        with pytest.warns(UserWarning, match=r"cut off from their graph; keep it with stack") as caught:
            assert not make().requires_grad
        assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tg.tensor([x[0].detach(), 1.0]), tg.tensor(tg.ones(2)), tg.as_tensor(x), tg.tensor([1, 2.0])


MISTAKES = {
    "manual_seed(2**64)": (ValueError, r"from -2\*\*63 to 2\*\*64 - 1"),
    "manual_seed(1.5)": (TypeError, "must be an int, not float"),
    "randperm(3.5)": (TypeError, "randperm: n must be an int of 0 or more, not 3.5"),
    "randperm(-1)": (ValueError, "randperm: n must be an int of 0 or more, not -1"),
    "zeros_like([1, 2])": (DtypeError, "zeros_like: input must be a Tensor, not list"),
    "ones_like(3.0)": (DtypeError, "ones_like: input must be a Tensor, not float"),
    "empty_like((1,))": (DtypeError, "empty_like: input must be a Tensor, not tuple"),
    "full_like([1], 2)": (DtypeError, "full_like: input must be a Tensor"),
    "rand_like([1.0])": (DtypeError, "rand_like: input must be a Tensor"),
    "randn_like([1.0])": (DtypeError, "randn_like: input must be a Tensor"),
    "randint_like([1.0], 2)": (DtypeError, "randint_like: input must be a Tensor"),
    "empty(2).bernoulli_(2)": (ValueError, "bernoulli_: probabilities must be between 0 and 1"),
    "empty(2).bernoulli_(lib.tensor([0.5, -1]))": (ValueError, "bernoulli_: probabilities must be between 0 and 1"),
    "empty(2).bernoulli_(float('nan'))": (ValueError, "bernoulli_: probabilities"),
    "empty(2).bernoulli_(lib.tensor([1, 0]))": (DtypeError, "bernoulli_: probabilities must be floating, not int64"),
}


@pytest.mark.parametrize(("call", "error", "text"), [(c, *e) for c, e in MISTAKES.items()], ids=MISTAKES)
def test_random_numbers_and_likes_say_what_is_wrong(call, error, text):
    with pytest.raises(error, match=text):
        eval(f"tg.{call}", {"tg": tg, "lib": tg})


def test_a_negative_seed_counts_down_from_two_to_the_64th_as_in_pytorch():
    assert tg.Generator().manual_seed(-1).initial_seed() == 2**64 - 1
    a, b = (tg.rand(2, generator=tg.Generator().manual_seed(seed)) for seed in (-1, 2**64 - 1))
    assert a.equal(b)


def test_anomaly_mode_can_be_switched_and_told():
    x = tg.zeros(1, requires_grad=True)
    mode = tg.autograd.set_detect_anomaly(True)
    with mode:
        assert tg.is_anomaly_enabled()
        with pytest.raises(AutogradError, match="gave NaN"):
            (x / x).sum().backward()
        with tg.autograd.set_detect_anomaly(False):
            assert not tg.is_anomaly_enabled()
            (x / x).sum().backward()
        with tg.autograd.detect_anomaly(check_nan=False):
            y = (x / x).sum()
            assert __file__ in y.grad_fn.line
            y.backward()
    assert not tg.is_anomaly_enabled()
    assert not hasattr((x * 2).grad_fn, "line")
