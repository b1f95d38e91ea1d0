"""Views and in-place operations: random programs against PyTorch and against a functional rewrite, and single claims.

A program makes views, writes through them, and computes with them in between. It runs three times: in tensorgrad, in
PyTorch, and rewritten without aliasing (`Rewritten`: a flat buffer per memory, views as maps of positions), where
autograd cannot go wrong. Wherever PyTorch gives a gradient we must give the same; where it refuses, we refuse or give
the gradient of the rewrite.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tensorgrad as tg
from tensorgrad.errors import AutogradError

torch = pytest.importorskip("torch")

# Each view works on tensors of both libraries and on a map of positions; None where the shape does not allow it.
VIEWS = [
    lambda x: x[0] if x.ndim and x.shape[0] else None,
    lambda x: x[..., -1:] if x.ndim else None,
    lambda x: x[1:] if x.ndim and x.shape[0] > 1 else None,
    lambda x: x[::2] if x.ndim else None,
    lambda x: x[:, 1] if x.ndim > 1 and x.shape[1] > 1 else None,
    lambda x: x[None] if x.ndim < 4 else None,
    lambda x: x.select(-1, 0) if x.ndim and x.shape[-1] else None,
    lambda x: x.narrow(0, 0, x.shape[0] // 2) if x.ndim and x.shape[0] > 1 else None,
    lambda x: x.transpose(0, 1) if x.ndim > 1 else None,
    lambda x: x.permute(*reversed(range(x.ndim))) if x.ndim else None,
    lambda x: x.view(-1) if x.is_contiguous() else None,
    lambda x: x.reshape(-1, 1) if x.is_contiguous() else None,
    lambda x: x.unsqueeze(-1) if x.ndim < 4 else None,
    lambda x: x.squeeze(),
    lambda x: x.diagonal() if x.ndim > 1 else None,
    lambda x: x.expand(2, *x.shape) if x.ndim < 3 else None,
    lambda x: x.flatten() if x.is_contiguous() else None,
    lambda x: x.movedim(0, -1) if x.ndim > 1 else None,
    lambda x: x.unfold(0, 2, 2) if x.ndim < 4 and x.ndim and x.shape[0] > 1 else None,
]


# In place on x, with v a tensor or a number that broadcasts to x; and the same as a function that gives the new value.
def _tensor(v, x):
    return v if hasattr(v, "shape") else x * 0.5


def _set(region):
    def in_place(x, v):
        x[region] = v

    return in_place


def _put(region):
    def pure(x, v):
        y = x.clone()
        y[region] = v
        return y

    return pure


IN_PLACE = [
    (lambda x, v: x.add_(v), lambda x, v: x + v),
    (lambda x, v: x.mul_(v), lambda x, v: x * v),
    (lambda x, v: x.sub_(v, alpha=2), lambda x, v: x - 2 * v),
    (lambda x, v: x.div_(v * v + 1.5), lambda x, v: x / (v * v + 1.5)),
    (lambda x, v: x.__imul__(x), lambda x, v: x * x),
    (lambda x, v: x.copy_(_tensor(v, x)), lambda x, v: _tensor(v, x) + x * 0),
    (lambda x, v: x.exp_(), lambda x, v: x.exp()),
    (lambda x, v: x.sigmoid_(), lambda x, v: x.sigmoid()),
    (lambda x, v: x.tanh_(), lambda x, v: x.tanh()),
    (lambda x, v: x.zero_(), lambda x, v: x * 0),
    (lambda x, v: x.fill_(0.25), lambda x, v: x * 0 + 0.25),
    (lambda x, v: x.clamp_(-0.5, 0.5), lambda x, v: x.clamp(-0.5, 0.5)),
    (lambda x, v: x.masked_fill_(x > 0.31, 0.5), lambda x, v: x.masked_fill(x > 0.31, 0.5)),
    (lambda x, v: x.pow_(2), lambda x, v: x**2),
    (lambda x, v: x.square_(), lambda x, v: x**2),
    (lambda x, v: x.relu_(), lambda x, v: x.relu()),
    (lambda x, v: x.abs_(), lambda x, v: x.abs()),
    (lambda x, v: x.neg_(), lambda x, v: -x),
    (lambda x, v: x.addcmul_(x, x, value=0.5), lambda x, v: x + 0.5 * x * x),
    (_set(...), _put(...)),
    (_set((..., 0)), None),
    (_set((..., [0])), None),
    (lambda x, v: x.__setitem__(x > 0, 0.7), lambda x, v: x.masked_fill(x > 0, 0.7)),
]  # fmt: skip

# New tensors from x and v; most keep a value that a later write may spoil.
COMPUTE = [
    lambda x, v: x * v,
    lambda x, v: x + v,
    lambda x, v: x / (v * v + 1.5),
    lambda x, v: x.sigmoid(),
    lambda x, v: x.tanh() * 2.0,
    lambda x, v: x**3,
    lambda x, v: (x * x).sum(),
    lambda x, v: x.clone(),
    lambda x, v: x * x,
    lambda x, v: x[[0, 0]] * 1.5 if x.ndim and x.shape[0] else x * 0.5,
    lambda x, v: x.relu(),
    lambda x, v: (x * 0.5).exp() if float(x.detach().sum()) < 5 else x * 0.5,
]


class Rewritten:
    """A tensor as positions in a memory; `buffers` holds each memory's value, never written to in place."""

    def __init__(self, buffers, memory, where, leaf=False, cut=False, fixed=False):
        self.buffers, self.memory, self.where, self.leaf, self.cut, self.fixed = (
            buffers,
            memory,
            where,
            leaf,
            cut,
            fixed,
        )

    @classmethod
    def fresh(cls, buffers, value, leaf=False):
        buffers.append(value.reshape(-1))
        return cls(buffers, len(buffers) - 1, torch.arange(value.numel()).reshape(value.shape), leaf)

    def value(self):
        read = self.buffers[self.memory][self.where]
        return read.detach() if self.cut else read

    def view(self, where, cut=False):
        return Rewritten(self.buffers, self.memory, where, self.leaf, self.cut or cut)

    def write(self, new, recorded):
        """Let the memory hold `new` here. A write that is not recorded changes the value and leaves the graph."""
        old = self.buffers[self.memory]
        put = old.clone().index_put((self.where.reshape(-1),), new.reshape(-1))
        self.buffers[self.memory] = put if recorded else old + (put - old).detach()


