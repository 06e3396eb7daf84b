"""Halden Freight: a plainly invented company of 120 people in three levels and eight roles.

Pure and seeded: the same seed gives the same people. Nobody here exists.
"""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass

SEED = 2026
STAFF = 100

# The four whose pages the demo opens, and three colleagues the guides mention.
LEARNER = "Imani Okafor"
AUTHOR = "Priya Raman"
MANAGER = "Ingrid Solberg"
ADMINISTRATOR = "Viktor Lindqvist"
COLLEAGUES = ("Tomasz Wrona", "Leila Haddad", "Jonas Brandt")
LEADING_TEAM = "Customer Care"
LEADING_TEAM_SIZE = 20
LEARNER_BEGINS = 10
LEARNER_AGE_DAYS = 24  # her first path is behind her, the second has begun

ROLES = (
    "executive",
    "people manager",
    "community manager",
    "driver",
    "dispatcher",
    "warehouse associate",
    "customer adviser",
    "systems engineer",
)

# Departments, each with an executive, and their teams with the role of those who work there.
DEPARTMENTS: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    (
        "Road Operations",
        (
            ("Drivers North", "driver"),
            ("Drivers South", "driver"),
            ("Drivers Coast", "driver"),
            ("Dispatch", "dispatcher"),
        ),
    ),
    (
        "Warehouses",
        (
            ("Halden Hub", "warehouse associate"),
            ("Moss Terminal", "warehouse associate"),
            ("Cold Store", "warehouse associate"),
        ),
    ),
    (
        "Customers",
        (
            (LEADING_TEAM, "customer adviser"),
            ("Claims", "customer adviser"),
            ("Key Accounts", "customer adviser"),
        ),
    ),
    (
        "Technology",
        (("Fleet Systems", "systems engineer"), ("Workplace Systems", "systems engineer")),
    ),
    (
        "People and Communication",
        (
            ("Learning", "community manager"),
            ("Communication", "community manager"),
            ("Planning Office", "dispatcher"),
        ),
    ),
)

GIVEN_NAMES = [
    "Imani",
    "Tomasz",
    "Leila",
    "Jonas",
    "Priya",
    "Mateo",
    "Ingrid",
    "Kofi",
    "Yara",
    "Anders",
    "Mei",
    "Rafael",
    "Sanna",
    "Omar",
    "Elif",
    "Henrik",
    "Amara",
    "Luca",
    "Noor",
    "Viktor",
    "Chiara",
    "Emeka",
    "Freya",
    "Hassan",
    "Ines",
    "Jakub",
    "Kaia",
    "Liam",
    "Marit",
    "Nikolai",
    "Olena",
    "Pedro",
    "Ruth",
    "Selma",
    "Thabo",
    "Una",
    "Vera",
    "Wanjiru",
    "Xavier",
    "Ylva",
    "Zofia",
    "Bastian",
    "Camila",
    "Dario",
    "Edda",
    "Farid",
    "Greta",
    "Hugo",
    "Isra",
    "Jelena",
    "Karim",
    "Linnea",
    "Malik",
    "Nadia",
    "Oskar",
    "Paloma",
    "Quentin",
    "Rosa",
    "Stellan",
    "Tiril",
]
FAMILY_NAMES = [
    "Okafor",
    "Wrona",
    "Haddad",
    "Brandt",
    "Raman",
    "Ibarra",
    "Solberg",
    "Mensah",
    "Khalil",
    "Lindqvist",
    "Tanaka",
    "Duarte",
    "Virtanen",
    "Farouk",
    "Demir",
    "Aasen",
    "Nwosu",
    "Moretti",
    "Rahimi",
    "Petrov",
    "Bianchi",
    "Eze",
    "Dahl",
    "Mansour",
    "Carvalho",
    "Nowak",
    "Berge",
    "Murphy",
    "Hauge",
    "Sidorov",
    "Melnyk",
    "Castro",
    "Adler",
    "Begum",
    "Dlamini",
    "Byrne",
    "Kovacs",
    "Njoroge",
    "Laurent",
    "Ekman",
    "Zielinska",
    "Vogel",
    "Rojas",
    "Ferri",
    "Winter",
    "Azizi",
    "Keller",
    "Fontaine",
    "Saleh",
    "Markovic",
    "Toure",
    "Holm",
    "Osei",
    "Popescu",
]

# How somebody behaves in the network once they know how; shares of the staff, in percent.
# Names of the five are in common use; the shares are this story's own.
PERSONAS = {"engager": 18, "catalyst": 12, "responder": 15, "broadcaster": 8, "observer": 47}


