"""The courses' step of the story: who learns when, card by card, through the player's services."""

from __future__ import annotations

import datetime as dt
import random

from flask import url_for
from sqlalchemy import select

from courses.blocks.content import Content, get_content
from courses.catalogue.models import Course
from courses.catalogue.services import find_course
from courses.exchange.library import load_library
from courses.paths.cycles import begin, present_cycle
from courses.paths.enrolment import enrol, enrol_by_rule, find_enrolments
from courses.paths.models import Path, PathCourse
from courses.progress import services
from courses.progress.models import Attempt, Completion
from lms.db import db, transaction
from lms.demo.company import LEARNER, SEED, Member
from lms.demo.stage import Stage
from lms.people.models import Person

FIRST_PATH = "first-30-days"
SECOND_PATH = "community-manager"  # what the demo's own learner chose to go on with
RIGHT_AT_FIRST = 0.85
SECONDS_A_CARD = (12, 45)


class LearningStep:
    """Trained people take their courses a lesson at a time; the others never begin."""

    def prepare(self, stage: Stage) -> None:
        """Bring in the library that ships, and enrol everybody whom a path is for."""
        self.dice = random.Random(SEED)  # noqa: S311 - a story
        load_library()
        enrol_by_rule()
        # The network is new to everybody: at its launch the first path is for all of the staff.
        with transaction() as session:
            path = session.scalars(select(Path).where(Path.slug == FIRST_PATH)).one()
            here = [one for one in stage.company.members if one.hired_on <= stage.first_day]
            enrol(path, [stage.person_ids[member.key] for member in here])

    def day(self, stage: Stage, number: int) -> None:
        """Let those who learn today do a lesson; note who has finished a path."""
        enrol_by_rule()
        for member in stage.company.members:
            if member.trained_from is None or number < member.trained_from:
                continue
            if member.name == LEARNER or self.dice.random() < member.diligence:
                hour = self.dice.choice((6.5, 7.2, 12.1, 12.6, 16.4, 19.5))
                stage.set_clock(stage.moment(number, hour + self.dice.random() / 3))
                lessons = 1 if member.name == LEARNER else self.dice.choice((1, 1, 2))
                for _lesson in range(lessons):
                    self._learn(stage, member, stage.person_ids[member.key])
        keys = {person_id: key for key, person_id in stage.person_ids.items()}
        with transaction() as session:
            done = session.scalars(
                select(Completion.person_id).where(Completion.target.startswith("path/"))
            ).all()
            if stage.person_ids[stage.key_of(LEARNER)] in done:
                path = session.scalars(select(Path).where(Path.slug == SECOND_PATH)).one()
                enrol(path, [stage.person_ids[stage.key_of(LEARNER)]])
        for person_id in done:
            stage.trained_on.setdefault(keys[person_id], number)

    def _learn(self, stage: Stage, member: Member, person_id: int) -> None:
        """Walk one lesson; the demo's own learner is left in the middle of one at the end."""
        with transaction(reads_first=True):  # as a request does
            person = db.session.get_one(Person, person_id)
            course = self._next_course(person)
            if course is None:
                return
            attempt = begin(person, course)
            content = get_content(attempt.version_id)
            lesson = content.lesson_of[attempt.card_id]
            last_day = stage.first_day + dt.timedelta(days=stage.company.days - 1)
            stop_after = 3 if member.name == LEARNER and stage.today() == last_day else None
            card: str | None = attempt.card_id
            walked = 0
            while card is not None and content.lesson_of[card] == lesson:
                if stop_after is not None and walked == stop_after:
                    break
                card = self._card(stage, person, attempt, content, card)
                walked += 1

    def _card(
        self, stage: Stage, person: Person, attempt: Attempt, content: Content, card: str
    ) -> str | None:
        stage.pass_time(self.dice.uniform(*SECONDS_A_CARD))
        if content.asks(card):
            options = content.cards[card].data["options"]
            right = [str(number) for number, one in enumerate(options) if one["right"]]
            wrong = [str(number) for number, one in enumerate(options) if not one["right"]]
            well = self.dice.random() < RIGHT_AT_FIRST
            services.answer(person, attempt, card, right if well else [self.dice.choice(wrong)])
        return services.move_on(person, attempt, card)

    def _next_course(self, person: Person) -> Course | None:
        for _enrolment, path in find_enrolments(person.id):
            courses = db.session.scalars(
                select(Course)
                .join(PathCourse, PathCourse.course_id == Course.id)
                .where(PathCourse.path_id == path.id)
                .order_by(PathCourse.position)
            )
            for course in courses:
                cycle = present_cycle(person.id, course.id)
                if services.completed_at(person.id, f"course/{course.slug}", cycle) is None:
                    return course
        return None

    def finish(self, stage: Stage) -> None:
        """Say where the learner's pages are."""
        key = stage.key_of(LEARNER)
        attempt = db.session.scalars(
            select(Attempt)
            .where(Attempt.person_id == stage.person_ids[key])
            .order_by(Attempt.id.desc())
        ).first()
        path = db.session.scalar(select(Path).where(Path.slug == SECOND_PATH))
        if attempt is None or path is None:
            return
        content = get_content(attempt.version_id)
        question = next(card for card in content.order if content.asks(card))
        course = find_course(content.slug)
        assert course is not None  # noqa: S101 - it has just been learned from
        with stage.app.test_request_context():
            stage.pages["path"] = url_for("courses.path", slug=path.slug)
            for name, card in (("lesson", attempt.card_id), ("quiz", question)):
                stage.pages[name] = url_for(
                    "courses.card",
                    slug=content.slug,
                    lesson=content.lesson_of[card],
                    card_id=card,
                )
        finished = db.session.query(Completion).count()
        stage.say(f"{finished} courses and paths completed")
