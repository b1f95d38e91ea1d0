"""Callbacks: they are told what happens, stop, restore, schedule, write, and a fit goes on from where it was."""

from __future__ import annotations

import copy
import csv
import math

import numpy as np
import pytest

import tensorgrad as tg
from tensorgrad import nn, train
from tensorgrad.optim import lr_scheduler

X, Y = tg.datasets.spiral(20, generator=tg.Generator().manual_seed(0))
X_VAL, Y_VAL = tg.datasets.spiral(20, generator=tg.Generator().manual_seed(1))


def compiled(rate=0.05, **options):
    tg.manual_seed(1)
    model = train.Model(train.mlp([2, 8, 3], dropout=0.2, batch_norm=True))
    model.compile("adam", "categorical_crossentropy", ["accuracy"], learning_rate=rate, **options)
    tg.manual_seed(7)
    return model


def fit(model, *callbacks, epochs=4, **options):
    options = {"validation_data": (X_VAL, Y_VAL), "batch_size": 16, "verbose": 0} | options
    return model.fit(X, Y, epochs=epochs, callbacks=callbacks, **options)


def state(model):
    return {name: value.tolist() for name, value in model.module.state_dict().items()}


class Teller(train.Callback):
    """Writes down what it is told."""

    def __init__(self):
        self.told = []

    def on_train_begin(self, logs=None):
        self.told.append("begin")

    def on_train_end(self, logs=None):
        self.told.append("end")

    def on_epoch_begin(self, epoch, logs=None):
        self.told.append(f"epoch {epoch}")

    def on_epoch_end(self, epoch, logs):
        self.told.append(f"epoch {epoch} ends")

    def on_train_batch_begin(self, batch, logs=None):
        self.told.append(f"batch {batch}")

    def on_gradients(self, batch, logs):
        assert all(p.grad is not None for p in self.model.module.parameters())
        self.told.append("gradients")

    def on_train_batch_end(self, batch, logs):
        assert logs["loss"] > 0
        self.told.append(f"batch {batch} ends")


class Breaks(train.Callback):
    """Breaks a fit off at the beginning of an epoch."""

    def __init__(self, epoch, error=KeyboardInterrupt):
        self.epoch, self.error = epoch, error

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.epoch:
            raise self.error


def test_a_callback_is_told_everything_in_order():
    teller = Teller()
    fit(compiled(), teller, epochs=2, batch_size=30)
    epochs = []
    for epoch in range(2):
        batches = [t for i in range(2) for t in (f"batch {i}", "gradients", f"batch {i} ends")]
        epochs += [f"epoch {epoch}", *batches, f"epoch {epoch} ends"]
    assert teller.told == ["begin", *epochs, "end"]
    assert teller.params == {"epochs": 2, "steps": 2, "batch_size": 30, "verbose": 0}


def test_the_end_is_told_when_a_fit_breaks_off_and_what_is_done_is_kept():
    teller, model = Teller(), compiled()
    with pytest.raises(KeyboardInterrupt):
        fit(model, teller, Breaks(2))
    assert teller.told[-1] == "end"
    assert model.history.epoch == [0, 1]


def test_what_a_callback_adds_to_the_numbers_is_kept():
    history = fit(compiled(), train.LambdaCallback(on_epoch_end=lambda epoch, logs: logs.update(square=epoch**2)))
    assert history["square"] == [0, 1, 4, 9]


# Stopping


def test_early_stopping_stops_after_its_patience_and_puts_the_best_weights_back():
    model, seen = compiled(0.3), []
    stopping = train.EarlyStopping("val_loss", patience=3)
    keep = train.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(state(model)))
    history = fit(model, stopping, keep, epochs=100)
    best = int(np.argmin(history["val_loss"]))
    assert len(history.epoch) == best + 4
    assert (stopping.best_epoch, stopping.stopped_epoch) == (best, best + 3)
    assert state(model) == seen[best] != seen[-1]
    assert model.evaluate(X_VAL, Y_VAL)[0] == pytest.approx(min(history["val_loss"]), rel=1e-5)


def test_early_stopping_can_keep_the_last_weights_and_start_late():
    model = compiled(0.3)
    stopping = train.EarlyStopping("val_accuracy", patience=1, restore_best_weights=False, start_from_epoch=6)
    history = fit(model, stopping, epochs=100)
    assert stopping.mode == "max"
    assert len(history.epoch) >= 8
    assert model.evaluate(X_VAL, Y_VAL)[0] == pytest.approx(history["val_loss"][-1], rel=1e-5)


