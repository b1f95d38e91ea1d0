"""The diagram of a network: its layers, what flows between them, and what is learned."""

from __future__ import annotations

import html
import re
import shutil

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn, train, viz

EDGE = re.compile(r"^\t(\w+) -> (\w+) \[(.*)\]$")


def drawn(diagram):
    """The texts of the nodes by name, and the lines as (start, end, label, is backward, is dotted)."""
    nodes, lines = {}, []
    for line in diagram.source.splitlines():
        if match := EDGE.match(line):
            label = re.search(r'label="([^"]*)"', match[3])
            text = label[1].strip() if label else ""
            lines.append((match[1], match[2], text, "dir=back" in match[3], "style=dotted" in match[3]))
        elif " [label=<" in line:
            name, rest = line.strip().split(" [label=<", 1)
            text = re.sub(r"<[^<>]*>", " ", rest.rsplit("> ", 1)[0].split("> color")[0].split("> fixedsize")[0])
            nodes[name] = " ".join(html.unescape(text).split())
    return nodes, lines


def convolutional():
    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Sequential(nn.Flatten(), nn.Linear(72, 4)))


def dense():
    return nn.Sequential(nn.Linear(20, 12), nn.ReLU(), nn.Dropout(0.2), nn.Sequential(nn.Linear(12, 3), nn.Softmax(1)))


def test_a_network_is_drawn_as_boxes_in_order_with_settings_and_parameters():
    diagram = viz.network_diagram(convolutional(), (1, 8, 8))
    nodes, lines = drawn(diagram)
    assert nodes["in"] == "input (n, 1, 8, 8)"
    assert nodes["layer0"].startswith("Conv2d 0 1, 2, kernel_size=(3, 3)")
    assert nodes["layer0"].endswith("20 parameters")
    assert [nodes[f"layer{i}"].split()[:2] for i in (1, 2, 3)] == [["ReLU", "1"], ["Flatten", "2.0"], ["Linear", "2.1"]]
    assert nodes["out"] == "output (n, 4)"
    assert [line[:3] for line in lines] == [
        ("in", "layer0", "(n, 1, 8, 8)"),
        ("layer0", "layer1", "(n, 2, 6, 6)"),
        ("layer1", "layer2", "(n, 2, 6, 6)"),
        ("layer2", "layer3", "(n, 72)"),
        ("layer3", "out", "(n, 4)"),
    ]
    assert repr(diagram) == "<Diagram of 4 layers and 312 parameters>"


def test_the_way_back_has_the_shapes_of_the_gradients_and_ends_at_the_first_parameters():
    nodes, lines = drawn(viz.network_diagram(convolutional(), (1, 8, 8), path="both"))
    assert "weight.grad (2, 1, 3, 3) bias.grad (2,)" in nodes["layer0"]
    back = [line[:3] for line in lines if line[3]]
    assert back == [
        ("layer0", "layer1", "grad (n, 2, 6, 6)"),
        ("layer1", "layer2", "grad (n, 2, 6, 6)"),
        ("layer2", "layer3", "grad (n, 72)"),
        ("layer3", "out", "grad (n, 4)"),
    ]
    assert len(lines) == 5 + 4
    _, lines = drawn(viz.network_diagram(convolutional(), (1, 8, 8), path="backward"))
    assert [line[2] for line in lines if not line[3]] == [""] * 5


def test_before_the_first_parameters_there_is_no_way_back():
    model = nn.Sequential(nn.ReLU(), nn.Conv2d(1, 2, 3), nn.ReLU())
    _, lines = drawn(viz.network_diagram(model, (1, 4, 4), path="both"))
    assert [line[:2] for line in lines if line[3]] == [("layer1", "layer2"), ("layer2", "out")]


def test_a_parametrised_layer_is_one_layer():
    model = nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Linear(3, 2, bias=False)), nn.ReLU())
    assert "Linear 3 → 2 8 parameters ReLU" in drawn(viz.network_diagram(model, 3))[0]["text1"]


def test_without_an_input_size_a_sequential_is_drawn_without_shapes():
    nodes, lines = drawn(viz.network_diagram(convolutional(), path="both"))
    assert (nodes["in"], nodes["out"]) == ("input", "output")
    assert {line[2] for line in lines} == {"", "grad"}