class Program:
    """Runs one list of steps in tensorgrad, PyTorch and rewritten, side by side."""

    def __init__(self):
        source = np.random.default_rng(0)
        self.leaves = [source.uniform(-1, 1, shape) for shape in ((2, 3), (3,), (2, 3), (2, 2, 2))]
        self.ours = [tg.tensor(a, requires_grad=i != 2) for i, a in enumerate(self.leaves)]
        self.theirs = [torch.tensor(a, requires_grad=i != 2) for i, a in enumerate(self.leaves)]
        self.flat = [torch.tensor(a, requires_grad=i != 2) for i, a in enumerate(self.leaves)]
        buffers = []
        self.rewritten = [Rewritten.fresh(buffers, x, leaf=i != 2) for i, x in enumerate(self.flat)]
        for i in (0, 3):  # results, that can be written to
            self.append(self.ours[i] * 1.0, self.theirs[i] * 1.0, Rewritten.fresh(buffers, self.flat[i] * 1.0))
        self.buffers = buffers
        self.log = []

    def append(self, ours, theirs, rewritten):
        self.ours.append(ours)
        self.theirs.append(theirs)
        self.rewritten.append(rewritten)

    def operand(self, i, j, k):
        """A tensor of the pool that broadcasts to tensor i, or a number: as each of the three sees it."""
        shape, other = self.theirs[i].shape, self.theirs[j]
        fits = len(other.shape) <= len(shape) and all(
            n in (1, m) for n, m in zip(reversed(other.shape), reversed(shape), strict=False)
        )
        if not fits or not other.numel():
            return (0.5 + k % 3,) * 3
        return self.ours[j], other, self.rewritten[j].value()

    def step(self, kind, i, j, k):
        i, j = i % len(self.theirs), j % len(self.theirs)
        if kind == "view":
            make = VIEWS[k % len(VIEWS)]
            theirs = make(self.theirs[i])
            if theirs is None or not self.theirs[i].numel() or (make(self.ours[i]) is None):
                return
            where = make(self.rewritten[i].where)
            where = self.rewritten[i].where.reshape(theirs.shape) if where is None else where
            self.log.append(f"v{len(self.ours)} = view {k % len(VIEWS)} of v{i}")
            self.append(make(self.ours[i]), theirs, self.rewritten[i].view(where))
        elif kind == "detach":
            self.log.append(f"v{len(self.ours)} = v{i}.detach()")
            self.append(
                self.ours[i].detach(), self.theirs[i].detach(), self.rewritten[i].view(self.rewritten[i].where, True)
            )
        elif kind == "compute":
            make = COMPUTE[k % len(COMPUTE)]
            ours, theirs, value = self.operand(i, j, k)
            self.log.append(f"v{len(self.ours)} = compute {k % len(COMPUTE)} of v{i} and v{j} or a number")
            new = Rewritten.fresh(self.buffers, make(self.rewritten[i].value(), value))
            self.append(make(self.ours[i], ours), make(self.theirs[i], theirs), new)
        else:
            self.write(i, j, k, recorded=kind == "write")

    def write(self, i, j, k, recorded):
        number = k % len(IN_PLACE)
        _ = self.theirs[i].grad_fn  # PyTorch brings a view's graph up to date when it is asked for
        in_place, pure = IN_PLACE[number]
        x, y, r = self.ours[i], self.theirs[i], self.rewritten[i]
        if not y.numel() or (number == 6 and float(y.detach().max()) > 4):
            return
        ours, theirs, value = self.operand(i, j, k)
        if pure is None:
            if not y.ndim:
                return
            pure, theirs, ours, value = _put((..., 0) if number == 20 else (..., [0])), 0.3, 0.3, 0.3
        if not x.numpy(force=True).flags.writeable:
            with pytest.raises(AutogradError, match=r"shares its memory|leaf"):
                in_place(x, ours)
            return
        if r.cut:
            ours, theirs, value = (0.5,) * 3
        if (
            theirs is not value
            and np.shares_memory(y.detach().numpy(), theirs.detach().numpy())
            and self.theirs[j] is not y
        ):
            return  # PyTorch refuses some overlaps, by strides
        self.log.append(f"write {number} into v{i} with v{j} or a number, recorded={recorded}")
        with torch.set_grad_enabled(recorded), tg.set_grad_enabled(recorded):
            refused = False
            try:
                in_place(y, theirs)
            except RuntimeError:
                refused = True
            if refused:
                with pytest.raises(AutogradError):
                    in_place(x, ours)
                return
            in_place(x, ours)
        new = pure(r.value(), value)
        r.write(new + torch.zeros_like(r.value()), recorded and not r.cut)

    def check_values(self):
        for n, (x, y, r) in enumerate(zip(self.ours, self.theirs, self.rewritten, strict=True)):
            assert x.requires_grad == y.requires_grad, f"v{n}"
            np.testing.assert_allclose(x.detach().numpy(), y.detach().numpy(), rtol=1e-9, atol=1e-12, err_msg=f"v{n}")
            np.testing.assert_allclose(r.value().detach().numpy(), y.detach().numpy(), rtol=1e-9, atol=1e-12)

    def gradients(self):
        """Per library, the gradients of a weighted sum of everything, or the error where it refused."""
        results = []
        tensors = [self.ours, self.theirs, [r.value() for r in self.rewritten]]
        for pool, leaves, error in zip(
            tensors,
            ([p[0], p[1], p[3]] for p in (self.ours, self.theirs, self.flat)),
            (AutogradError, RuntimeError, ()),
            strict=True,
        ):
            total = sum(((n % 3 + 0.5) * x).sum() for n, x in enumerate(pool) if x.requires_grad)
            try:
                total.backward()
            except error as raised:
                results.append(raised)
            else:
                results.append([None if x.grad is None else np.array(x.grad.numpy()) for x in leaves])
        return results