def test_early_stopping_gets_over_a_first_epoch_that_is_nan():
    stopping = train.EarlyStopping("score", patience=3)
    scores = iter([math.nan, 0.1, 0.3, 0.2])
    give = train.LambdaCallback(on_epoch_end=lambda epoch, logs: logs.update(score=next(scores)))
    fit(compiled(), give, stopping)
    assert (stopping.best, stopping.best_epoch) == (0.3, 2)


def test_a_fit_that_is_to_stop_ends_after_the_batch():
    model, teller = compiled(), Teller()
    stop = train.LambdaCallback(on_train_batch_end=lambda batch, logs: setattr(model, "stop_training", True))
    assert fit(model, stop, teller, batch_size=30).epoch == [0]
    assert "batch 1" not in teller.told


def test_early_stopping_used_again_begins_anew():
    stopping = train.EarlyStopping("loss", patience=100)
    for _ in range(2):
        model = compiled()
        history = fit(model, stopping, epochs=2)
        assert stopping.best == min(history["loss"])


def test_terminate_on_nan_keeps_the_weights_from_before(capsys):
    model = compiled()
    bad = X.clone()
    loss = lambda output, target: (output * math.nan).mean() if len(output) == 60 else output.mean()  # noqa: E731
    model.compile("adam", loss)
    before = [p.tolist() for p in model.module.parameters()]
    history = model.fit(bad, Y, epochs=5, batch_size=None, callbacks=[train.TerminateOnNaN()], verbose=0)
    assert len(history.epoch) == 1
    assert [p.tolist() for p in model.module.parameters()] == before
    assert "epoch 1, batch 1: the loss is nan" in capsys.readouterr().out


@pytest.mark.parametrize("at", [0, 1])
def test_terminate_on_nan_looks_at_every_accumulated_batch(at):
    model, calls = compiled(), []

    def loss(output, target):
        calls.append(1)
        return output.mean() * (math.nan if len(calls) == at + 1 else 1.0)

    model.compile("adam", loss, gradient_accumulation_steps=2)
    before = [p.tolist() for p in model.module.parameters()]
    fit(model, train.TerminateOnNaN(), batch_size=30, validation_data=None)
    assert len(calls) == 2
    assert [p.tolist() for p in model.module.parameters()] == before


def test_a_loss_that_is_no_number_is_warned_of_once():
    model = train.Model(nn.Linear(2, 3))
    model.compile("sgd", lambda output, target: output.mean() * math.nan)
    with pytest.warns(UserWarning, match="no longer a number") as warned:
        model.fit(X, Y, epochs=4, verbose=0)
    assert len(warned) == 1


# Checkpoints


def test_a_checkpoint_changes_no_number_of_the_fit(tmp_path):
    plain = dict(fit(compiled()))
    assert dict(fit(compiled(), train.ModelCheckpoint(tmp_path / "a"))) == plain


def test_a_resumed_fit_equals_an_unbroken_one_bit_for_bit(tmp_path):
    file = tmp_path / "run" / "last.safetensors"

    def run(*more, resume=None, **options):
        model = compiled(0.2, **options)
        schedule = [] if options else [train.LRScheduler(lr_scheduler.CosineAnnealingLR, T_max=12)]
        callbacks = [
            train.EarlyStopping("val_loss", patience=6),
            *schedule,
            train.ReduceLROnPlateau("loss", patience=2, factor=0.9),
            train.ModelCheckpoint(file),
        ]
        return model, fit(model, *callbacks, *more, epochs=12, resume=resume)

    for options in ({}, {"decay": 0.01, "clip_norm": 0.5}):
        unbroken, expected = run(**options)
        file.unlink()
        with pytest.raises(KeyboardInterrupt):
            run(Breaks(5), **options)
        with pytest.raises(KeyboardInterrupt):
            run(Breaks(8), resume=file, **options)
        model, history = run(resume=file, **options)
        assert dict(history) == dict(expected)
        assert state(model) == state(unbroken)
        again, history = run(resume=file, **options)
        assert dict(history) == dict(expected)
        assert state(again) == state(unbroken)
        assert [group["lr"] for group in again.optimizer.param_groups] == [
            group["lr"] for group in unbroken.optimizer.param_groups
        ]
        file.unlink()


