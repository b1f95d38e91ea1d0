"""The drawing of a graph: what stands in it, how it is saved and shown, and what it says when it cannot be drawn."""

from __future__ import annotations

import html
import re
import shutil

import pytest

import tensorgrad as tg
from tensorgrad import train, viz
from tensorgrad.errors import AutogradError

needs_dot = pytest.mark.skipif(shutil.which("dot") is None, reason="the program dot of Graphviz is not installed")

NODE = re.compile(r"^\t(\w+) \[label=<(.*)> color=.* style=(.*) tooltip=(.*)\]$")
EDGE = re.compile(r"^\t(\w+) -> (\w+) \[(.*)\]$")


class Module:
    """Anything with named_parameters()."""

    def __init__(self, **params):
        self.params = params

    def named_parameters(self):
        yield from ((name.replace("_", "."), p) for name, p in self.params.items())


def boxes(drawing):
    """The text of each box by its name in the source."""
    found = {}
    for line in drawing.source.splitlines():
        if match := NODE.match(line):
            text = re.sub(r"<[^<>]*>", "|", match[2].replace("</B>", "").replace("</FONT>", ""))
            found[match[1]] = html.unescape(" ".join(part.strip() for part in text.split("|") if part.strip()))
    return found


def arrows(drawing):
    """The edges as pairs of the boxes' texts."""
    texts = boxes(drawing)
    pairs = [EDGE.match(line) for line in drawing.source.splitlines() if " -> " in line]
    assert all(pairs)
    return {(texts[m[1]], texts[m[2]]) for m in pairs if m[1] in texts}


def parameter(*shape, **kwargs):
    return tg.ones(*shape, requires_grad=True, **kwargs)


def small():
    w = parameter(3, 2)
    return (tg.ones(4, 3) @ w).relu().sum(), w


def test_a_graph_shows_its_leaves_operations_data_and_result_in_the_order_of_computation():
    loss, w = small()
    drawing = viz.graph(loss, {"w": w})
    assert arrows(drawing) == {
        ("data [4, 3] float32", "matmul [4, 2]"),
        ("w [3, 2] float32", "matmul [4, 2]"),
        ("matmul [4, 2]", "relu [4, 2]"),
        ("relu [4, 2]", "sum scalar"),
        ("sum scalar", "output scalar float32 = 24"),
    }
    assert (drawing.operations, drawing.leaves, drawing.hidden, drawing.missing) == (3, 1, 0, ())
    assert repr(drawing) == "<Graph of 3 operations and 1 leaf>"


def test_the_parameters_of_a_module_have_their_dotted_names_and_other_leaves_do_not():
    w, x = parameter(2), parameter(2)
    texts = boxes(viz.graph((w * x).sum(), Module(fc1_weight=w))).values()
    assert "fc1.weight [2] float32" in texts
    assert "leaf [2] float32" in texts


def test_a_model_gives_the_names_of_its_module():
    model = train.Model(tg.nn.Linear(2, 1))
    assert "bias [1] float32" in boxes(viz.graph(model(tg.ones(3, 2)).sum(), model)).values()


def test_a_dict_also_names_data_and_results_in_between():
    w, x = parameter(3), tg.ones(2, 3)
    h = w * x
    texts = boxes(viz.graph(h.exp().sum(), {"w": w, "x": x, "hidden": h})).values()
    assert {"x [2, 3] float32", "mul hidden [2, 3]"} <= set(texts)


def test_a_name_that_is_not_in_the_graph_is_reported():
    loss, w = small()
    drawing = viz.graph(loss, {"w": w, "head.bias": parameter(2)})
    assert drawing.missing == ("head.bias",)
    assert repr(drawing) == "<Graph of 3 operations and 1 leaf; not in it: head.bias>"
    assert "not in this graph: head.bias" in drawing.source


def test_one_tensor_of_two_names_has_both():
    w = parameter(2)
    assert "encoder, decoder [2] float32" in boxes(viz.graph(w.exp(), {"encoder": w, "decoder": w})).values()


def test_the_same_graph_gives_the_same_text():
    def source():
        loss, w = small()
        return viz.graph(loss, {"w": w}).source

    assert source() == source()


def test_attributes_and_numbers_stand_beside_the_operation():
    x = parameter(4, 3)
    y = ((x[1:3] * 0.5).mean(1, keepdim=True) ** 3.0).double()
    texts = set(boxes(viz.graph(y)).values())
    assert {"slice [1:3] [2, 3]", "mul (·, 0.5) [2, 3]", "mean dim=1, keepdim [2, 1]"} <= texts
    assert "cast dtype=float64 [2, 1] float64" in texts


def test_an_input_that_is_stretched_is_marked():
    source = viz.graph(parameter(2, 3) + parameter(3)).source
    assert source.count('label=" broadcast "') == 1


def test_writing_into_a_view_shows_where():
    u = parameter(4) * 2.0
    u[1:3].mul_(3.0)
    texts = boxes(viz.graph(u)).values()
    assert any(text.startswith("put_view at [1:3]") for text in texts)
    assert any(text.startswith("slice") for text in texts)


