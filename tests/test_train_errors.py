"""Mistakes in training: each is told before anything is learned, with what to do about it."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn, train
from tensorgrad.errors import ShapeError
from tensorgrad.utils.data import DataLoader, TensorDataset

X = np.random.default_rng(0).normal(size=(12, 2)).astype(np.float32)
Y = np.arange(12) % 3
BINARY = np.arange(12) % 2
CATEGORICAL = "sparse_categorical_crossentropy"


def model(outputs=3, loss=CATEGORICAL, ending=None, **options):
    made = train.Model(train.mlp([2, 4, outputs], output=ending))
    made.compile("adam", loss, **options)
    return made


def fit(X=X, y=Y, module=None, **options):
    names = {"outputs", "loss", "ending"} & options.keys()
    made = model(**{name: options.pop(name) for name in names})
    before = [p.tolist() for p in made.module.parameters()]
    try:
        made.fit(X, y, **{"verbose": 0} | options)
    finally:
        assert [p.tolist() for p in made.module.parameters()] == before
        assert made.history.epoch == []


def changed(array, at, value):
    array = np.array(array, dtype=object if isinstance(value, str | None) else np.float64)
    array[at] = value
    return array


def loader(X):
    return DataLoader(TensorDataset(tg.tensor(X), tg.tensor(Y)), batch_size=12)


def frame(X):
    pandas = pytest.importorskip("pandas")
    return pandas.DataFrame(X, columns=["a", "b"], index=[f"r{i}" for i in range(len(X))])


DATA = {
    "nan": (
        lambda: fit(changed(X, (3, 1), np.nan)),
        ValueError,
        r"1 value that is NaN or infinite, the first at X\[3, 1\]",
    ),
    "infinity": (lambda: fit(changed(X, (0, 0), np.inf)), ValueError, "the first at X"),
    "too large": (lambda: fit(changed(X, (0, 0), 1e300)), ValueError, "too large for float32"),
    "nan in y": (lambda: fit(y=changed(X[:, 0], 2, np.nan), loss="mse", outputs=1), ValueError, r"y\[2\]"),
    "nan label": (lambda: fit(y=changed(Y, 2, np.nan)), ValueError, "NaN"),
    "no label": (lambda: fit(y=changed(Y.astype(str), 2, None)), ValueError, r"y\[2\] is None"),
    "nan in a frame": (
        lambda: fit(frame(changed(X, ([3, 5], 1), np.nan))),
        ValueError,
        r"2 values that are NaN.* X.iloc\[3, 1\], which is row 'r3' of column 'b'",
    ),
    "nan in a loader": (
        lambda: fit(loader(changed(X, (3, 1), np.nan)), None),
        ValueError,
        r"the first at batch\[3, 1\]",
    ),
    "batches of a loader": (lambda: fit(loader(X), None, batch_size=5), ValueError, "batches of 12; batch_size=5 goes"),
    "lengths": (lambda: fit(y=Y[:5]), ShapeError, "X has 12 examples, and y has 5"),
    "lengths of inputs": (lambda: fit((X, X[:5])), ShapeError, "different lengths: 12, 5"),
    "no y": (lambda: fit(y=None), ValueError, "y is missing"),
    "no examples": (lambda: fit(X[:0], Y[:0]), ValueError, "X has no examples"),
    "a number": (lambda: fit(3.0), TypeError, "one example in each row, not float"),
    "nothing": (lambda: fit(None), TypeError, "not None"),
    "ragged": (lambda: fit([[1.0], [1.0, 2.0]], [0, 1]), ShapeError, "rows have different lengths"),
    "text": (lambda: fit(changed(X, (4, 1), "red")), TypeError, "column 1 holds 'red' in row 4; encode it"),
    "complex": (lambda: fit(X + 1j), TypeError, "complex"),
    "features": (lambda: fit(X[:, :1]), ShapeError, "in Linear"),
    "no validation y": (lambda: fit(validation_data=(X, None)), ValueError, "^validation_data: y is missing"),
    "validation lengths": (lambda: fit(validation_data=(X, Y[:5])), ShapeError, "^validation_data: X has 12"),
    "used up": (lambda: fit(iter([(X, Y)]), None), TypeError, "only once; give a DataLoader"),
    "empty loader": (
        lambda: fit(DataLoader(TensorDataset(tg.zeros(0, 2), tg.zeros(0))), None),
        ValueError,
        "no batches",
    ),
    "loader and y": (
        lambda: fit(DataLoader(TensorDataset(tg.tensor(X), tg.tensor(Y)))),
        ValueError,
        "brings its labels",
    ),
    "loader of x": (lambda: fit(DataLoader(TensorDataset(tg.tensor(X))), None), ValueError, "gave 1 part"),
    "batch": (lambda: fit(batch_size=13), ValueError, "batch_size=13 is larger than the 12 examples"),
    "batch of 0": (lambda: fit(batch_size=0), ValueError, "fit: batch_size must be an int of 1 or more"),
    "half an epoch": (lambda: fit(epochs=0.5), TypeError, "epochs must be an int of 0 or more, not 0.5"),
    "split": (lambda: fit(validation_split=1.5), ValueError, "between 0 and 1"),
    "split of nothing": (lambda: fit(validation_split=0.01), ValueError, "leaves nothing"),
    "split and data": (lambda: fit(validation_split=0.5, validation_data=(X, Y)), ValueError, "not both"),
    "sorted": (lambda: fit(y=np.sort(Y), validation_split=0.34), ValueError, "y is sorted"),
    "validation data": (lambda: fit(validation_data=X), TypeError, r"must be \(X, y\)"),
    "validation text": (
        lambda: fit(validation_data=(changed(X, (0, 0), "a"), Y)),
        TypeError,
        "validation_data: X must",
    ),
}
LABELS = {
    "range": (lambda: fit(y=Y + 5), ValueError, "label 5 .at 0., and 3 classes have the labels 0 to 2"),
    "from 1": (lambda: fit(y=Y + 1), ValueError, "give y - 1"),
    "negative": (lambda: fit(y=Y - 1), ValueError, "label -1"),
    "negative, and not ignored": (lambda: fit(y=Y - 1, loss=nn.CrossEntropyLoss()), ValueError, "label -1"),
    "ignored by no loss": (lambda: fit(y=np.where(Y, Y, -100)), ValueError, "label -100"),
    "all ignored": (lambda: fit(y=np.full(12, -100), loss=nn.NLLLoss()), ValueError, "all labels of y are -100, which"),
    "one class beside the ignored": (
        lambda: fit(y=np.where(Y == 1, 2, -100), loss=nn.CrossEntropyLoss()),
        ValueError,
        "labels of y are 2: there is one class only",
    ),
    "fractions": (lambda: fit(y=Y + 0.5), ValueError, "0.5 .at 0., which is no label of a class; for values use 'mse'"),
    "one class": (lambda: fit(y=np.full(12, 2)), ValueError, "all 12 labels of y are .*2.*one class only"),
    "one string": (lambda: fit(y=["a"] * 12), ValueError, "all 12 labels of y are .*'a'.*one class only"),
    "many strings": (lambda: fit(y=list("abcdefghijkl")), ValueError, "12 different labels .*give its last layer 12"),
    "mixed": (lambda: fit(y=["a", 1, None] * 4), ValueError, "None"),
    "mixed types": (lambda: fit(y=np.array(["a", 1, 2] * 4, object)), TypeError, "of the type int and str"),
    "rows that are not one-hot": (lambda: fit(y=np.ones((12, 3))), ValueError, "add up to 1, and row 0 is"),
    "wide": (lambda: fit(y=np.eye(4)[Y]), ShapeError, r"must be \(12,\) labels, or \(12, 3\) one-hot rows"),
    "values for classes": (lambda: fit(y=X[:, 0]), ValueError, "for values use 'mse'"),
    "binary values": (lambda: fit(y=Y, outputs=1, loss="bce"), ValueError, "holds 0, 1, 2, and .* takes 0 and 1"),
    "signs": (lambda: fit(y=BINARY * 2 - 1, outputs=1, loss="bce"), ValueError, "give y == 1"),
    "binary of three": (lambda: fit(y=BINARY, loss="bce"), ShapeError, "takes 0 or 1 for each, .12, 3."),
    "strings as values": (lambda: fit(y=["a"] * 12, outputs=1, loss="mse"), TypeError, "the loss compares numbers"),
    "labels as values": (lambda: fit(loss="mse"), ShapeError, "for classes use 'sparse_categorical"),
    "one output": (lambda: fit(outputs=1), ValueError, "single output cannot tell classes apart"),
    "softmax of one": (lambda: fit(y=BINARY, outputs=1, loss="bce", ending="softmax"), ValueError, "always 1"),
    "softmax of two": (lambda: fit(y=BINARY, outputs=2, loss="bce", ending="softmax"), ValueError, "softmax over 2"),
    "sigmoid for classes": (lambda: fit(ending="sigmoid"), ValueError, "ends in a sigmoid"),
}


def places(**options):
    made = train.Model([nn.Conv2d(1, 3, 1)])
    made.compile("adam", CATEGORICAL)
    made.fit(np.ones((4, 1, 2, 2)), np.arange(16).reshape(4, 2, 2) % 3, verbose=0, **options)


WEIGHTS = {
    "classes of places": (lambda: places(class_weight={0: 2.0}), ValueError, "each example has many"),
    "balance of places": (lambda: places(class_weight="balanced"), ValueError, "each example has many"),
    "length": (lambda: fit(sample_weight=[1.0]), ShapeError, r"must be \(12,\) numbers"),
    "negative": (lambda: fit(sample_weight=-np.ones(12)), ValueError, "0 or more"),
    "unknown class": (lambda: fit(class_weight={7: 1.0}), ValueError, r"7, which is not among the labels \[0, 1, 2\]"),
    "list": (lambda: fit(class_weight=[1.0, 1.0]), TypeError, "'balanced' or a dict"),
    "values": (lambda: fit(y=X[:, 0], outputs=1, loss="mse", class_weight="balanced"), ValueError, "goes with labels"),
    "function": (
        lambda: fit(loss=lambda output, target: output.mean(), sample_weight=np.ones(12)),
        TypeError,
        "need the loss of each example",
    ),
}
COMPILE = {
    "no loss": (lambda: train.Model([nn.Linear(1, 1)]).compile("adam"), ValueError, "say which loss"),
    "loss": (lambda: model(loss="categorial_crossentropy"), ValueError, "did you mean 'categorical_crossentropy'"),
    "loss class": (lambda: model(loss=nn.MSELoss), TypeError, r"write MSELoss\(\)"),
    "optimizer": (lambda: train.Model([nn.Linear(1, 1)]).compile("adm", "mse"), ValueError, "did you mean 'adam'"),
    "an odd optimizer": (
        lambda: train.Model([nn.Linear(1, 1)]).compile(3, "mse"),
        TypeError,
        "must be a name, a class",
    ),
    "option": (lambda: model(momentm=0.9), TypeError, "Adam has no option 'momentm'"),
    "metric": (lambda: model(metrics=["acuracy"]), ValueError, "did you mean 'accuracy'"),
    "a metric called loss": (lambda: model(metrics=[tg.metrics.F1(name="loss")]), ValueError, "'loss' of a metric is"),
    "no end": (lambda: model(learning_rate=float("inf")), ValueError, "number of 0 or more, not inf"),
    "rate": (lambda: model(learning_rate=-1.0), ValueError, "learning_rate must be a number of 0 or more"),
    "steps": (lambda: model(gradient_accumulation_steps=0), ValueError, "1 or more"),
    "rate twice": (
        lambda: train.Model([layer := nn.Linear(1, 1)]).compile(
            tg.optim.SGD(layer.parameters()), "mse", learning_rate=1.0
        ),
        ValueError,
        "when it is made",
    ),
    "strange tensors": (
        lambda: train.Model([nn.Linear(1, 1)]).compile(tg.optim.SGD(nn.Linear(1, 1).parameters()), "mse"),
        ValueError,
        "learns 2 tensors that are not of this network",
    ),
}


def asked_unfitted(method):
    return lambda: getattr(model(), method)(*((X, Y) if method in ("score",) else (X,)))


def all_frozen():
    made = train.Model([nn.Linear(2, 3)])
    made.configure("0", trainable=False)
    made.compile("sgd", CATEGORICAL)
    made.fit(X, Y, verbose=0)


def strings_after_numbers():
    made = model()
    made.fit(X, Y, verbose=0)
    made.evaluate(X, np.array(["a", "b", "c"])[Y])


def numbers_after_strings():
    made = model()
    made.fit(X, np.array(["a", "b", "c"])[Y], verbose=0)
    made.evaluate(X, Y)


def new_string():
    made = model()
    made.fit(X, np.array(["a", "b", "c"])[Y], verbose=0)
    made.fit(X, ["a", "d"] * 6, verbose=0)


def proba_of_values():
    made = model(1, "mse")
    made.fit(X, X[:, 0], verbose=0)
    made.predict_proba(X)


MODEL = {
    "not compiled": (lambda: train.Model([nn.Linear(2, 3)]).fit(X, Y), RuntimeError, "fit: the model is not compiled"),
    "predict": (asked_unfitted("predict"), RuntimeError, "predict: the model has not learned anything yet; fit it"),
    "proba": (asked_unfitted("predict_proba"), RuntimeError, "has not learned anything yet"),
    "score": (asked_unfitted("score"), RuntimeError, "score: the model has not learned anything yet"),
    "no layers": (lambda: no_layers(), ValueError, "no layers; add some first"),
    "a class": (lambda: train.Model(nn.Linear), TypeError, r"write Linear\(...\)"),
    "no module": (lambda: train.Model(3), TypeError, "an nn.Module or a list of layers"),
    "layer class": (lambda: train.Model().add(nn.ReLU), TypeError, r"write ReLU\(...\)"),
    "activation": (lambda: train.Model().add("rellu"), ValueError, "no activation 'rellu'"),
    "option": (
        lambda: train.Model().add(nn.Linear(1, 1), l2=1.0),
        TypeError,
        "no option 'l2'; the options are weight_l1",
    ),
    "negative": (lambda: train.Model().add(nn.Linear(1, 1), weight_l2=-1.0), ValueError, "weight_l2 must be"),
    "init": (lambda: train.Model().add(nn.Linear(1, 1), init="hee"), ValueError, "no initialisation 'hee'"),
    "add": (lambda: train.Model(nn.Linear(1, 1)).add("relu"), TypeError, "added to a Sequential"),
    "configure": (lambda: train.Model([nn.ReLU()]).configure("3", trainable=False), ValueError, "no layer '3'"),
    "rates of layers": (lambda: rates_of_layers(), ValueError, "Adam was made without them; give it parameter groups"),
    "frozen": (all_frozen, ValueError, "nothing to learn"),
    "strings after numbers": (strings_after_numbers, ValueError, "has not learned from strings"),
    "numbers after strings": (numbers_after_strings, ValueError, "fitted to the labels 'a', 'b', 'c'"),
    "a new string": (new_string, ValueError, "label 'd', which is not among those that were learned"),
    "values have no classes": (proba_of_values, TypeError, "compares values; predict gives them"),
    "sizes": (lambda: train.mlp([3]), ValueError, "two numbers or more"),
    "no units": (lambda: train.mlp([3, 0, 2]), ValueError, "mlp: size must be an int of 1 or more, not 0"),
    "a size of NumPy": (lambda: train.mlp(np.int64(3)), TypeError, r"sizes are a list: mlp\(\[3"),
    "dropouts": (lambda: train.mlp([3, 2, 1], dropout=np.zeros(2)), ValueError, "dropout must be one, or one for each"),
    "zeros by their norm": (
        lambda: train.initialize(nn.utils.parametrizations.weight_norm(nn.Linear(2, 2)), "zeros"),
        ValueError,
        r"_WeightNorm\(\) makes NaN",
    ),
    "activations": (lambda: train.mlp([3, 2, 1], ["relu", "relu"]), ValueError, "each of the 1 hidden layers, not 2"),
    "tuple output": (lambda: lstm(), TypeError, "returns tuple"),
}


def rates_of_layers():
    made = train.Model([nn.Linear(2, 3)])
    made.configure("0", learning_rate=0.1)
    made.compile(tg.optim.Adam(made.module.parameters()), CATEGORICAL)
    made.fit(X, Y)


def no_layers():
    made = train.Model()
    made.compile("adam", "mse")
    made.fit(X, Y)


def lstm():
    made = train.Model(nn.LSTM(2, 3))
    made.compile("adam", "mse")
    made.fit(X, X)


def one_example():
    made = model()
    made.fit(X, Y, verbose=0)
    made.predict(X[0])


def fit_watching(name):
    model(metrics=["accuracy"]).fit(X, Y, callbacks=[train.EarlyStopping(name)], verbose=0)


def saved():
    file = Path(tempfile.mkdtemp()) / "model"
    model().save(file)
    return file


FURTHER = {
    "one example": (
        lambda: one_example(),
        ShapeError,
        r"must be \(n, 2\): a single example is given as a batch of one",
    ),
    "class to load": (lambda: train.Model.load(saved(), nn.Linear), TypeError, r"write Linear\(...\)"),
    "two layers": (lambda: train.Model(nn.Linear(2, 3), nn.ReLU()), TypeError, r"write Model\(\[layer"),
    "numbers for sizes": (lambda: train.mlp(2, 16, 3), TypeError, r"mlp\(\[2"),
    "near metric": (lambda: fit_watching("acc"), KeyError, "did you mean 'accuracy'"),
    "dates": (lambda: fit(X.astype("datetime64[s]")), TypeError, "dates or times"),
    "masks": (lambda: fit(np.ma.masked_greater(X, 0.5)), ValueError, "masked array"),
    "large values": (
        lambda: fit(y=X[:, 0].astype(float) * 1e200, outputs=1, loss="mse"),
        ValueError,
        "y holds values too large",
    ),
    "complex values": (lambda: fit(y=X[:, 0] * 1j, outputs=1, loss="mse"), TypeError, "the loss compares numbers"),
    "negative class weight": (lambda: fit(class_weight={0: -1.0}), ValueError, "class_weight of 0 must be a number"),
    "no class weight": (lambda: fit(class_weight={0: None}), ValueError, "class_weight of 0 must be a number"),
    "weights of shares": (
        lambda: fit(y=BINARY * 0.9, outputs=1, loss="bce", class_weight={0: 1.0}),
        ValueError,
        "goes with labels",
    ),
    "balance of a loader": (
        lambda: fit(DataLoader(TensorDataset(tg.tensor(X), tg.tensor(Y))), None, class_weight="balanced"),
        ValueError,
        "does not tell beforehand",
    ),
    "too few strings": (lambda: fit(y=np.array(["a", "b"])[BINARY]), ValueError, "2 different labels .*give its last"),
    "batch size": (
        lambda: model().evaluate(X, Y, batch_size=-5),
        ValueError,
        "evaluate: batch_size must be an int of 1",
    ),
    "half a step": (lambda: model(gradient_accumulation_steps=2.5), TypeError, "must be an int of 1 or more"),
    "names": (
        lambda: model(metrics=[lambda p, y: p.max(1), lambda p, y: p.min(1)]),
        ValueError,
        "'<lambda>' of a metric",
    ),
    "pattern": (
        lambda: fit(callbacks=[train.ModelCheckpoint("{epoch:zz}")]),
        ValueError,
        "is no pattern",
    ),
}
CASES = {
    f"{group}: {name}": case
    for group, cases in (
        ("data", DATA),
        ("labels", LABELS),
        ("weights", WEIGHTS),
        ("compile", COMPILE),
        ("model", MODEL),
        ("further", FURTHER),
    )
    for name, case in cases.items()
}


@pytest.mark.parametrize("name", CASES)
def test_a_mistake_is_told_with_what_to_do(name):
    call, error, text = CASES[name]
    with pytest.raises(error, match=text) as raised:
        call()
    notes = getattr(raised.value, "__notes__", [])
    assert len(str(raised.value)) + sum(map(len, notes)) < 700


def test_the_note_of_a_forgotten_column_is_on_the_error():
    with pytest.raises(ShapeError) as raised:
        fit(X[:, 0])
    assert any("X.reshape(-1, 1)" in note for note in raised.value.__notes__)


# What a mistake must leave as it was


def test_a_layer_with_wrong_options_is_not_added():
    made = train.Model()
    for wrong in ({"weight_l2": -1.0}, {"l2": 1.0}, {"init": "hee"}):
        with pytest.raises((TypeError, ValueError)):
            made.add(nn.Linear(2, 3), **wrong)
    assert len(made.module) == 0


def test_a_fit_that_failed_its_checks_does_not_stand_in_the_way_of_the_next():
    pandas = pytest.importorskip("pandas")
    made, frame = model(), pandas.DataFrame(X, columns=["a", "b"])
    for data, labels in ((frame.assign(c="text"), Y), (frame, ["a"] * 12)):
        with pytest.raises((TypeError, ValueError)):
            made.fit(data, labels, verbose=0)
    made.fit(frame, np.array(["x", "y", "z"])[Y], verbose=0)
    history = made.history
    with pytest.raises(ShapeError):
        made.fit(frame, Y[:3], verbose=0)
    assert made.history is history


@pytest.mark.parametrize(
    "wrong",
    [
        {"validation_data": (X[:, :1], Y)},
        {"validation_data": (X, Y + 3)},
        {"metrics": ["mse"]},
        {"metrics": [lambda p, y: p[:, 7]]},
    ],
)
def test_what_does_not_fit_is_found_before_anything_is_learned(wrong):
    made = model(metrics=wrong.pop("metrics", ()))
    before = [p.tolist() for p in made.module.parameters()]
    with pytest.raises((ShapeError, ValueError, IndexError)):
        made.fit(X, Y, verbose=0, **wrong)
    assert [p.tolist() for p in made.module.parameters()] == before


def test_a_model_that_is_being_fitted_is_left_alone():
    for name, change in (
        ("fit", lambda made: made.fit(X, Y)),
        ("configure", lambda made: made.configure("0", trainable=False)),
        ("compile", lambda made: made.compile("sgd", CATEGORICAL)),
        ("add", lambda made: made.add("relu")),
    ):
        made = model()
        within = train.LambdaCallback(on_epoch_begin=lambda epoch, logs=None: change(made))  # noqa: B023
        with pytest.raises(RuntimeError, match=f"{name}: the model is being fitted"):
            made.fit(X, Y, callbacks=[within], verbose=0)
        made.fit(X, Y, verbose=0)


class TwoFaced(nn.Module):
    """Gives logits in training, and probabilities in evaluation."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 3)

    def forward(self, x):
        return self.layer(x) if self.training else self.layer(x).softmax(1)


