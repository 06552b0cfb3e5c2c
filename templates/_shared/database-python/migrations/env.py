"""How alembic reaches the database. One migration at a time: an advisory lock makes a second one wait."""

from alembic import context
from sqlalchemy import create_engine, pool, text

from app.database import driver_url
from app.logs import set_up_logs
from app.settings import Settings

# Any number, the same in every release of this service.
LOCK = 7_301_944

settings = Settings()
set_up_logs(settings.log_level)


def run() -> None:
    engine = create_engine(driver_url(settings.database_url.get_secret_value()), poolclass=pool.NullPool)
    with engine.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(:lock)").bindparams(lock=LOCK))
        # A statement that waits for a lock makes every request behind it wait: rather fail, and be tried again.
        connection.execute(text("SET lock_timeout = '5s'"))
        connection.commit()
        context.configure(connection=connection, transaction_per_migration=True)
        with context.begin_transaction():
            context.run_migrations()


if context.is_offline_mode():
    raise SystemExit("offline migrations (--sql) are not supported: run against a database")
run()
