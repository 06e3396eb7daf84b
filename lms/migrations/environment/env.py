"""Alembic's environment: runs migrations over the app's own engine, in one transaction each."""

from alembic import context

from lms.db import Base, db, writing

with writing(True), db.engine.connect() as connection:
    sqlite = connection.dialect.name == "sqlite"
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=sqlite,
        transaction_per_migration=True,
        compare_type=True,
        **{
            key: context.config.attributes[key]
            for key in ("include_name", "include_object")
            if key in context.config.attributes
        },
    )
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
