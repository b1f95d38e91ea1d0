"""Run: a run of MLflow that is written to through a client of its own, and that outlasts a server that is away."""

from __future__ import annotations

import os
import posixpath
import re
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import tensorgrad
from tensorgrad.utils.stores import alone

_SECONDS = 1.0  # between two writings of numbers: a write takes milliseconds, and an epoch may take less
_PAUSE = 60.0  # seconds until what failed is tried again
_BATCH = {"metrics": 1000, "params": 100}  # what MLflow takes at once


@contextmanager
def quiet() -> Iterator[None]:
    """Without the warnings of MLflow's insides and of what it calls: its users can do nothing about them."""
    with warnings.catch_warnings():
        for category in (DeprecationWarning, PendingDeprecationWarning, FutureWarning):
            warnings.simplefilter("ignore", category)
        warnings.filterwarnings("ignore", module="mlflow")
        yield


def mlflow(name: str) -> ModuleType:
    """MLflow, for what has a name. Raises `ImportError` where it is not installed."""
    try:
        with quiet():
            import mlflow
    except ImportError as error:
        raise ImportError(f"{name} needs MLflow: pip install mlflow") from error
    return mlflow


class Run:
    """A run of MLflow, begun by `open` and ended by `finish`.

    It is the run of `run_id`, which with `or_new` need not be there any more; else that which the user has opened with
    `mlflow.start_run`, which is left open; else a new one in `experiment`, below the run `nested` (True: that which is
    open). What is to be written waits in line. When writing fails, there is a warning, the line grows, and it is tried
    again each minute and in `finish`; with `strict` the error is raised.
    """

    def __init__(
        self,
        experiment: str | None = None,
        name: str | None = None,
        *,
        run_id: str | None = None,
        or_new: bool = False,
        nested: bool | str = False,
        tracking_uri: str | None = None,
        tags: Mapping[str, Any] | None = None,
        strict: bool = False,
    ) -> None:
        self.experiment, self.name, self.run_id, self.nested = experiment, name, run_id, nested
        self.tags, self.strict, self.or_new = dict(tags or {}), strict, or_new
        self.mlflow = mlflow("MLflowLogger")
        self.tracking_uri: str = tracking_uri or self.mlflow.get_tracking_uri()
        self.joined = self.away = False
        self.client: Any = None
        self._line: list[Callable[[], object]] = []
        self._numbers: list[Any] = []
        self._written = self._pause = 0.0

    # The line

    def do(self, step: Callable[[], object]) -> None:
        """Do something with the run, now or, where MLflow is away, later."""
        self._line.append(step)
        if time.time() < self._pause:
            return
        try:
            with quiet():
                _must_answer(self.tracking_uri)
                while self._line:
                    self._line[0]()
                    del self._line[0]
            self.away = False
        except Exception as error:
            if self.strict:
                self._line.clear()
                raise
            if not self.away:
                warnings.warn(
                    f"tracking failed ({_told(error)}); the fit goes on, and what could not be written is tried again, "
                    f"at the latest at its end",
                    stacklevel=2,
                )
            self.away, self._pause = True, time.time() + _PAUSE

    def _do_again(self) -> None:
        """Do what is left in the line, each step by itself, for as long as there is an answer."""
        line, self._line = self._line, []
        lost: list[Exception] = []
        for step in line:
            try:
                with quiet():
                    _must_answer(self.tracking_uri)
                    step()
            except Exception as error:
                lost.append(error)
                if not self._answers():
                    break
        if lost:
            where = "" if self.run_id is None else f", and the run {self.run_id} is not complete"
            warnings.warn(f"tracking failed again{where}: {_told(lost[0])}", stacklevel=2)

    def _answers(self) -> bool:
        if self.client is None:
            return False
        try:
            _must_answer(self.tracking_uri)
        except Exception:
            return False
        return True

    # What there is to do

    def open(self) -> None:
        """Begin the run, or go on with it."""
        self.do(self._open)

    def _open(self) -> None:
        active = self.mlflow.active_run()
        with alone(self.tracking_uri):
            client = self.mlflow.MlflowClient(self.tracking_uri)  # which makes the tables of a new store
        if self.run_id is not None and self._is_there(client):
            self.joined = active is not None and active.info.run_id == self.run_id
            client.update_run(self.run_id, status="RUNNING")
        elif active is not None and not self.nested and client.tracking_uri == self.mlflow.get_tracking_uri():
            self.run_id, self.joined = active.info.run_id, True
        else:
            self.run_id = self._created(client, active)
        self.client = client
        if self.tags:
            tags = [self.mlflow.entities.RunTag(_key(key), str(value)) for key, value in self.tags.items()]
            client.log_batch(self.run_id, tags=tags)

    def _is_there(self, client: Any) -> bool:
        from mlflow.exceptions import MlflowException

        try:
            run = client.get_run(self.run_id)
        except MlflowException as error:
            if not self.or_new or error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            return False
        return not (self.or_new and run.info.lifecycle_stage == "deleted")

    def _created(self, client: Any, active: Any) -> str:
        from mlflow.tracking.context.registry import resolve_tags

        tags = {"tensorgrad.version": tensorgrad.__version__}
        if self.nested:
            if self.nested is True and active is None:
                raise ValueError("nested=True puts a run below the one that is open, and none is: see mlflow.start_run")
            tags["mlflow.parentRunId"] = active.info.run_id if self.nested is True else self.nested
        experiment = _experiment(client, self.experiment)
        return client.create_run(experiment, tags=resolve_tags(tags), run_name=self.name).info.run_id

    def put_params(self, params: Mapping[str, Any]) -> None:
        """Write parameters now; those that the run has already stay as they are, since MLflow has them written once."""
        there = self.client.get_run(self.run_id).data.params
        entity = self.mlflow.entities.Param
        self._in_batches("params", [entity(_key(n), str(x)) for n, x in params.items() if _key(n) not in there])

    def write(self, numbers: Mapping[str, float], step: int) -> None:
        """Have numbers of a step written, together with those of others where steps are short."""
        now = time.time()
        entity = self.mlflow.entities.Metric
        self._numbers += [entity(_key(name), float(x), int(now * 1000), step) for name, x in numbers.items()]
        if now - self._written > _SECONDS:
            self.send()

    def send(self) -> None:
        """Write all numbers that wait."""
        numbers, self._numbers = self._numbers, []
        if numbers:
            self.do(lambda: self._in_batches("metrics", numbers))
            self._written = time.time()

    def _in_batches(self, kind: str, entities: list[Any]) -> None:
        size = _BATCH[kind]
        for i in range(0, len(entities), size):
            self.client.log_batch(self.run_id, **{kind: entities[i : i + size]})

    def finish(self, status: str = "FINISHED") -> None:
        """Write what is left, and end the run unless it is the user's."""
        if self.client is None and not self.away:
            return
        self.send()

        def end() -> None:
            if not self.joined:
                self.client.set_terminated(self.run_id, status)

        self.do(end)
        if self.away:
            self._do_again()