def test_dense_layers_are_drawn_unit_by_unit_with_sizes_below():
    diagram = viz.network_diagram(dense())
    nodes, lines = drawn(diagram)
    units = set(re.findall(r"^\t(unit\d+_\d+) \[", diagram.source, re.MULTILINE))
    assert [sum(unit.startswith(f"unit{i}_") for unit in units) for i in range(3)] == [7, 7, 3]
    assert set(re.findall(r"\t(more\d)_", diagram.source)) == {"more0", "more1"}
    assert sum(line[0].startswith("unit") for line in lines) == 7 * 7 + 7 * 3
    assert nodes["text0"] == "20 units input"
    assert nodes["text1"] == "12 units Linear 20 → 12 252 parameters ReLU Dropout(p=0.2, inplace=False)"
    assert nodes["text2"] == "3 units Linear 12 → 3 39 parameters Softmax(dim=1)"
    assert [nodes[f"f{i}"] for i in range(3)] == ["(n, 20)", "(n, 12)", "(n, 3)"]
    assert "b1" not in nodes


def test_dense_layers_show_the_way_back_too():
    nodes, _ = drawn(viz.network_diagram(dense(), path="both"))
    assert [nodes[f"b{i}"] for i in (1, 2)] == ["(n, 12)", "(n, 3)"]
    assert "b0" not in nodes
    assert nodes["text1"].endswith("weight.grad (12, 20) bias.grad (12,)")
    nodes, _ = drawn(viz.network_diagram(dense(), path="backward"))
    assert "f0" not in nodes


def test_a_layer_that_keeps_the_size_is_written_below_the_dense_one_before_it():
    nodes, _ = drawn(viz.network_diagram(nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4)), path="both"))
    assert "BatchNorm1d(4," in nodes["text1"]
    assert nodes["text1"].endswith("bias.grad (4,) BatchNorm1d.weight.grad (4,) BatchNorm1d.bias.grad (4,)")


def test_images_flattened_before_dense_layers_count_as_their_input():
    nodes, _ = drawn(viz.network_diagram(nn.Sequential(nn.Flatten(), nn.Linear(6, 1)), (2, 3)))
    assert nodes["text0"] == "6 units input (n, 2, 3) flattened"
    assert nodes["text1"].startswith("1 unit Linear 6 → 1")


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(4, 4)
        self.second = nn.Linear(4, 4)
        self.scale = nn.Parameter(tg.ones(1))
        self.head = nn.Linear(4, 2)

    def forward(self, x):
        h = self.first(x)
        return self.head(h + self.scale * self.second(h)).softmax(1)


def test_any_module_is_drawn_by_what_flows_in_it_and_what_is_between_layers_is_dotted():
    diagram = viz.network_diagram(Residual(), 4)
    nodes, lines = drawn(diagram)
    assert [nodes[f"layer{i}"].split()[1] for i in range(3)] == ["first", "second", "head"]
    assert {(line[0], line[1], line[4]) for line in lines} == {
        ("in", "layer0", False),
        ("layer0", "layer1", False),
        ("layer0", "layer2", True),
        ("layer1", "layer2", True),
        ("layer2", "out", True),
    }
    assert "dotted: other operations in between" in diagram.source
    assert diagram.parameters == 20 + 20 + 1 + 10
    with pytest.raises(ValueError, match=r"what Residual does with its layers.*give input_size"):
        viz.network_diagram(Residual())


