"""The certificates' step of the story: the shipped rules, and where the learner's pages are."""

from __future__ import annotations

from flask import url_for
from sqlalchemy import func, select

from certificates.evaluation import run_library
from certificates.models import Award
from lms.db import db
from lms.demo.company import LEARNER
from lms.demo.stage import Stage

FIRST_CERTIFICATE = "connected-colleague"


class CertificateStep:
    """Awards come by themselves, from what people do in the other steps."""

    def prepare(self, stage: Stage) -> None:
        """Publish the rules that ship."""
        run_library()

    def day(self, stage: Stage, number: int) -> None:
        """Nothing is given by hand: the jobs evaluate what the day brought."""

    def finish(self, stage: Stage) -> None:
        """Say where the learner's certificate is."""
        award = db.session.scalars(
            select(Award)
            .where(Award.person_id == stage.person_ids[stage.key_of(LEARNER)])
            .order_by(Award.id)
        ).first()
        with stage.app.test_request_context():
            stage.pages["certificate"] = url_for("certificates.earn", slug=FIRST_CERTIFICATE)
            if award is not None:
                stage.pages["certificate"] = url_for("certificates.award", award_uid=award.uid)
                stage.pages["certificate_pdf"] = url_for("certificates.paper", award_uid=award.uid)
                stage.pages["verify"] = url_for("certificates_verify.show", code=award.code)
        stage.say(f"{db.session.scalar(select(func.count(Award.id)))} certificates earned")