def test_a_fit_that_was_stopped_early_stays_so_when_it_is_resumed(tmp_path):
    callbacks = [
        train.EarlyStopping("loss", patience=1, min_delta=9.0),
        train.ModelCheckpoint(tmp_path / "a", every=50),
    ]
    for ordered in (callbacks, callbacks[::-1]):
        assert fit(compiled(), *ordered, epochs=90).epoch == [0, 1]
        assert fit(compiled(), *ordered, epochs=90, resume=tmp_path / "a").epoch == [0, 1]
        (tmp_path / "a").unlink()


def test_resuming_from_a_file_that_is_not_there_yet_begins(tmp_path):
    assert len(fit(compiled(), resume=tmp_path / "none.safetensors").epoch) == 4


def test_resuming_with_another_network_changes_nothing(tmp_path):
    fit(compiled(), train.ModelCheckpoint(tmp_path / "a.safetensors"))
    other = train.Model(train.mlp([2, 4, 3]))
    other.compile("adam", "categorical_crossentropy")
    before = state(other)
    with pytest.raises(RuntimeError, match="does not fit Sequential"):
        fit(other, resume=tmp_path / "a.safetensors")
    assert state(other) == before


def test_a_saved_model_is_no_checkpoint(tmp_path):
    model = compiled()
    fit(model)
    model.save(tmp_path / "a.safetensors")
    with pytest.raises(ValueError, match="knows of no fit"):
        fit(compiled(), resume=tmp_path / "a.safetensors")


def test_checkpoints_are_named_after_their_epoch_and_written_when_they_should_be(tmp_path):
    fit(compiled(), train.ModelCheckpoint(tmp_path / "{epoch:02d}-{val_loss:.2f}.safetensors", every=3))
    assert sorted(path.name[:3] for path in tmp_path.iterdir()) == ["03-", "04-"]
    model = compiled(0.3)
    history = fit(model, train.ModelCheckpoint(tmp_path / "best", "val_loss", save_best_only=True), epochs=15)
    best = train.Model.load(tmp_path / "best")
    assert best.evaluate(X_VAL, Y_VAL)[0] == pytest.approx(min(history["val_loss"]), rel=1e-5)
    with pytest.raises(KeyError, match="there is epoch, loss, accuracy, val_loss"):
        fit(compiled(), train.ModelCheckpoint(tmp_path / "{recall}"))


def test_a_crash_while_a_checkpoint_is_written_leaves_the_old_one_whole(tmp_path, monkeypatch):
    file = tmp_path / "a.safetensors"
    fit(compiled(), train.ModelCheckpoint(file), epochs=2)
    content = file.read_bytes()

    def full(entries, path, metadata):
        with open(path, "wb") as out:
            out.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("safetensors.numpy.save_file", full)
    model = compiled()
    with pytest.raises(OSError, match="No space left"):
        fit(model, train.ModelCheckpoint(file), epochs=4)
    assert file.read_bytes() == content
    assert [path.name for path in tmp_path.iterdir()] == [file.name]
    assert model.history.epoch == [0]


def test_a_folder_that_cannot_be_written_is_seen_before_training(tmp_path):
    (tmp_path / "file").write_text("")
    model = compiled()
    with pytest.raises(OSError, match="file"):
        fit(model, train.ModelCheckpoint(tmp_path / "file" / "a.safetensors"))
    assert not model.history.epoch


# Learning rates


def test_schedules_set_the_rate_of_each_epoch():
    assert fit(compiled(), train.LearningRateScheduler(lambda e: 0.1 / (e + 1)))["learning_rate"] == [
        0.1,
        0.05,
        pytest.approx(0.1 / 3),
        0.025,
    ]
    halving = fit(compiled(0.4), train.LearningRateScheduler(lambda epoch, rate: rate / 2))
    np.testing.assert_allclose(halving["learning_rate"], [0.2, 0.1, 0.05, 0.025])
    steps = fit(compiled(1.0), train.LRScheduler(lr_scheduler.ExponentialLR, gamma=0.5))
    np.testing.assert_allclose(steps["learning_rate"], [1, 0.5, 0.25, 0.125])
    batches = fit(compiled(1.0), train.LRScheduler(lambda o: lr_scheduler.StepLR(o, 1, 0.5), every="batch"), epochs=1)
    assert batches["learning_rate"] == [0.5**4]
    plateau = train.LRScheduler(lr_scheduler.ReduceLROnPlateau, patience=0, monitor="val_loss")
    assert len(fit(compiled(), plateau)["learning_rate"]) == 4