def test_recurrent_embedding_and_attention_layers_are_layers():
    class Reader(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(10, 4)
            self.lstm = nn.LSTM(4, 4, batch_first=True)
            self.block = nn.TransformerEncoderLayer(4, 2, 8, batch_first=True)

        def forward(self, x):
            y, _ = self.lstm(self.embedding(x))
            return self.block(y)

    nodes, lines = drawn(viz.network_diagram(Reader(), (5,)))
    names = [nodes[f"layer{i}"].split()[0] for i in range(4)]
    assert names == ["Embedding", "LSTM", "MultiheadAttention", "Dropout"]
    assert ("layer0", "layer1", "(n, 5, 4)", False, False) in lines
    assert ("layer1", "layer2", "(n, 5, 4)", False, False) in lines


class Sum(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second, self.third = nn.Linear(2, 3), nn.Linear(4, 3), nn.Bilinear(3, 3, 2)

    def forward(self, x, z):
        return self.third(self.first(x), self.second(z))


def test_several_inputs_are_drawn_each_where_it_goes():
    model = train.Model(Sum())
    model.compile("sgd", "cross_entropy")
    model.fit((np.ones((6, 2)), np.ones((6, 4))), [0, 1] * 3, verbose=0)
    given = viz.network_diagram(Sum(), ((2,), (4,)), path="both")
    nodes, lines = drawn(given)
    assert (nodes["in0"], nodes["in1"], nodes["out"]) == ("input (n, 2)", "input (n, 4)", "output (n, 2)")
    assert [line[:3] for line in lines if not line[3]] == [
        ("in0", "layer0", "(n, 2)"),
        ("in1", "layer1", "(n, 4)"),
        ("layer0", "layer2", "(n, 3)"),
        ("layer1", "layer2", "(n, 3)"),
        ("layer2", "out", "(n, 2)"),
    ]
    assert [line[:2] for line in lines if line[3]] == [line[:2] for line in lines if not line[3]][2:]
    assert viz.network_diagram(model, path="both").source == given.source


@pytest.mark.parametrize(
    ("module", "sizes"),
    [(nn.Bilinear(3, 5, 2), ((3,), (5,))), (nn.MultiheadAttention(8, 2, batch_first=True), ((5, 8),) * 3)],
)
def test_a_layer_of_several_inputs_takes_a_shape_for_each(module, sizes):
    _, lines = drawn(viz.network_diagram(module, sizes))
    assert [line[:2] for line in lines[:-1]] == [(f"in{i}", "layer0") for i in range(len(sizes))]
    for wrong in (sizes[0], sizes[:1]):
        with pytest.raises(TypeError, match=r"1 input: missing a required argument.* give input_size, of several"):
            viz.network_diagram(module, wrong)


def test_a_fitted_model_is_drawn_with_the_shapes_and_kinds_it_has_met():
    model = train.Model([nn.Embedding(5, 4), nn.Flatten(), nn.Linear(12, 3)])
    model.compile("sgd", "cross_entropy")
    assert drawn(viz.network_diagram(model))[0]["in"] == "input"
    model.fit(np.arange(18).reshape(6, 3) % 5, [0, 1, 2] * 2, verbose=0)
    assert drawn(viz.network_diagram(model))[0]["in"] == "input (n, 3)"


def test_an_input_size_may_be_an_int_of_numpy():
    assert viz.network_diagram(nn.Linear(3, 2), np.int64(3)).source == viz.network_diagram(nn.Linear(3, 2), 3).source


def test_a_network_is_left_as_it_was():
    model = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3), nn.Dropout(0.5))
    model[1].eval()
    before = {name: value.tolist() for name, value in model.state_dict().items()}
    viz.network_diagram(model, 3, path="both")
    assert {name: value.tolist() for name, value in model.state_dict().items()} == before
    assert [each.training for each in model] == [True, False, True]
    assert all(parameter.grad is None for parameter in model.parameters())
    assert not any(each._forward_hooks for each in model.modules())


def test_a_layer_that_is_called_twice_is_drawn_twice_and_counted_once():
    layer = nn.Linear(3, 3)
    diagram = viz.network_diagram(nn.Sequential(layer, nn.ReLU(), layer), 3)
    assert diagram.parameters == 12
    assert "text2" in drawn(diagram)[0]


def test_the_same_network_gives_the_same_source_and_names_are_escaped():
    assert viz.network_diagram(dense()).source == viz.network_diagram(dense()).source
    model = nn.ModuleDict({"<b>&": nn.ReLU()})
    model.forward = lambda x: model["<b>&"](x)
    assert drawn(viz.network_diagram(model, 3))[0]["layer0"] == "ReLU <b>&"


def test_what_cannot_be_drawn_is_told():
    with pytest.raises(ValueError, match="path must be 'forward', 'backward' or 'both', not 'up'"):
        viz.network_diagram(dense(), path="up")
    with pytest.raises(ValueError, match="Sequential has no layers"):
        viz.network_diagram(nn.Sequential())
    with pytest.raises(TypeError, match="takes a Module"):
        viz.network_diagram(3)


@pytest.mark.skipif(shutil.which("dot") is None, reason="the program dot of Graphviz is not installed")
@pytest.mark.parametrize("model", [dense(), convolutional()], ids=["units", "boxes"])
def test_a_diagram_is_saved_and_shown_as_a_graph_is(model, tmp_path):
    diagram = viz.network_diagram(model, path="both")
    assert diagram._repr_svg_().startswith("<?xml")
    assert diagram.save(tmp_path / "network.svg").read_bytes().count(b"<svg") == 1
    assert diagram.save(tmp_path / "network.dot").read_text() == diagram.source
