"""The page for everybody: axe-core finds nothing serious on any tab, in light or dark."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.helpers.access import violations
from tests.helpers.browser import started, visit

TABS = ("One photo", "Many photos", "Model", "About")
INNER_TABS = ("Adjust", "Fix a color", "Copy colors", "Versions", "Crop", "File")

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with started(tmp_path_factory.mktemp("app")) as address:
        yield address


@pytest.mark.parametrize("options", [{}, {"color_scheme": "dark"}], ids=["light", "dark"])
def test_no_tab_has_a_serious_violation(address: str, options: dict[str, str]) -> None:
    wrong: dict[str, list[str]] = {}
    with visit(address, **options) as page:
        for tab in TABS:
            page.get_by_role("tab", name=tab, exact=True).click()
            wrong[tab] = violations(page)
        page.get_by_role("tab", name=TABS[0], exact=True).click()
        page.locator("#examples img").first.click()
        expect(page.locator("#colorized img")).to_be_visible()
        for tab in INNER_TABS:
            page.get_by_role("tab", name=tab, exact=True).click()
            wrong[tab] = violations(page)
    assert {tab: found for tab, found in wrong.items() if found} == {}