def test_a_schedule_is_given_the_rate_where_it_asks_for_it():
    def of_a_name(epoch, lr=None):
        return lr / 2

    def rates(schedule):
        return fit(compiled(0.5), train.LearningRateScheduler(schedule), epochs=2)["learning_rate"]

    np.testing.assert_allclose(rates(lambda e, base=0.1: base * 0.5**e), [0.1, 0.05])
    assert rates(lambda e, **options: 0.1) == rates(lambda e, *options: 0.1) == [0.1, 0.1]
    np.testing.assert_allclose(rates(of_a_name), [0.25, 0.125])
    np.testing.assert_allclose(rates(lambda e, r: r / 2), [0.25, 0.125])


def test_a_plateau_lowers_the_rate_as_in_keras():
    model = compiled(0.0)
    ours = fit(model, train.ReduceLROnPlateau("loss", factor=0.5, patience=2, cooldown=1), epochs=2)
    assert ours["learning_rate"] == [0.0, 0.0]
    model.learning_rate = 1.0
    values = [1.0, 0.9, 0.9, 0.9, 0.9, 0.8, 0.8, 0.8, 0.8, 0.8, 0.7]
    callback = train.ReduceLROnPlateau("loss", factor=0.5, patience=2, cooldown=1)
    callback.set_model(model)
    rates = []
    for epoch, value in enumerate(values):
        callback.on_epoch_end(epoch, {"loss": value})
        rates.append(model.learning_rate)
    assert rates == [1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.125, 0.125]
    floor = train.ReduceLROnPlateau("loss", patience=1, min_delta=9.0, min_lr=0.02)
    assert fit(compiled(0.1), floor)["learning_rate"] == [0.1, 0.1, 0.02, 0.02]
    assert fit(compiled(0.01), floor)["learning_rate"] == [0.01] * 4


# Reports


def test_the_csv_file_has_a_row_for_each_epoch_at_once(tmp_path):
    file = tmp_path / "logs" / "log.csv"
    with pytest.raises(KeyboardInterrupt):
        fit(compiled(), train.CSVLogger(file), Breaks(2))
    model = compiled()
    history = fit(model, train.CSVLogger(file))
    with open(file, newline="") as opened:
        rows = list(csv.DictReader(opened))
    assert [row["epoch"] for row in rows] == ["0", "1", "2", "3"]
    assert [float(row["val_loss"]) for row in rows] == history["val_loss"]
    fit(model, train.CSVLogger(file, append=True), epochs=1)
    assert len(file.read_text().splitlines()) == 6
    with pytest.raises(ValueError, match="has the columns epoch, loss"):
        fit(model, train.CSVLogger(file, append=True), epochs=1, validation_data=None)


def test_a_number_that_comes_later_has_no_column(tmp_path):
    late = train.LambdaCallback(on_epoch_end=lambda epoch, logs: logs.update({"late": 1.0} if epoch else {}))
    history = fit(compiled(), late, train.CSVLogger(tmp_path / "log.csv"), epochs=2)
    assert "late" not in (tmp_path / "log.csv").read_text()
    np.testing.assert_equal(history["late"], [math.nan, 1.0])


def test_the_best_epoch_is_the_first_of_equals_and_never_nan():
    history = train.History()
    for epoch, score in enumerate((math.nan, 0.5, 0.25, 0.5, 0.25)):
        history.append(epoch, {"score": score})
    assert (history.best("score"), history.best("score", "max")) == ((2, 0.25), (1, 0.5))
    with pytest.raises(ValueError, match="mode must be 'min' or 'max', not 'maximum'"):
        history.best("score", "maximum")


def test_a_log_file_has_lines_with_numbers_and_time_left(capsys):
    fit(compiled(), epochs=6, verbose=1, print_every=2)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[0] for line in lines] == ["epoch 2/6", "epoch 4/6", "epoch 6/6"]
    assert all("loss " in line and "val_accuracy 0." in line for line in lines)
    assert [line.endswith(" left") for line in lines] == [True, True, False]


def test_about_twenty_lines_come_out_by_themselves(capsys):
    fit(compiled(), epochs=100, verbose=2, batch_size=None, validation_data=None)
    assert len(capsys.readouterr().out.splitlines()) == 20


def test_a_terminal_has_a_bar(monkeypatch, capsys):
    pytest.importorskip("tqdm")
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    fit(compiled(), train.ProgressBar(print_every=2), epochs=4, verbose=1)
    out, err = capsys.readouterr()
    assert "epoch 4/4" in out + err
    assert "16/16" in err
    assert "batch/s" in err