def _told(error: Exception) -> str:
    text = str(error).strip().split("\n")[0]
    return f"{type(error).__name__}: {text[:300]}"


def _key(name: Any) -> str:
    """A name as MLflow takes it: one that could be the path of a file, of at most 250 letters."""
    key = re.sub(r"[^\w\-./: ]", "_", str(name))[:250]
    plain = posixpath.normpath(key)
    if plain != key or plain.startswith((".", "/")):
        key = re.sub(r"^\.+|/", "_", key) or "_"
    return key


def _must_answer(uri: str) -> None:
    """Ask a server for a sign of life: MLflow by itself would wait some minutes for one that is away."""
    if uri.startswith("http"):
        import requests

        requests.head(uri, timeout=10)


def _experiment(client: Any, name: str | None) -> str:
    """The number of an experiment, which is made where it is not there."""
    if name is None and os.environ.get("MLFLOW_EXPERIMENT_ID"):
        return os.environ["MLFLOW_EXPERIMENT_ID"]  # mlflow.set_experiment sets it as well
    name = name or os.environ.get("MLFLOW_EXPERIMENT_NAME") or "tensorgrad"
    found = client.get_experiment_by_name(name)
    if found is None:
        from mlflow.exceptions import MlflowException

        try:
            return client.create_experiment(name, _beside(client.tracking_uri))
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        found = client.get_experiment_by_name(name)  # another process was quicker
    return found.experiment_id


def _beside(uri: str) -> str | None:
    """The folder of files of an SQLite store: beside the database, where MLflow would take the working directory."""
    if not uri.startswith("sqlite:///"):
        return None
    database = Path(uri.removeprefix("sqlite:///").partition("?")[0])
    return (database.absolute().parent / "mlruns").as_uri()