def test_a_shared_value_is_drawn_once():
    x = parameter(2)
    y = x.exp()
    drawing = viz.graph(y * y + y)
    assert sum(text.startswith("exp") for text in boxes(drawing).values()) == 1
    assert drawing.operations == 3
    assert len(re.findall(r"op0 -> ", drawing.source)) == 3


def test_a_leaf_that_many_operations_use_is_drawn_beside_each_and_counted_once():
    w = parameter(2)
    total = w * 1.0
    for _ in range(9):
        total = total * w
    drawing = viz.graph(total, {"w": w})
    copies = [text for text in boxes(drawing).values() if text.startswith("w ")]
    assert copies == ["w [2] float32 shared by 10 operations"] * 10
    assert drawing.leaves == 1


def test_the_outputs_of_a_function_leave_one_box():
    class Both(tg.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2, x.sum()

        @staticmethod
        def backward(ctx, g, h):
            return g * 2 + h

    x = parameter(5)
    double, total = Both.apply(x)
    drawing = viz.graph([double.exp(), total], {"x": x})
    assert drawing.operations == 2
    assert {("Both", "exp [5]"), ("Both", "output 1 scalar float32 = 5")} <= arrows(drawing)
    assert 'label=" out 0  [5] "' in drawing.source
    assert 'label=" out 1  scalar "' in drawing.source


def test_a_leaf_can_be_drawn_by_itself():
    x = parameter(2)
    assert arrows(viz.graph(x, {"x": x})) == {("x [2] float32", "output [2] float32")}


def test_gradients_are_shown_when_asked():
    w, b = parameter(4), parameter(4)
    loss = (w * 3.0).sum()
    loss.backward()
    drawing = viz.graph(loss + b.sum(), {"w": w, "b": b}, show_gradients=True)
    assert {"w [4] float32 grad 6", "b [4] float32 no gradient"} <= set(boxes(drawing).values())


def test_a_graph_that_backward_released_is_still_drawn():
    loss, w = small()
    loss.backward()
    drawing = viz.graph(loss, {"w": w})
    assert ("w [3, 2] float32", "matmul [4, 2]") in arrows(drawing)
    assert "released by backward()" in drawing.source


def test_a_deep_graph_is_cut_to_the_newest_operations_and_says_so():
    x = parameter(2)
    y = x
    for _ in range(100_000):
        y = y + 1.0
    drawing = viz.graph(y, max_nodes=10)
    assert (drawing.operations, drawing.hidden, drawing.leaves) == (10, 99_990, 0)
    assert "99,990 older operations not drawn" in drawing.source
    assert "99,990 older hidden" in repr(drawing)
    assert re.findall(r"hidden -> (\w+)", drawing.source) == ["op0"]


def test_no_limit_draws_all():
    y = parameter(2)
    for _ in range(600):
        y = y + 1.0
    assert viz.graph(y).hidden == 100
    assert viz.graph(y, max_nodes=None).operations == 600


ODD = ['a"b', "<b>&amp;", "back\\slash \\N", "two\nlines", "ünï→", "\udc80", "\x00", "", " ", "x" * 300, "]>"]


@pytest.mark.parametrize("name", ODD, ids=range(len(ODD)))
def test_odd_names_are_escaped(name, tmp_path):
    w = parameter(2)
    drawing = viz.graph((w * 2.0).sum(), {name: w, name + "?": parameter(1)})
    viz.graph(w.exp(), {name: w}).save(tmp_path / "g.dot")
    assert "\x00" not in drawing.source
    lines = [line for line in drawing.source.splitlines() if "leaf0 [" in line]
    assert len(lines) == 1
    assert NODE.match(lines[0])
    if shutil.which("dot"):
        assert drawing.render("svg").startswith(b"<?xml")


def test_an_ordinary_odd_name_reads_as_given():
    w = parameter(2)
    assert '<b> & "ü" \\N [2] float32' in boxes(viz.graph(w.exp(), {'<b> & "ü" \\N': w})).values()


@pytest.mark.parametrize("suffix", [".dot", ".gv", ".DOT"])
def test_the_text_is_saved_by_its_suffix(tmp_path, suffix):
    drawing = viz.graph(small()[0])
    path = drawing.save(str(tmp_path / f"graph{suffix}"))
    assert path.read_text(encoding="utf-8") == drawing.source
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@needs_dot
@pytest.mark.parametrize(("suffix", "start"), [(".svg", b"<?xml"), (".png", b"\x89PNG"), (".pdf", b"%PDF")])
def test_a_picture_is_saved_by_its_suffix(tmp_path, suffix, start):
    path = viz.graph(small()[0], direction="LR").save(tmp_path / f"graph{suffix}")
    assert path.read_bytes().startswith(start)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_another_suffix_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"\.dot, \.gv, \.svg, \.png, \.pdf, and is .*graph\.jpg"):
        viz.graph(small()[0]).save(tmp_path / "graph.jpg")
    with pytest.raises(ValueError, match="format must be"):
        viz.graph(small()[0]).render("jpg")


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no such folder.*nowhere"):
        viz.graph(small()[0]).save(tmp_path / "nowhere" / "graph.dot")


