"""Reading what HR systems export: any usual encoding, separator and heading. Pure.

Nothing here knows who is in the database; a row is checked for what can be seen in the row itself.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field

from flask_babel import gettext as _

from lms.config import LANGUAGES
from lms.writers import outside_writing

MOST_ROWS = 100_000
WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")  # .xlsx and .ods are zip files; .xls is OLE
SEPARATORS = (",", ";", "\t", "|")
MOST_CHARS = 200
MOST_COLUMNS = 200
LIMITS = {"employee_number": 64, "job_role": 80, "given_name": 100, "family_name": 98}
# Spreadsheets run what begins like this; no name, unit or role needs to.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")

# Controls, and marks that turn the direction of what follows: a name could disguise itself.
HIDDEN = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069]")

HEADINGS: dict[str, tuple[str, ...]] = {
    "employee_number": (
        "employee number", "employee no", "employee id", "employeeid", "personnel number",
        "personnel no", "staff number", "staff id", "worker id", "number", "id",
        "personalnummer", "persnr", "personal nr", "mitarbeiternummer",
        "numero de empleado", "matricule", "numero d employe",
    ),
    "email": (
        "email", "e mail", "mail", "email address", "e mail address", "work email",
        "emailadresse", "e mail adresse", "correo", "correo electronico", "courriel",
        "adresse e mail", "adresse mail",
    ),
    "sign_in_name": ("sign in name",),
    "name": ("name", "full name", "display name", "employee name", "vollstandiger name",
             "nombre completo", "nom complet"),
    "given_name": ("given name", "first name", "firstname", "forename", "vorname", "nombre",
                   "prenom"),
    "family_name": ("family name", "last name", "lastname", "surname", "nachname", "familienname",
                    "apellido", "apellidos", "nom", "nom de famille"),
    "unit": ("unit", "department", "dept", "team", "org unit", "organisational unit",
             "organizational unit", "division", "abteilung", "bereich", "organisationseinheit",
             "departamento", "service", "departement"),
    "manager": ("manager", "manager id", "manager number", "manager employee number",
                "manager email", "manager e mail", "supervisor", "supervisor id", "reports to",
                "line manager", "vorgesetzter", "vorgesetzte", "vorgesetzter persnr",
                "fuhrungskraft", "jefe", "responsable", "superieur"),
    "job_role": ("job role", "role", "job title", "title", "position", "job", "funktion",
                 "stelle", "stellenbezeichnung", "puesto", "cargo", "poste", "fonction"),
    "hired_on": ("hired on", "hire date", "hired", "start date", "entry date", "date of hire",
                 "eintrittsdatum", "eintritt", "fecha de alta", "fecha de ingreso",
                 "date d embauche", "date d entree"),
    "active": ("active", "status", "employment status", "aktiv", "activo", "actif", "estado",
               "statut"),
    "language": ("language", "sprache", "idioma", "langue"),
}  # fmt: skip
BY_HEADING = {heading: name for name, headings in HEADINGS.items() for heading in headings}
YES = frozenset(
    {"1", "yes", "y", "true", "active", "ja", "aktiv", "si", "oui", "activo", "actif", "a"}
)
NO = frozenset(
    {"0", "no", "n", "false", "inactive", "left", "terminated", "nein", "inaktiv", "ausgetreten",
     "non", "inactivo", "inactif", "i"}
)  # fmt: skip
EMAIL = re.compile(r"[^@\s,;<>\"()]+@[^@\s,;<>\"().]+(?:\.[^@\s,;<>\"().]+)+")


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a line, in a whole sentence; line 0 speaks of the whole file."""

    line: int
    text: str


@dataclass(slots=True)
class Row:
    """One person as the file tells it; a field that is None was not told."""

    line: int
    employee_number: str | None = None
    email: str | None = None
    sign_in_name: str | None = None
    name: str | None = None
    given_name: str | None = None
    family_name: str | None = None
    unit: str | None = None
    manager: str | None = None
    job_role: str | None = None
    hired_on: dt.date | None = None
    active: bool | None = None
    language: str | None = None


@dataclass
class Sheet:
    """A file as it was read: its rows, its problems, and which headings were not understood."""

    rows: list[Row] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    columns: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()


