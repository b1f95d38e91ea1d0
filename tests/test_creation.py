"""Making tensors: the same calls give the same dtype, shape and values as PyTorch, or both refuse."""

from __future__ import annotations

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad.errors import DtypeError, ShapeError

CALLS = [
    "tensor(1.5)",
    "tensor([1,2.5])",
    "tensor([True,False])",
    "tensor([True,2])",
    "tensor([True,2.5])",
    "tensor([])",
    "tensor([[],[]])",
    "tensor([[1],[2,3]])",
    'tensor(["a"])',
    "tensor(None)",
    "tensor(np.array([1,2],np.int16))",
    "tensor(np.float64(1.5))",
    "tensor([np.float64(1.5)])",
    "tensor([np.float32(1.5),2.0])",
    "tensor([1.0,np.float64(2.0)])",
    "tensor([np.int8(1)])",
    "tensor([lib.tensor(1.),lib.tensor(2.)])",
    "tensor([lib.tensor(1),2.5])",
    "tensor([[2,lib.tensor(1)],[3,4]])",
    "tensor([lib.tensor(1.5,dtype=lib.float64),2.5])",
    "tensor((1,2))",
    "tensor(range(3))",
    "tensor(3,dtype=lib.float64)",
    "tensor(2.7,dtype=lib.int32)",
    "tensor([1,2],dtype=lib.bool)",
    "tensor(300,dtype=lib.uint8)",
    "tensor(-1,dtype=lib.uint8)",
    "tensor([300],dtype=lib.int8)",
    "tensor(2**40)",
    "tensor(2**63)",
    "tensor(1e400)",
    "tensor(1e10,dtype=lib.float16)",
    "tensor([1,2],requires_grad=True)",
    "as_tensor([1,2])",
    "as_tensor(np.array([1.,2.]))",
    "as_tensor(lib.tensor([1,2]),dtype=lib.float64)",
    "as_tensor([1,2],dtype=lib.float16)",
    "from_numpy(np.array([1],np.int32))",
    "from_numpy([1])",
    "from_numpy(np.array(5.0))",
    "zeros(2,3)",
    "zeros((2,3))",
    "zeros([2])",
    "zeros(())",
    "zeros(2,dtype=lib.int8)",
    "zeros(-1)",
    "zeros(1.5)",
    "zeros(np.int64(2))",
    "ones(2,dtype=lib.bool)",
    "full((2,),1)",
    "full((2,),1.5)",
    "full((2,),True)",
    "full((),3)",
    "full((2,),1,dtype=lib.float64)",
    "full((2,),300,dtype=lib.uint8)",
    "empty(2,0)",
    "eye(2)",
    "eye(2,3)",
    "eye(2,dtype=lib.int64)",
    "eye(0)",
    "eye(-1)",
    "arange(5)",
    "arange(5.)",
    "arange(1,5)",
    "arange(1,5,2)",
    "arange(5,1,-2)",
    "arange(0,1,0.1)",
    "arange(0,1,0.3)",
    "arange(0.5,3.5)",
    "arange(1,2,0.1,dtype=lib.float64)",
    "arange(5,dtype=lib.float32)",
    "arange(2.5,dtype=lib.int64)",
    "arange(5,1)",
    "arange(1,5,-1)",
    "arange(1,5,0)",
    "arange(0,2.5,0.5,dtype=lib.int64)",
    "arange(0)",
    "arange(3,3)",
    "arange(end=3)",
    "arange(start=1,end=3)",
    "arange(lib.tensor(3.))",
    "arange(0,3,dtype=lib.float16)",
    "linspace(0,1,5)",
    "linspace(0,1,1)",
    "linspace(0,1,0)",
    "linspace(1,0,3)",
    "linspace(0,10,5,dtype=lib.int64)",
    "linspace(-3,10,6,dtype=lib.int64)",
    "linspace(0,1,-1)",
    "linspace(0,1,7,dtype=lib.float64)",
    "linspace(0,1,50)",
    "zeros_like(lib.ones(2,dtype=lib.float16))",
    "zeros_like(lib.ones(2),dtype=lib.int8)",
    "ones_like(lib.ones(2,dtype=lib.bool))",
    "full_like(lib.ones(2,dtype=lib.int64),1.7)",
    "full_like(lib.ones(2),1,dtype=lib.int16)",
    "randint(2,3,(3,))",
    "randint(2,3,(3,),dtype=lib.float32)",
    "randint(3,3,(3,))",
    "randint(high=1,size=(2,))",
    "randint(1,size=(2,))",
    "randint(0,300,(3,),dtype=lib.uint8)",
    "randint(0,10,5)",
    "randperm(0)",
    "randperm(1)",
    "randperm(-1)",
    "randperm(300,dtype=lib.int8)",
    "rand(2,dtype=lib.int64)",
    "rand_like(lib.ones(2,dtype=lib.int64))",
    "randint_like(lib.ones(2),1,2)",
    "normal(0.,-1.,(2,))",
    "bernoulli(lib.tensor([0.,1.]))",
    "bernoulli(lib.tensor([0,1]))",
    "bernoulli(lib.tensor([2.]))",
    "multinomial(lib.tensor([0.,1.]),1)",
    "multinomial(lib.tensor([[0.,1.],[1.,0.]]),3,replacement=True)",
    "tensor([1.]).new_tensor([1,2])",
    "tensor([1]).new_zeros((2,),dtype=lib.float64)",
    "tensor([1.]).new_full((2,),3)",
    "tensor([1]).new_ones(2,3)",
    "Tensor([1,2])",
    "Tensor()",
    "Tensor((1,2))",
    "Tensor(np.array([1,2],np.int64))",
    "cat([lib.ones(2),lib.ones(1,dtype=lib.int64)])",
    "cat([lib.tensor([1,2]),lib.tensor([])])",
    "cat([lib.tensor([]),lib.ones(2,2)])",
    "cat([])",
    "cat([lib.tensor(1.),lib.tensor(2.)])",
    "stack([lib.tensor(1.),lib.tensor(2)])",
    "ones(3).to(lib.zeros(1,dtype=lib.int8))",
    "ones(3).to('cuda')",
    "ones(3).to('cpu')",
    "tensor([1.7,-1.7]).to(lib.int64)",
    "tensor([-1]).to(lib.uint8)",
]