# Mistakes


def test_mistakes_say_what_to_do():
    for build, error, text in (
        (lambda: train.EarlyStopping("val_loss", mode="low"), ValueError, "mode must be"),
        (lambda: train.EarlyStopping(patience=-1), ValueError, "patience must be an int of 0"),
        (lambda: train.EarlyStopping(patience=1.5), TypeError, "patience must be an int of 0"),
        (lambda: train.ModelCheckpoint("a", every=0), ValueError, "every must be an int of 1"),
        (lambda: train.ModelCheckpoint("a", save_best_only=True, every=2), ValueError, "leave every=1"),
        (lambda: train.ReduceLROnPlateau(factor=2.0), ValueError, "between 0 and 1"),
        (lambda: train.LearningRateScheduler(0.1), TypeError, "function of the epoch"),
        (lambda: train.LRScheduler(lr_scheduler.StepLR, every="day"), ValueError, "'epoch' or 'batch'"),
        (lambda: train.LambdaCallback(on_batch=print), TypeError, "no 'on_batch'; the names are on_train_begin"),
        (lambda: train.ProgressBar(print_every=0), ValueError, "print_every must be an int of 1"),
        (lambda: fit(compiled(), train.EarlyStopping), TypeError, r"write EarlyStopping\(...\)"),
        (lambda: fit(compiled(), train.EarlyStopping("val_f1")), KeyError, "no 'val_f1' among loss, accuracy"),
        (lambda: fit(compiled(), train.EarlyStopping(), validation_data=None), KeyError, "give fit validation_data"),
        (
            lambda: fit(compiled(), train.LRScheduler(lr_scheduler.ReduceLROnPlateau), validation_data=None),
            KeyError,
            "LRScheduler: there is no 'val_loss'",
        ),
        (lambda: fit(compiled(), train.LearningRateScheduler(lambda e: "fast")), TypeError, "gave 'fast'"),
        (lambda: fit(compiled(), train.LearningRateScheduler(lambda e: math.inf)), TypeError, "finite .* gave inf"),
        (lambda: fit(compiled(), train.LearningRateScheduler(lambda e: math.nan)), TypeError, "finite .* gave nan"),
        (
            lambda: fit(compiled(decay=0.1), train.LRScheduler(lr_scheduler.StepLR, step_size=1)),
            ValueError,
            "leave one of them out",
        ),
        (
            lambda: train.LRScheduler(lr_scheduler.StepLR(compiled().optimizer, 1)),
            TypeError,
            r"give the class, as in LRScheduler\(StepLR",
        ),
    ):
        with pytest.raises(error, match=text):
            build()


# Odd orders


def test_a_finished_fit_that_is_resumed_predicts(tmp_path):
    fit(compiled(), train.ModelCheckpoint(tmp_path / "a"), epochs=2)
    model = compiled()
    fit(model, epochs=2, resume=tmp_path / "a")
    assert model.predict(X).shape == (60, 3)


def test_a_stopping_used_before_does_not_put_old_weights_back():
    model, stopping = compiled(), train.EarlyStopping("loss", patience=5)
    fit(model, stopping, epochs=2)
    fit(model, epochs=3)
    before = state(model)
    with pytest.raises(KeyboardInterrupt):
        fit(model, train.LambdaCallback(on_train_begin=interrupt), stopping)
    assert state(model) == before


def interrupt(logs=None):
    raise KeyboardInterrupt


def test_an_error_at_the_end_keeps_no_other_callback_from_its_end():
    teller = Teller()
    with pytest.raises(KeyboardInterrupt):
        fit(compiled(), train.LambdaCallback(on_train_end=interrupt), teller)
    assert teller.told[-1] == "end"


def test_a_failed_resume_leaves_the_weights(tmp_path):
    fit(compiled(), train.ModelCheckpoint(tmp_path / "a"))
    model = compiled()
    model.compile("sgd", "categorical_crossentropy", momentum=0.9)
    before = state(model)
    with pytest.raises((ValueError, KeyError, RuntimeError)):
        fit(model, resume=tmp_path / "a")
    assert state(model) == before