def decode(content: bytes) -> str:
    """Return the text of a file: by its byte-order mark, else UTF-8, else Windows-1252 or Latin-1."""
    for mark, encoding in (
        (b"\xef\xbb\xbf", "utf-8-sig"),
        (b"\xff\xfe", "utf-16"),
        (b"\xfe\xff", "utf-16"),
    ):
        if content.startswith(mark):
            return content.decode(encoding, errors="replace")
    for encoding in ("utf-8", "cp1252"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return content.decode("latin-1")


def folded(heading: str) -> str:
    """Return a heading without case, accents and punctuation: `E-Mail_Adresse` is `e mail adresse`."""
    plain = unicodedata.normalize("NFKD", heading)
    plain = "".join(char for char in plain if not unicodedata.combining(char)).lower()
    return " ".join(re.findall(r"[a-z0-9]+", plain.replace("ß", "ss")))


def read(content: bytes) -> Sheet:
    """Read a file; whatever is wrong with it is in `problems`, with its line."""
    outside_writing("reading a file of people")
    sheet = Sheet()
    if content.startswith(WORKBOOKS):
        sheet.problems.append(Problem(0, _(
            "This is a workbook of a spreadsheet program, not a CSV file. Open it there, choose "
            "“Save as” and then “CSV UTF-8”."
        )))  # fmt: skip
        return sheet
    text = decode(content).replace("\0", "")
    first_line = 1
    if text.lower().startswith("sep="):  # Excel's own way to name the separator
        _first, _newline, text = text.partition("\n")
        first_line = 2
    lines = _lines(text, first_line)
    try:
        head = next(((line, cells) for line, cells in lines if any(cells)), None)
        if head is None:
            sheet.problems.append(Problem(0, _("The file is empty.")))
            return sheet
        fields = _understand(sheet, head[1])
        if not sheet.problems:
            _read_rows(sheet, lines, fields)
    except csv.Error as error:
        line = sheet.rows[-1].line + 1 if sheet.rows else first_line
        if "field limit" in str(error):
            said = _("From here on the file cannot be read: a cell is far too long.")
        else:
            said = _("From here on the file cannot be read: a quotation mark is not closed.")
        sheet.problems.append(Problem(line, said))
    return sheet


def _lines(text: str, first_line: int) -> Iterator[tuple[int, list[str]]]:
    """Yield each record with the line it begins on."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_separator(text), strict=True)
    begins = first_line
    for cells in reader:
        yield begins, [cell.strip() for cell in cells]
        begins = first_line + reader.line_num


def _separator(text: str) -> str:
    head = next((line for line in text.splitlines() if line.strip()), "")
    unquoted = re.sub(r'"[^"]*"', "", head)
    return max(SEPARATORS, key=lambda char: (unquoted.count(char), char == ","))


def _understand(sheet: Sheet, headings: list[str]) -> list[str | None]:
    """Return the field of each column; what is not understood is named, and left out."""
    if len(headings) > MOST_COLUMNS:
        sheet.problems.append(
            Problem(1, _("The file has more than %(count)s columns.", count=MOST_COLUMNS))
        )
        return []
    fields = [BY_HEADING.get(folded(heading)) for heading in headings]
    known = [name for name in fields if name is not None]
    sheet.columns = tuple(known)
    sheet.ignored = tuple(
        heading for heading, name in zip(headings, fields, strict=True) if name is None and heading
    )
    twice = sorted({name for name in known if known.count(name) > 1})
    for name in twice:
        sheet.problems.append(
            Problem(1, _("Two columns both seem to be “%(column)s”. Keep one.", column=name))
        )
    if not {"employee_number", "email", "sign_in_name"} & set(known):
        sheet.problems.append(
            Problem(
                1, _("No column says who a person is: one must be the employee number or e-mail.")
            )
        )
    if not {"name", "given_name", "family_name"} & set(known):
        sheet.problems.append(Problem(1, _("No column holds the name.")))
    return fields


def _read_rows(
    sheet: Sheet, lines: Iterator[tuple[int, list[str]]], fields: list[str | None]
) -> None:
    for line, cells in lines:
        if not any(cells):
            continue
        if len(sheet.rows) >= MOST_ROWS:
            sheet.problems.append(
                Problem(line, _("The file has more than %(count)s people.", count=MOST_ROWS))
            )
            return
        while len(cells) > len(fields) and not cells[-1]:
            cells.pop()  # separators at the end of the line
        if len(cells) > len(fields):
            sheet.problems.append(
                Problem(
                    line,
                    _(
                        "The line has %(cells)s cells, the heading %(headings)s: is a separator "
                        "inside a cell that is not quoted?",
                        cells=len(cells),
                        headings=len(fields),
                    ),
                )
            )
            continue
        values = {name: cell for name, cell in zip(fields, cells, strict=False) if name is not None}
        row, problems = understand_row(line, values)
        sheet.problems += problems
        sheet.rows.append(row)


def understand_row(line: int, values: dict[str, str]) -> tuple[Row, list[Problem]]:
    """Turn the cells of one line into a Row, and say what is wrong with it."""
    row = Row(line)
    wrong: list[str] = []
    for name, cell in values.items():
        text = _spoken(cell)
        if len(text) > LIMITS.get(name, MOST_CHARS):
            wrong.append(_("“%(start)s…” is too long.", start=text[:30]))
        elif name == "hired_on":
            row.hired_on = _day(text, wrong)
        elif name == "active":
            row.active = _yes_or_no(text, wrong)
        elif name == "language":
            row.language = _language(text, wrong)
        elif name == "email":
            row.email = _address(text, wrong)
        elif text.startswith(FORMULA_STARTS) and not (
            name == "employee_number" and text[1:].isalnum()
        ):
            wrong.append(_("“%(text)s” begins like a formula.", text=text[:30]))
        elif name in {"unit", "manager", "job_role"}:
            setattr(row, name, text)  # an empty cell means: none
        else:
            setattr(row, name, text or None)
    if row.name and row.name.count(",") == 1 and not row.family_name:  # "Okafor, Imani"
        row.family_name, row.given_name = (part.strip() for part in row.name.split(","))
        row.name = None
    if not row.name:
        row.name = " ".join(part for part in (row.given_name, row.family_name) if part) or None
    if not row.employee_number and not row.email and not row.sign_in_name:
        wrong.append(_("Neither an employee number nor an e-mail address says who this is."))
    return row, [Problem(line, text) for text in wrong]


def plain_line(text: str) -> str:
    """Return what was typed on one line, with single spaces, and nothing hidden in it."""
    return " ".join(HIDDEN.sub("", text).split())


def _spoken(cell: str) -> str:
    """Return a cell without what only protects it: our own export puts ' before a formula."""
    text = plain_line(cell)
    return text[1:] if text[:1] == "'" and text[1:2] in FORMULA_STARTS and text[1:] else text


def _day(text: str, wrong: list[str]) -> dt.date | None:
    if not text:
        return None
    text = text.split(" ")[0].split("T")[0]  # 2026-11-02 00:00:00
    for pattern in ("%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%Y/%m/%d", "%d-%m-%Y"):
        try:
            return dt.datetime.strptime(text, pattern).replace(tzinfo=dt.UTC).date()
        except ValueError:
            continue
    wrong.append(
        _("“%(text)s” is not a day. Write it as 2026-11-23 or 23.11.2026.", text=text[:30])
    )
    return None


def _yes_or_no(text: str, wrong: list[str]) -> bool | None:
    word = folded(text)
    if not word:
        return None
    if word in YES:
        return True
    if word in NO:
        return False
    wrong.append(_("“%(text)s” says neither active nor left.", text=text[:30]))
    return None


def _language(text: str, wrong: list[str]) -> str | None:
    code = text[:2].lower()
    if not code or code in LANGUAGES:
        return code or None
    wrong.append(_("“%(text)s” is not a language that is offered here.", text=text[:30]))
    return None


def _address(text: str, wrong: list[str]) -> str | None:
    if not text:
        return None
    if not EMAIL.fullmatch(text) or text.startswith(FORMULA_STARTS):
        wrong.append(_("“%(text)s” is not an e-mail address.", text=text[:60]))
        return None
    return text
