"""The learner's pages: what can be earned, how far it is, what was earned, and its paper."""

from __future__ import annotations

from flask import Blueprint, Response, flash, redirect, render_template, send_file, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from certificates import awards, catalogue, documents, evaluation, progress
from certificates.models import DocumentState
from certificates.rendering.page import printed_of
from certificates.verification import Status, status_of
from lms.people.access import Who, allow
from lms.people.current import current_person
from lms.written import isolate

blueprint = Blueprint(
    "certificates",
    __name__,
    url_prefix="/certificates",
    template_folder="templates",
    static_folder="static",
)


@blueprint.get("")
@allow(Who.SIGNED_IN)
def mine() -> str:
    """Show what the person holds and what they may earn."""
    person = current_person()
    held = [(award, printed_of(award), status_of(award)) for award in awards.held_by(person.id)]
    ways = progress.within_reach(person)
    return render_template("certificates/mine.html", held=held, ways=ways, Status=Status)


@blueprint.get("/earn/<slug>")
@allow(Who.SIGNED_IN)
def earn(slug: str) -> str | AnyResponse:
    """Show each condition, how far it is, and what is missing; the award, once it is there."""
    certificate = catalogue.get_offered(slug)
    person = current_person()
    award = awards.find_held(person.id, certificate.definition_id)
    if award is not None:
        return redirect(url_for("certificates.award", award_uid=award.uid))
    return render_template(
        "certificates/earn.html", way=progress.progress_of(person.id, certificate.rule)
    )


@blueprint.post("/earn/<slug>/check")
@allow(Who.SIGNED_IN)
def check_now(slug: str) -> AnyResponse:
    """Evaluate the person now, without waiting for the worker."""
    certificate = catalogue.get_offered(slug)
    person = current_person()
    new = evaluation.evaluate([person.id])
    if any(award.definition_id == certificate.definition_id for award in new):
        flash(_("You have earned it: %(title)s.", title=isolate(certificate.rule.title)), "good")
    elif awards.find_held(person.id, certificate.definition_id) is None:
        flash(_("Looked again just now. What is still to do stands here."))
    return redirect(url_for("certificates.earn", slug=slug))


@blueprint.get("/awards/<award_uid>")
@allow(Who.SELF, owner=awards.owner_of)
def award(award_uid: str) -> str:
    """Show the holder their certificate, its status, and whether the paper is printed yet."""
    found = awards.get_award(award_uid)
    document = documents.find_document(found.id)
    return render_template(
        "certificates/award.html",
        award=found,
        printed=printed_of(found),
        status=status_of(found),
        Status=Status,
        document=document,
        ready=document is not None and document.state == DocumentState.READY.value,
        lost=document is not None and documents.is_lost(document),
        failed=document is not None and document.state == DocumentState.FAILED.value,
    )


@blueprint.get("/awards/<award_uid>/paper.pdf")
@allow(Who.SELF, owner=awards.owner_of)
def paper(award_uid: str) -> AnyResponse:
    """Send the printed certificate; to the page that waits for it, where it is not there yet."""
    found = awards.get_award(award_uid)
    document = documents.find_document(found.id)
    if document is None or document.state != DocumentState.READY.value:
        return redirect(url_for("certificates.award", award_uid=award_uid))
    if documents.is_lost(document):
        return redirect(url_for("certificates.award", award_uid=award_uid))
    person = current_person()
    name = person.identity.display_name if person.identity else ""
    response: Response = send_file(
        documents.path_of(document.sha256),
        mimetype="application/pdf",
        as_attachment=True,
        download_name=documents.download_name(found, name),
        conditional=False,
        max_age=0,
    )
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.post("/awards/<award_uid>/print")
@allow(Who.SELF, owner=awards.owner_of)
def print_again(award_uid: str) -> AnyResponse:
    """Have the paper printed again, where its file is lost."""
    found = awards.get_award(award_uid)
    documents.replace_lost(found)
    return redirect(url_for("certificates.award", award_uid=award_uid))
