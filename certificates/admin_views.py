"""The administrator's pages."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from certificates import administration, awards, catalogue, codes, documents
from certificates.forms import RevokeForm, RuleForm
from certificates.models import Origin
from certificates.rendering.page import printed_of
from certificates.rules.nodes import BadRule
from certificates.verification import Status, status_of
from lms.db import row_number
from lms.errors import NotFound
from lms.people.access import Who, allow
from lms.people.current import current_person
from lms.people.names import display_names

blueprint = Blueprint(
    "certificates_admin",
    __name__,
    url_prefix="/certificates/administration",
    template_folder="templates",
)


@blueprint.get("")
@allow(Who.ADMINISTRATOR)
def overview() -> str:
    """Show rules, papers that failed, and the newest awards."""
    page = request.args.get("page", 0, type=row_number)
    found, more = administration.recent_awards(page)
    return render_template(
        "certificates/admin.html",
        rows=administration.definition_rows(),
        failing=administration.failing_documents(),
        awards=found,
        names=display_names({award.person_id for award in found}),
        page=page,
        more=more,
        printed_of=printed_of,
        status_of=status_of,
        Status=Status,
    )


@blueprint.get("/rule")
@blueprint.get("/rule/<slug>")
@allow(Who.ADMINISTRATOR)
def rule(slug: str | None = None) -> str:
    """Show the text of a certificate's newest rule, to publish the next one; or a new one."""
    text = ""
    if slug is not None:
        definition = catalogue.find_definition(slug)
        version = None if definition is None else catalogue.newest_version(definition.id)
        if version is None:
            raise NotFound("There is no such certificate here.")
        text = version.text
    return render_template("certificates/rule.html", form=RuleForm(text=text), slug=slug)


@blueprint.post("/rule")
@allow(Who.ADMINISTRATOR)
def publish() -> str | AnyResponse:
    """Publish a rule; what is wrong in it is said beside its text, which is kept."""
    form = RuleForm()
    if form.validate_on_submit():
        try:
            version = catalogue.publish(
                form.text.data.replace("\r\n", "\n"), Origin.ADMINISTRATOR, current_person().id
            )
        except BadRule as error:
            form.text.errors = [error.message]
        else:
            flash(
                _("Version %(number)s is published. What was given stays.", number=version.number),
                "good",
            )
            return redirect(url_for("certificates_admin.overview"))
    return render_template("certificates/rule.html", form=form, slug=None)


@blueprint.post("/rule/<slug>/retire")
@allow(Who.ADMINISTRATOR)
def retire(slug: str) -> AnyResponse:
    """Stop offering a certificate, or offer it again."""
    definition = catalogue.find_definition(slug)
    if definition is None:
        raise NotFound("There is no such certificate here.")
    catalogue.set_retired(definition, definition.retired_at is None, current_person().id)
    return redirect(url_for("certificates_admin.overview"))


@blueprint.get("/awards/<award_uid>")
@allow(Who.ADMINISTRATOR)
def award(award_uid: str) -> str:
    """Show one award, with the form that revokes it."""
    return _award_page(award_uid, RevokeForm())


@blueprint.post("/awards/<award_uid>/revoke")
@allow(Who.ADMINISTRATOR)
def revoke(award_uid: str) -> str | AnyResponse:
    """Revoke an award, with a reason that is shown to whoever checks it."""
    form = RevokeForm()
    if not form.validate_on_submit():
        return _award_page(award_uid, form)
    awards.revoke(awards.get_award(award_uid), form.why.data, current_person().id)
    flash(_("The certificate is revoked. Whoever checks it sees the reason."), "good")
    return redirect(url_for("certificates_admin.award", award_uid=award_uid))


@blueprint.post("/awards/<award_uid>/print")
@allow(Who.ADMINISTRATOR)
def print_again(award_uid: str) -> AnyResponse:
    """Have the worker try once more to print a paper that failed."""
    document = documents.find_document(awards.get_award(award_uid).id)
    if document is not None:
        documents.ask_again(document)
        flash(_("It is tried again now."), "good")
    return redirect(url_for("certificates_admin.overview"))


def _award_page(award_uid: str, form: RevokeForm) -> str:
    found = awards.get_award(award_uid)
    return render_template(
        "certificates/admin_award.html",
        award=found,
        printed=printed_of(found),
        holder=display_names([found.person_id])[found.person_id],
        status=status_of(found),
        Status=Status,
        document=documents.find_document(found.id),
        form=form,
        code=codes.grouped(found.code),
    )
