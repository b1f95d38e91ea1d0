"""Recurrent layers as primitives: one direction of one layer, over all its steps.

They are fused because what stays in the cache during a step is computed several times faster than the some fifteen
nodes of each step that a composition would record. The inputs' share of the gates is not in them: it is a `linear` for
all steps at once. How the rows lie, and what `sizes` and `reverse` say, is told with the kernels.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tensorgrad.autograd.graph import Foreign, TensorBase
from tensorgrad.autograd.op import Parts, primitive
from tensorgrad.backends.cpu import recurrent as cpu
from tensorgrad.backends.cpu.recurrent import steps_of
from tensorgrad.ops.activation import tanh
from tensorgrad.ops.choose import cast
from tensorgrad.ops.joining import cat, chunk


def _either(kernel: Callable[..., Any], composition: Callable[..., Any]) -> Callable[..., Any]:
    """The joint vjp of a recurrent primitive: on NumPy's arrays a kernel, else a composition, which tensors record.

    Both take the gradients of the outputs (None for one that has not arrived), the outputs, the inputs and the
    attributes. That they are equal is tested; that the composition is right, so that there are derivatives of every
    order, too.
    """

    def vjp(g: Parts, wants: tuple[bool, ...], y: tuple[Any, ...], *inputs: Any, **attrs: Any) -> tuple[Any, ...]:
        recording = any(isinstance(x, TensorBase | Foreign) for x in (*g.values(), *y))
        run = composition if recording else kernel
        gradients: tuple[Any, ...] = run(*map(g.get, range(len(y))), *y, *inputs, **attrs)
        return gradients

    return vjp


def _over(x: Any, held: Any) -> Any:
    """The state of the whole batch, with the first rows exchanged for `x`."""
    return x if x.shape[0] == held.shape[0] else cat([x, held[x.shape[0] :]])


def _in_rows(parts: list[Any], reverse: bool) -> Any:
    """What was computed for each step, in the order of the steps, where the rows say."""
    return cat(parts[::-1] if reverse else parts)


def _before(after: Any, first: Any, sizes: tuple[int, ...], reverse: bool) -> Any:
    """The state that each row starts from."""
    parts, held = [], first
    for at in steps_of(sizes, reverse):
        parts.append(held[: at.stop - at.start])
        held = _over(after[at], held)
    return _in_rows(parts, reverse)


def _rnn_backward(
    gy: Any, y: Any, z: Any, h0: Any, weight: Any, sizes: tuple[int, ...], reverse: bool, relu: bool
) -> tuple[Any, ...]:
    slope = cast(y > 0, y.dtype) if relu else 1.0 - y * y
    gh, parts = h0 * 0.0, []
    for at in reversed(steps_of(sizes, reverse)):
        d = (gh[: at.stop - at.start] + gy[at]) * slope[at]
        gh = _over(d @ weight, gh)
        parts.append(d)
    gz = _in_rows(parts, not reverse)
    return gz, gh, gz.T @ _before(y, h0, sizes, reverse)


def _lstm_backward(
    gy: Any,
    gcells: Any,
    ggates: Any,
    y: Any,
    cells: Any,
    gates: Any,
    z: Any,
    h0: Any,
    c0: Any,
    weight: Any,
    sizes: tuple[int, ...],
    reverse: bool,
) -> tuple[Any, ...]:
    i, f, g, o = chunk(gates, 4, 1)
    t = tanh(cells)
    to_cell = o * (1.0 - t * t)
    partners = cat([g, _before(cells, c0, sizes, reverse), i, t], 1)
    slopes = cat([i * (1.0 - i), f * (1.0 - f), 1.0 - g * g, o * (1.0 - o)], 1)
    gh, gc, parts = h0 * 0.0, c0 * 0.0, []
    for at in reversed(steps_of(sizes, reverse)):
        rows = at.stop - at.start
        dh, dc = gh[:rows], gc[:rows]
        if gy is not None:
            dh = dh + gy[at]
        if gcells is not None:
            dc = dc + gcells[at]
        dc = dc + dh * to_cell[at]
        d = cat([dc, dc, dc, dh], 1) * partners[at]
        if ggates is not None:
            d = d + ggates[at]
        d = d * slopes[at]
        gh, gc = _over(d @ weight, gh), _over(dc * f[at], gc)
        parts.append(d)
    gz = _in_rows(parts, not reverse)
    return gz, gh, gc, gz.T @ _before(y, h0, sizes, reverse)


def _gru_backward(
    gy: Any,
    ggates: Any,
    y: Any,
    gates: Any,
    z: Any,
    h0: Any,
    weight: Any,
    bias: Any,
    sizes: tuple[int, ...],
    reverse: bool,
) -> tuple[Any, ...]:
    r, u, n, m = chunk(gates, 4, 1)
    before = _before(y, h0, sizes, reverse)
    difference, slopes = before - n, cat([r * (1.0 - r), u * (1.0 - u), 1.0 - n * n], 1)
    gh, parts, shares = h0 * 0.0, [], []
    for at in reversed(steps_of(sizes, reverse)):
        dh = gh[: at.stop - at.start]
        if gy is not None:
            dh = dh + gy[at]
        du, dn = dh * difference[at], dh * (1.0 - u[at])
        gr = gm = 0.0
        if ggates is not None:
            gr, gu, gn, gm = chunk(ggates[at], 4, 1)
            du, dn = du + gu, dn + gn
        sr, su, sn = chunk(slopes[at], 3, 1)
        dn = dn * sn
        dr, du = (dn * m[at] + gr) * sr, du * su
        share = cat([dr, du, dn * r[at] + gm], 1)
        gh = _over(dh * u[at] + share @ weight, gh)
        parts.append(cat([dr, du, dn], 1))
        shares.append(share)
    share = _in_rows(shares, not reverse)
    return _in_rows(parts, not reverse), gh, share.T @ before, share.sum(0)


# rnn(z, h0, weight) gives (y,)
rnn_op = primitive("rnn", cpu.rnn, joint=_either(cpu.rnn_backward, _rnn_backward), keep="ybc")

# lstm(z, h0, c0, weight) gives y, cells, gates
lstm_op = primitive("lstm", cpu.lstm, joint=_either(cpu.lstm_backward, _lstm_backward), keep="ybcd")

# gru(z, h0, weight, bias or None) gives y, gates
gru_op = primitive("gru", cpu.gru, joint=_either(cpu.gru_backward, _gru_backward), keep="ybc")