@pytest.mark.parametrize("call", CALLS)
def test_a_call_makes_what_pytorch_makes(call):
    torch = pytest.importorskip("torch")
    results = []
    for lib in (tg, torch):
        try:
            y = eval(f"lib.{call}", {"lib": lib, "np": np})
        except (RuntimeError, TypeError, ValueError, OverflowError, AssertionError) as error:
            results.append(error)
        else:
            results.append((str(y.dtype).removeprefix("torch."), tuple(y.shape), y.tolist()))
    ours, theirs = results
    if isinstance(theirs, Exception):
        assert isinstance(ours, Exception), ours
        return
    assert not isinstance(ours, Exception), ours
    assert ours[:2] == theirs[:2]
    np.testing.assert_allclose(ours[2], theirs[2], rtol=2e-3 if ours[0] == "float16" else 2e-6, atol=1e-7)


def test_tensor_copies_and_as_tensor_and_from_numpy_share():
    a = np.zeros(2, np.float32)
    copied, same, shared = tg.tensor(a), tg.as_tensor(a), tg.from_numpy(a)
    a[0] = 5
    assert copied.tolist() == [0, 0]
    assert same.tolist() == shared.tolist() == [5, 0]
    assert tg.as_tensor(same) is same


def test_foreign_byte_order_is_converted_and_foreign_dtypes_are_named():
    assert tg.tensor(np.array([1.0, 2.0], ">f4")).dtype == tg.float32
    with pytest.raises(DtypeError, match="complex128"):
        tg.tensor(1 + 2j)
    with pytest.raises(ShapeError, match="differ in length"):
        tg.tensor([[1], [2, 3]])
    with pytest.raises(ValueError, match=r"from 0 to 300 do not fit uint8"):
        tg.tensor([0, 300], dtype=tg.uint8)


def test_only_floating_tensors_can_require_a_gradient():
    with pytest.raises(DtypeError, match=r"int64\[2\]"):
        tg.tensor([1, 2], requires_grad=True)
    assert tg.linspace(0, 1, 3, requires_grad=True).requires_grad


def test_the_default_dtype_is_that_of_python_floats_only():
    tg.set_default_dtype(tg.float64)
    try:
        assert tg.tensor(1.5).dtype == tg.zeros(2).dtype == tg.rand(2).dtype == tg.float64
        assert tg.tensor(np.float32(1.5)).dtype == tg.float32
        assert (tg.tensor([1]) / 2).dtype == tg.float64
    finally:
        tg.set_default_dtype(tg.float32)


def test_a_seed_repeats_every_kind_of_random_number():
    def draw(g=None):
        return [
            tg.rand(3, generator=g),
            tg.randn(3, generator=g),
            tg.randint(0, 9, (3,), generator=g),
            tg.randperm(5, generator=g),
            tg.bernoulli(tg.full((9,), 0.5), generator=g),
            tg.normal(0.0, 1.0, (2,), generator=g),
            tg.multinomial(tg.ones(4), 2, generator=g),
            tg.zeros(3).uniform_(generator=g),
            tg.zeros(3).normal_(generator=g),
        ]

    g = tg.Generator().manual_seed(1)
    first, other = draw(g), draw(g)
    assert any(a.tolist() != b.tolist() for a, b in zip(first, other, strict=True))
    again = draw(tg.Generator().manual_seed(1))
    assert all(a.tolist() == b.tolist() for a, b in zip(first, again, strict=True))
    tg.manual_seed(1)
    assert all(a.tolist() == b.tolist() for a, b in zip(first, draw(), strict=True))
    state = tg.get_rng_state()
    a = tg.rand(3)
    tg.set_rng_state(state)
    assert tg.rand(3).tolist() == a.tolist()


def test_what_is_drawn_in_a_fork_is_drawn_again_after_it():
    tg.manual_seed(0)
    with tg.random.fork_rng():
        a = tg.rand(3)
    assert tg.rand(3).tolist() == a.tolist()
    with tg.random.fork_rng(enabled=False):
        b = tg.rand(3)
    assert tg.rand(3).tolist() != b.tolist()


@pytest.mark.parametrize("dtype", [tg.float16, tg.float32, tg.float64])
def test_uniform_numbers_stay_below_one_and_have_their_moments(dtype):
    x, y = tg.rand(20000, dtype=dtype), tg.randn(20000, dtype=dtype).double()
    assert x.dtype == dtype
    assert float(x.min()) >= 0
    assert float(x.max()) < 1
    assert abs(float(x.double().mean()) - 0.5) < 0.02
    assert abs(float(y.mean())) < 0.04
    assert abs(float(y.std()) - 1) < 0.04
