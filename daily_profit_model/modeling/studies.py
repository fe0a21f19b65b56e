"""Where the trials of a tuning are kept while it goes on: memory, an SQLite file, or PostgreSQL.

Here: opening a study so that one process at a time works on it. What is tried, and what counts, is `tuning`'s.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import filelock

from daily_profit_model.cache.lock import exclusive

if TYPE_CHECKING:
    from optuna.storages import BaseStorage
    from optuna.study import Study

POSTGRESQL_SCHEMA = "tuning"
"""Optuna makes its own tables; in a schema of their own they cannot meet anybody else's."""


class StudyInUse(Exception):
    """Another process works on the study."""


class NoDatabase(Exception):
    """DPM_DATABASE_URL is set, and the database cannot be reached, or what talks to it is not installed."""


@dataclass(frozen=True)
class StudyStore:
    """A folder for a file a study; with `database_url` a PostgreSQL database instead."""

    folder: Path
    database_url: str = field(default="", repr=False)
    """postgresql://…; it holds a password."""


@contextmanager
def opened(store: StudyStore | None, name: str) -> Iterator[Study]:
    """The study `name`, new or as it was left; None keeps it in memory.

    Raises StudyInUse when another process has it open (a killed one has not), NoDatabase without the database.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with _storage(store, name) as storage, warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        yield optuna.create_study(study_name=name, storage=storage, direction="minimize", load_if_exists=True)


@contextmanager
def _storage(store: StudyStore | None, name: str) -> Iterator[BaseStorage]:
    from optuna.storages import InMemoryStorage, RDBStorage

    if store is None:
        yield InMemoryStorage()
        return
    with _held_in_database(store, name) if store.database_url else _held_in_folder(store, name) as (url, options):
        storage = RDBStorage(url, engine_kwargs=options)
        try:
            yield storage
        finally:
            storage.remove_session()
            storage.engine.dispose()


@contextmanager
def _held_in_folder(store: StudyStore, name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    path = store.folder / f"{name}.db"
    with ExitStack() as held:
        try:
            held.enter_context(exclusive(path.with_suffix(".lock"), wait=False))
        except filelock.Timeout:
            raise _in_use(name) from None
        yield f"sqlite:///{path.resolve()}", {}


@contextmanager
def _held_in_database(store: StudyStore, name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """A lock of the session's, which goes with its process; so that any machine may go on with the study."""
    import sqlalchemy

    try:
        url = sqlalchemy.make_url(store.database_url).set(drivername="postgresql+psycopg")
        options = {"connect_args": {"options": f"-csearch_path={POSTGRESQL_SCHEMA}"}}
        engine = sqlalchemy.create_engine(url, **options)
    except ModuleNotFoundError as error:
        raise NoDatabase(
            "DPM_DATABASE_URL is set, but psycopg is not installed: uv sync --extra postgresql, or unset it"
        ) from error
    try:
        try:
            connection = engine.connect()
        except sqlalchemy.exc.OperationalError as error:
            raise NoDatabase(f"DPM_DATABASE_URL cannot be reached: {error.orig}") from error
        with connection as session:
            session.execute(sqlalchemy.text(f"create schema if not exists {POSTGRESQL_SCHEMA}"))
            session.commit()
            locked = sqlalchemy.text("select pg_try_advisory_lock(hashtextextended(:name, 0))")
            if not session.execute(locked, {"name": name}).scalar():
                raise _in_use(name)
            session.commit()
            yield url.render_as_string(hide_password=False), options
    finally:
        engine.dispose()


def _in_use(name: str) -> StudyInUse:
    return StudyInUse(f"another process is tuning {name}: wait until it ends, or stop it and start again")
