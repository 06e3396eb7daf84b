"""cycles: the same path or course again, next year"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "courses_0004"
down_revision = "courses_0003"
branch_labels = None
depends_on = None

OPEN = sa.text("ended_at IS NULL")
UNIQUE = {
    "courses_enrolment": ("person_id", "path_id"),
    "courses_completion": ("person_id", "target"),
}


def upgrade() -> None:
    """Apply. What is there belongs to the first cycle, which has no name."""
    op.add_column("courses_attempt", _cycle())
    for table, columns in UNIQUE.items():
        name = f"uq_{table}_{'_'.join(columns)}"
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.add_column(_cycle())
            batch_op.drop_constraint(op.f(name), type_="unique")
            batch_op.create_unique_constraint(op.f(f"{name}_cycle"), [*columns, "cycle"])
    op.create_index(
        "uq_courses_enrolment_open",
        "courses_enrolment",
        ["person_id", "path_id"],
        unique=True,
        sqlite_where=OPEN,
        postgresql_where=OPEN,
    )


def downgrade() -> None:
    """Take back. Of enrolments the last cycle is kept, of completions the first."""
    op.drop_index("uq_courses_enrolment_open", table_name="courses_enrolment")
    op.execute(
        "DELETE FROM courses_enrolment WHERE EXISTS (SELECT 1 FROM courses_enrolment AS later"
        " WHERE later.person_id = courses_enrolment.person_id"
        " AND later.path_id = courses_enrolment.path_id AND later.cycle > courses_enrolment.cycle)"
    )
    op.execute(
        "DELETE FROM courses_completion WHERE EXISTS (SELECT 1 FROM courses_completion AS earlier"
        " WHERE earlier.person_id = courses_completion.person_id"
        " AND earlier.target = courses_completion.target"
        " AND earlier.cycle < courses_completion.cycle)"
    )
    for table, columns in UNIQUE.items():
        name = f"uq_{table}_{'_'.join(columns)}"
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.drop_constraint(op.f(f"{name}_cycle"), type_="unique")
            batch_op.drop_column("cycle")
            batch_op.create_unique_constraint(op.f(name), list(columns))
    with op.batch_alter_table("courses_attempt", schema=None) as batch_op:
        batch_op.drop_column("cycle")


def _cycle() -> sa.Column[str]:
    return sa.Column("cycle", sa.String(length=20), nullable=False, server_default="")
