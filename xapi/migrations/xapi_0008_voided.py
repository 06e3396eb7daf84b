"""an index of the voided statements: looking one up no longer reads the statement"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "xapi_0008"
down_revision = "xapi_0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_index(
        "ix_xapi_statement_voided",
        "xapi_statement",
        ["id"],
        unique=False,
        sqlite_where=sa.text("voided"),
        postgresql_where=sa.text("voided"),
    )


def downgrade() -> None:
    """Take back."""
    op.drop_index("ix_xapi_statement_voided", table_name="xapi_statement")
