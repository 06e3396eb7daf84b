"""Use cases and the business objectives they serve.

Networks die when nobody can say what they are for. Every path names a use case ("Find who knows"),
the objective it serves ("Customers are answered the same day") and who owns it; the adoption page
reads them here.
"""

from __future__ import annotations

from sqlalchemy import String, Text, select
from sqlalchemy.orm import Mapped, mapped_column

from lms.db import Model, db


class Objective(Model):
    """One use case with the business objective that it serves."""

    __tablename__ = "lms_objective"

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(80), unique=True)
    use_case: Mapped[str] = mapped_column(String(200))
    business_objective: Mapped[str] = mapped_column(Text)
    owner_title: Mapped[str] = mapped_column(String(120), default="")


def declare(slug: str, use_case: str, business_objective: str, owner_title: str = "") -> Objective:
    """Create or update the objective named `slug`, and return it."""
    found = find_objective(slug)
    objective = found or Objective(slug=slug)
    objective.use_case = use_case
    objective.business_objective = business_objective
    objective.owner_title = owner_title
    if found is None:
        db.session.add(objective)
    return objective


def find_objective(slug: str) -> Objective | None:
    """Return the objective named `slug`, or None."""
    return db.session.scalar(select(Objective).where(Objective.slug == slug))
