"""The database: one pool for the process."""

import logging

from sqlalchemy import create_engine, text
from sqlalchemy.exc import SQLAlchemyError

log = logging.getLogger(__name__)


def driver_url(url: str) -> str:
    """`postgres://` and `postgresql://` as other tools write them, with the driver that SQLAlchemy is to use."""
    for prefix in ("postgresql://", "postgres://"):
        if url.startswith(prefix):
            return "postgresql+psycopg://" + url.removeprefix(prefix)
    return url


class Database:
    def __init__(self, url: str) -> None:
        # pre_ping: a connection that a failover broke is replaced instead of failing the next request.
        # The pool times the number of instances must stay below what the server allows (max_connections).
        self.engine = create_engine(
            driver_url(url),
            pool_pre_ping=True,
            pool_size=5,
            max_overflow=5,
            pool_timeout=5,
            connect_args={"connect_timeout": 3},
        )

    def answers(self) -> bool:
        try:
            with self.engine.connect() as connection:
                connection.execute(text("SELECT 1"))
            return True
        except SQLAlchemyError as error:
            # The class only: the text of the error can hold the address of the database.
            log.warning("database does not answer", extra={"error": type(error).__name__})
            return False

    def close(self) -> None:
        self.engine.dispose()
