"""Whether everybody can use a page."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

SERIOUS = ("serious", "critical")
OF_GRADIO = '<div aria-label="Empty value"'  # an empty picture: a label without a role


def violations(page: Page) -> list[str]:
    """What axe-core takes for serious, with the elements."""
    found = Axe().run(page).response["violations"]
    return [
        f"{rule['id']}: {node['html'][:200]}"
        for rule in found
        if rule["impact"] in SERIOUS
        for node in rule["nodes"]
        if not node["html"].startswith(OF_GRADIO)
    ]
