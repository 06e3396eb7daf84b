"""throw-away: screenshots of my pages"""

from __future__ import annotations
import pytest
from playwright.sync_api import Browser
from tests.browser.conftest import *  # noqa
from lms import audit
from lms.people import services
from xapi.lrs import credentials
from tests.factories.people import make_person
from lms.db import db

pytestmark = [pytest.mark.browser]


def test_shots(live, chromium):
    admin = make_person("Jonas Brandt", is_administrator=True)
    leila = make_person("Leila Haddad von Hohenstein-Ledebur")
    arab = make_person("يوسف الحداد")
    services.set_roles(leila, author=True, administrator=False, by=admin)
    made, _ = credentials.add(
        "Storyline, safety training 2026",
        ("statements/write", "state"),
        admin.id,
        origins=["https://content.example.com", "https://h5p.example.com:8443"],
    )
    audit.note("courses.published", "course/why-we-have-a-network", leila.id, version=3)
    audit.note("people.erased", f"person/{arab.uid}", admin.id)
    audit.note(
        "certificates.revoked",
        "award/k2j3h4k2j3h4k2j3h4",
        admin.id,
        why="It was given to the wrong person by mistake.",
    )
    audit.note("xapi.export.taken", "export/command-line")
    audit.note("xapi.statements.searched", f"person/{leila.uid}", admin.id)
    db.session.commit()
    cookie = session_cookie(live, admin)
    pages = {
        "audit": "/audit",
        "audit-person": f"/audit/person/{leila.uid}",
        "cred": f"/xapi/credentials/{made.uid}",
        "newcred": "/xapi/credentials/new",
    }
    for lang in ("en", "ar"):
        admin.language = lang
        db.session.commit()
        for size in (PHONE, DESK):
            for dark in (False, True):
                if lang == "ar" and dark:
                    continue
                for zoom in (100, 200) if (size == PHONE and not dark) else (100,):
                    ctx = chromium.new_context(
                        viewport={"width": size[0], "height": size[1]},
                        color_scheme="dark" if dark else "light",
                    )
                    ctx.add_cookies([cookie])
                    p = ctx.new_page()
                    for name, path in pages.items():
                        if zoom == 200 and name in ("newcred",):
                            continue
                        p.goto(live.url(path))
                        if zoom == 200:
                            p.add_style_tag(content="") if False else p.evaluate(
                                "document.documentElement.style.fontSize='200%'"
                            )
                        if name == "cred":
                            p.evaluate("document.querySelectorAll('details')[0].open=true")
                        p.screenshot(
                            path=f"/tmp/ropes/guard-shots/{name}-{lang}-{size[0]}-{'dark' if dark else 'light'}-{zoom}.png",
                            full_page=True,
                        )
                        print(
                            name,
                            lang,
                            size,
                            dark,
                            zoom,
                            "overflow",
                            overflow(p),
                            axe(p) if not zoom == 200 else "",
                        )
                    ctx.close()