def run(steps):
    program = Program()
    for step in steps:
        program.step(*step)
    program.check_values()
    ours, theirs, right = program.gradients()
    if isinstance(ours, AutogradError):
        assert isinstance(theirs, RuntimeError), f"PyTorch gives a gradient: {ours}\n{program.log}"
        return "refused"
    for x, y, z in zip(ours, right if isinstance(theirs, RuntimeError) else theirs, right, strict=True):
        assert (x is None) == (y is None), program.log
        if x is not None:
            np.testing.assert_allclose(z, y, rtol=1e-8, atol=1e-10, err_msg=f"PyTorch and the rewrite: {program.log}")
            np.testing.assert_allclose(x, y, rtol=1e-8, atol=1e-10, err_msg=f"{program.log}")
    return "given" if isinstance(theirs, RuntimeError) else "equal"


small = st.integers(0, 60)
steps = st.lists(
    st.tuples(
        st.sampled_from(["view", "view", "write", "write", "write", "compute", "detach", "silent"]), small, small, small
    ),
    min_size=1,
    max_size=14,
)


@settings(max_examples=150)
@given(steps)
def test_a_random_program_has_the_values_and_gradients_of_pytorch(steps):
    run(steps)


def test_the_programs_meet_every_outcome():
    """Equal to PyTorch; refused by both; and given where PyTorch refuses, from a copy of what was overwritten."""
    assert run([("write", 4, 0, 1), ("view", 4, 0, 0)]) == "equal"
    assert run([("compute", 4, 0, 8), ("write", 4, 0, 9)]) == "refused"
    assert run([("write", 4, 4, 4)]) in ("equal", "given")