@dataclass(frozen=True, slots=True)
class Member:
    """One invented employee. `key` is the employee number; `manager` the manager's key."""

    key: str
    name: str
    role: str
    unit: str
    manager: str | None
    hired_on: dt.date
    persona: str
    trained_from: int | None  # day of the story on which the courses are begun; None: never
    diligence: float  # 0 to 1: how likely they learn on a given day
    phone: float  # share of acts from a phone

    @property
    def email(self) -> str:
        """An address under a name that can never be delivered to (RFC 2606)."""
        return f"{self.name.lower().replace(' ', '.')}@halden-freight.example"


@dataclass(frozen=True, slots=True)
class Company:
    """The people, and the tree of departments as (name, parent)."""

    members: tuple[Member, ...]
    units: tuple[tuple[str, str | None], ...]
    days: int

    def by_key(self) -> dict[str, Member]:
        """Return the members by employee number."""
        return {member.key: member for member in self.members}


def make_company(today: dt.date, days: int = 60, seed: int = SEED) -> Company:
    """Return the company as it is `today`, at the end of a story of `days` days."""
    story = _Story(random.Random(seed), today, days)  # noqa: S311 - a story, not a secret
    units: list[tuple[str, str | None]] = [(name, None) for name, _teams in DEPARTMENTS]
    executives = {name: story.hire("executive", name, None) for name, _teams in DEPARTMENTS}
    leads: list[tuple[Member, str, str]] = []
    for department, teams in DEPARTMENTS:
        for team, role in teams:
            units.append((team, department))
            name = MANAGER if team == LEADING_TEAM else None
            lead = story.hire("people manager", team, executives[department], name=name)
            leads.append((lead, team, role))
    # The leading team is larger than the others, so that its manager's page has something to say.
    places = [lead for lead in leads if lead[1] == LEADING_TEAM] * (LEADING_TEAM_SIZE - 6)
    places += [leads[number % len(leads)] for number in range(STAFF - len(places))]
    cast = {
        LEADING_TEAM: [LEARNER, *COLLEAGUES],
        "Learning": [AUTHOR],
        "Workplace Systems": [ADMINISTRATOR],
    }
    for lead, team, role in places:
        waiting = cast.get(team, [])
        story.hire(role, team, lead, name=waiting.pop(0) if waiting else None)
    return Company(tuple(story.members), tuple(units), days)


class _Story:
    """The dice, the names that are left, and the members so far."""

    def __init__(self, dice: random.Random, today: dt.date, days: int) -> None:
        self.dice, self.today, self.days = dice, today, days
        self.members: list[Member] = []
        cast = {MANAGER, LEARNER, AUTHOR, ADMINISTRATOR, *COLLEAGUES}
        pairs = [f"{given} {family}" for given in GIVEN_NAMES for family in FAMILY_NAMES]
        dice.shuffle(pairs)
        self.names = (pair for pair in pairs if pair not in cast)

    def hire(self, role: str, unit: str, boss: Member | None, name: str | None = None) -> Member:
        """Add one member, with a character of their own."""
        dice, days = self.dice, self.days
        newcomer = name in (LEARNER, *COLLEAGUES) or (
            role not in {"executive", "people manager"} and dice.random() < 0.3
        )
        age = dice.randint(4, days - 2) if newcomer else dice.randint(200, 4000)
        age = LEARNER_AGE_DAYS if name == LEARNER else age
        # Middle managers lag (Altimeter, 2018): fewer of them train, and later.
        share = {"executive": 0.8, "people manager": 0.5}.get(role, 0.62)
        start = max(0, days - age) if newcomer else 0
        trained = start + dice.randint(1, 20) if dice.random() < share else None
        if name in (LEARNER, MANAGER, AUTHOR):
            trained = start + (LEARNER_BEGINS if name == LEARNER else 1)
        hands = role in {"driver", "warehouse associate"} or name == LEARNER
        member = Member(
            key=f"HF{1001 + len(self.members)}",
            name=name or next(self.names),
            role=role,
            unit=unit,
            manager=boss.key if boss else None,
            hired_on=self.today - dt.timedelta(days=age),
            persona="engager" if name == LEARNER else self._persona(),
            trained_from=trained,
            diligence=dice.uniform(0.25, 0.9),
            phone=dice.uniform(0.6, 0.95) if hands else dice.uniform(0.15, 0.5),
        )
        self.members.append(member)
        return member

    def _persona(self) -> str:
        return self.dice.choices(list(PERSONAS), weights=list(PERSONAS.values()))[0]
