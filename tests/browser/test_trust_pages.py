"""Where I am signed in, the audit log and its heads: they run by the page's nonce, and fit a phone."""

from playwright.sync_api import expect

from commons.audit import recording, services
from commons.people.models import User
from tests.browser.conftest import Walk

WIDTHS = (390, 1440)


def test_sessions_and_the_log_fit_and_work(walk: Walk, neighbour: User) -> None:
    page = walk.page
    User.objects.filter(pk=neighbour.pk).update(is_staff=True)
    walk.sign_in(neighbour)
    thing = "lab=kamppi-workshop slug=printer-with-a-rather-long-name"
    recording.note("POST rooms:machine_change", thing, by=neighbour)
    services.publish()
    for path in ("/me/sessions/", "/audit/", "/audit/heads/"):
        walk.goto(path)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (path, width)
    walk.goto("/me/sessions/")
    expect(page.get_by_role("main")).to_contain_text("this browser")
    walk.goto("/audit/?what=machine")
    expect(page.get_by_role("main").get_by_role("row")).to_have_count(2)
    assert page.evaluate("document.querySelector('script[type=module]').nonce.length") > 10, "the page's own nonce"
    inner = "&lt;script&gt;parent.planted = 2&lt;/script&gt;"  # read by the parser, as a stranger's script would be
    planted = f'<img src="x" onerror="window.planted = 1"><iframe srcdoc="{inner}"></iframe>'
    page.evaluate("planted => document.body.insertAdjacentHTML('beforeend', planted)", planted)
    page.wait_for_timeout(300)
    assert page.evaluate("window.planted") is None, "what strangers might slip in does not run"
    walk.faults[:] = [fault for fault in walk.faults if "Content Security Policy" not in fault and "404" not in fault]