def test_a_warm_up_from_nothing_keeps_the_shares_of_layers():
    model = compiled(0.1)
    model.configure("0", learning_rate=1e-4)
    rates = []
    note = train.LambdaCallback(
        on_epoch_end=lambda epoch, logs: rates.append([g["lr"] for g in model.optimizer.param_groups])
    )
    fit(model, train.LearningRateScheduler(lambda epoch: 0.1 * epoch / 2), note, epochs=3)
    np.testing.assert_allclose(rates, [[0, 0], [0.05, 5e-5], [0.1, 1e-4]])


def test_a_warm_up_from_nothing_goes_with_a_decay():
    model = compiled(0.1, decay=0.5)
    history = fit(model, train.LearningRateScheduler(lambda epoch: 0.1 * epoch), epochs=3, batch_size=None)
    np.testing.assert_allclose(history["learning_rate"], [0, 0.1 * 1.5 / 2, 0.2 * 2 / 2.5])  # after the step


def test_a_callback_is_in_one_fit_at_a_time():
    stopping = train.EarlyStopping("loss", patience=1, min_delta=9.0)
    inner = train.LambdaCallback(on_epoch_begin=lambda epoch: fit(compiled(), stopping))
    for _ in range(2):
        with pytest.raises(RuntimeError, match="the EarlyStopping is in another fit, which has not ended"):
            fit(compiled(), stopping, inner)
    assert fit(compiled(), stopping, epochs=9).epoch == [0, 1]


def test_evaluating_in_an_epoch_does_not_disturb_its_metrics():
    plain = fit(compiled(), epochs=1)
    model = compiled()
    look = train.LambdaCallback(on_train_batch_end=lambda batch, logs: model.evaluate(X[:2], Y[:2]))
    assert dict(fit(model, look, epochs=1)) == dict(plain)


def test_an_optimizer_with_a_closure_is_stopped_at_nan_too(capsys):
    model = train.Model(nn.Linear(2, 3))
    model.compile("lbfgs", lambda output, target: output.mean() * math.nan)
    before = state(model)
    assert len(model.fit(X, Y, epochs=5, callbacks=[train.TerminateOnNaN()], verbose=0).epoch) == 1
    assert state(model) == before


def test_a_schedule_steps_as_often_as_the_optimizer():
    model = compiled(1.0, gradient_accumulation_steps=2)
    fit(model, train.LRScheduler(lr_scheduler.StepLR, every="batch", step_size=1, gamma=0.5), epochs=1, batch_size=12)
    assert model.learning_rate == 0.5**3


def test_a_schedule_begins_anew_with_each_fit():
    model, schedule = compiled(1.0), train.LRScheduler(lr_scheduler.ExponentialLR, gamma=0.5)
    assert [fit(model, schedule, epochs=2)["learning_rate"] for _ in range(2)] == [[1.0, 0.5], [1.0, 0.5]]


def test_a_plateau_of_optims_begins_anew_with_each_fit():
    model = compiled(1.0)
    plateau = train.LRScheduler(lr_scheduler.ReduceLROnPlateau, monitor="loss", patience=0, threshold=9.0)
    rates = [fit(model, plateau, epochs=3)["learning_rate"] for _ in range(2)]
    assert rates[0] == rates[1] == pytest.approx([1.0, 0.1, 0.01])


def test_a_folder_may_have_the_epoch_in_its_name(tmp_path):
    fit(compiled(), train.ModelCheckpoint(tmp_path / "run-{epoch}" / "model"), epochs=2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run-1", "run-2"]


def test_a_copy_that_a_callback_makes_is_in_no_fit():
    copies = []
    keep = train.LambdaCallback(on_epoch_end=lambda epoch, logs: copies.append(copy.deepcopy(made)))
    made = compiled()
    fit(made, keep, epochs=1)
    copies[0].fit(X, Y, verbose=0)
    assert len(copies[0].history.epoch) == 1


def test_a_checkpoint_makes_a_folder_where_it_writes_a_file(tmp_path):
    checkpoint = train.ModelCheckpoint(str(tmp_path / "{epoch}" / "m.safetensors"), every=3)
    fit(compiled(), checkpoint, epochs=6)
    assert len(list(tmp_path.iterdir())) == len(list(tmp_path.glob("*/m.safetensors"))) == 2


def test_a_rate_that_is_set_between_two_fits_is_where_a_schedule_begins():
    made = compiled(0.1)
    for rate in (0.1, 0.005):
        made.learning_rate = rate
        steps = train.LRScheduler(lr_scheduler.StepLR, step_size=1)
        history = fit(made, steps, epochs=2)
        assert history["learning_rate"][-2:] == pytest.approx([rate, rate / 10])