def test_a_network_that_ends_otherwise_in_training_is_told():
    made = train.Model(TwoFaced())
    made.compile("adam", CATEGORICAL)
    with pytest.raises(ValueError, match="ends in a softmax when it evaluates, and in linear when it trains"):
        made.fit(X, Y, verbose=0)


def test_an_attribute_that_freezes_nothing_is_told():
    made = model()
    made.layers[0].trainable = False
    with pytest.raises(AttributeError, match=r"of layer '0', does nothing; .* model.configure\('0', trainable=False\)"):
        made.fit(X, Y, verbose=0)
    del made.layers[0].trainable
    made.trainable = False
    with pytest.raises(AttributeError, match=r"of the model, does nothing; .* model.configure\('', trainable=False\)"):
        made.fit(X, Y, verbose=0)


@pytest.mark.parametrize(
    ("name", "text"), [("load_weights", "'load_weights': model.module.load_state_dict"), ("weight", "'weight'$")]
)
def test_names_of_keras_and_pytorch_say_where_it_is(name, text):
    with pytest.raises(AttributeError, match=f"^'Model' object has no attribute {text}"):
        getattr(train.Model(), name)


def test_a_name_of_another_format_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"save: a model is written as safetensors, and .*m.keras' names another"):
        model().save(tmp_path / "m.keras")
    assert list(tmp_path.iterdir()) == []
