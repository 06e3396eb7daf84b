"""A path as a text file: front matter, and a description below it. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from courses.catalogue.document import is_slug
from courses.exchange import front
from courses.exchange.front import CourseTextError, Key

PATH_KEYS = {
    "title": Key(str, required=True, most=200),
    "summary": Key(str, required=True),
    "language": Key(str, most=16),
    "use_case": Key(str, required=True, most=200),
    "business_objective": Key(str, required=True, most=4000),
    "owner": Key(str, most=120),
    "courses": Key(list, required=True),
    "due_days": Key(int),
    "due_from": Key(str, most=16),
    "audience": Key(dict),
}
DUE_FROM = ("enrolment", "hire")
AUDIENCE_KINDS = {"job_roles": list, "units": list, "hired_within_days": int}


@dataclass(frozen=True, slots=True)
class PathText:
    """What a path's file says; `courses` are slugs in order."""

    slug: str
    title: str
    summary: str
    use_case: str
    business_objective: str
    courses: tuple[str, ...]
    owner: str = ""
    due_days: int | None = None
    due_from: str = "enrolment"
    audience: dict[str, object] = field(default_factory=dict)
    description: str = ""
    language: str = ""


def parse_path(slug: str, content: bytes) -> PathText:
    """Read a path's file; raises CourseTextError with file and line."""
    path = f"paths/{slug}.md"
    if not is_slug(slug):
        raise CourseTextError(path, 1, "Name the file with small letters, digits and hyphens.")
    text = front.decode(path, content)
    values, description, _first = front.read(path, text, PATH_KEYS)
    source, first, _body, _line = front.split(path, text)

    def refuse(about: str, template: str, /, **arguments: object) -> CourseTextError:
        return CourseTextError(path, front.line_of(source, first, about), template, **arguments)

    courses = values["courses"]
    if not courses or len(set(courses)) != len(courses) or not all(map(is_slug, courses)):
        raise refuse("courses", "Name each course once, by its folder: [welcome, ask-well].")
    due_days = values.get("due_days")
    if due_days is not None and not 1 <= due_days <= 3650:
        raise refuse("due_days", "“due_days” is a number of days from 1.")
    audience = values.get("audience", {})
    for key, value in audience.items():
        if key not in AUDIENCE_KINDS:
            raise refuse(
                "audience",
                "“%(key)s” is not known here. Known: %(known)s.",
                key=key,
                known=", ".join(AUDIENCE_KINDS),
            )
        if type(value) is not AUDIENCE_KINDS[key] or (
            isinstance(value, list) and not all(isinstance(item, str) for item in value)
        ):
            wanted = front.KIND_WORDS[AUDIENCE_KINDS[key]]
            raise refuse("audience", "“%(name)s” wants %(kind)s.", name=key, kind=wanted)
    due_from = values.get("due_from") or (
        "hire" if "hired_within_days" in audience else "enrolment"
    )
    if due_from not in DUE_FROM:
        raise refuse("due_from", "“due_from” is enrolment or hire.")
    return PathText(
        slug=slug,
        title=values["title"],
        summary=values["summary"],
        use_case=values["use_case"],
        business_objective=values["business_objective"],
        courses=tuple(courses),
        owner=values.get("owner", ""),
        due_days=due_days,
        due_from=due_from,
        audience=dict(audience),
        description=description,
        language=values.get("language", ""),
    )