def test_a_save_that_fails_leaves_what_was_there(tmp_path, monkeypatch):
    target = tmp_path / "graph.dot"
    target.write_text("before")

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(OSError, match="disk full"):
        viz.graph(small()[0]).save(target)
    assert target.read_text() == "before"
    assert list(tmp_path.iterdir()) == [target]


def test_without_dot_a_picture_says_how_to_get_it_and_text_is_saved_all_the_same(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    drawing = viz.graph(small()[0])
    with pytest.raises(
        viz.DotNotFound, match=r"apt install graphviz.*brew.*winget.*conda.*\.dot works without"
    ) as caught:
        drawing.save(tmp_path / "graph.svg")
    assert isinstance(caught.value, RuntimeError)
    assert isinstance(caught.value, OSError)
    assert list(tmp_path.iterdir()) == []
    assert drawing.save(tmp_path / "graph.dot").read_text(encoding="utf-8") == drawing.source


def test_without_dot_a_notebook_shows_text(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    drawing = viz.graph(small()[0])
    assert drawing._repr_svg_() is None
    bundle = drawing._repr_mimebundle_()
    assert set(bundle) == {"text/plain"}
    assert bundle["text/plain"].startswith(repr(drawing))
    assert "apt install graphviz" in bundle["text/plain"]


@needs_dot
def test_a_notebook_shows_the_picture():
    drawing = viz.graph(small()[0])
    bundle = drawing._repr_mimebundle_(include=None, exclude=None)
    assert "<svg" in bundle["image/svg+xml"]
    assert "matmul" in bundle["image/svg+xml"]
    assert bundle["text/plain"] == repr(drawing)
    assert drawing._repr_svg_() == bundle["image/svg+xml"]


@needs_dot
def test_the_line_of_code_is_in_the_picture_in_anomaly_mode():
    x = parameter(2)
    with tg.autograd.detect_anomaly():
        y = x.exp()
    assert "test_viz_graph.py" in viz.graph(y).render("svg").decode()


@needs_dot
def test_graphviz_does_not_expand_its_own_escapes_in_names():
    w = parameter(2)
    picture = viz.graph(w.exp(), {"a\\N\\n": w}).render("svg").decode().replace("\u2060", "")
    assert 'title="a\\N\\n: float32[2]' in picture
    assert [text.strip() for text in re.findall(r">([^<]*)</text>", picture) if "\\" in text] == ["\\", "N\\n"]


@needs_dot
def test_an_unrolled_network_of_hundreds_of_operations_renders():
    w, h = parameter(2, 2), tg.ones(1, 2)
    for _ in range(100):
        h = (h @ w + w[0]).tanh()
    drawing = viz.graph(h.sum(), {"w": w})
    assert drawing.operations > 390
    assert b"tanh" in drawing.render("svg")


def test_a_tensor_without_a_graph_is_refused_with_the_remedy():
    with pytest.raises(AutogradError, match=r"this tensor, float32\[2\], has no graph.*requires_grad=True"):
        viz.graph(tg.ones(2))
    with pytest.raises(AutogradError, match="tensor 1, "):
        viz.graph((parameter(2), tg.ones(2)))


@pytest.mark.parametrize(
    ("arguments", "options", "error", "words"),
    [
        ((3,), {}, TypeError, "this tensor is int"),
        (([],), {}, ValueError, "no tensors"),
        (([3],), {}, TypeError, "tensor 0 is int"),
        ((None, [1]), {}, TypeError, "params must be a Module, a dict"),
        ((None, {"a": 1}), {}, TypeError, "holds 'a': int"),
        ((None, {1: tg.ones(1)}), {}, TypeError, "holds 1: Tensor"),
        ((None,), {"direction": "UP"}, ValueError, "'TB' or 'LR', not 'UP'"),
        ((None,), {"max_nodes": 0}, ValueError, "max_nodes"),
        ((None,), {"max_nodes": True}, TypeError, "max_nodes"),
    ],
)
def test_bad_arguments_are_named(arguments, options, error, words):
    tensor, *rest = arguments
    with pytest.raises(error, match=re.escape(words)):
        viz.graph(small()[0] if tensor is None else tensor, *rest, **options)


def test_drawing_changes_nothing():
    loss, w = small()
    viz.graph(loss, {"w": w}, show_gradients=True)
    assert w.grad is None
    loss.backward()
    assert w.grad.tolist() == [[4.0, 4.0]] * 3


def test_the_legend_names_the_kinds_that_are_there_and_can_be_left_out():
    loss, w = small()
    source = viz.graph(loss, {"w": w}).source
    assert all(f">{kind}</TD>" in source for kind in ("parameter", "data", "operation", "output"))
    assert ">view</TD>" not in source
    assert "<TABLE" not in viz.graph(loss, {"w": w}, legend=False).source
