"""The page's own script keeps a form from being sent twice; without it the portal does."""

import pytest

from tests.portal.browsing import SUBMIT, Windows
from tests.portal.world import World

pytestmark = pytest.mark.needs("chromium")

# Whether a press of the button is held back: the first, the second, and one after the reader came
# back to the page. Nothing is sent, so that the page stays.
PRESSED = """
(button) => {
  const held = [];
  window.addEventListener("submit", (event) => {
    held.push(event.defaultPrevented);
    event.preventDefault();
  });
  const press = () => document.querySelector(button).click();
  press();
  press();
  window.dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }));
  press();
  return held;
}
"""


@pytest.mark.parametrize("path", ["/en/messages", "/es/profile/phone"])
async def test_a_form_on_its_way_is_not_sent_again(
    world: World, windows: Windows, path: str
) -> None:
    """However often its button is pressed; who comes back to the page can send it once more."""
    page = await windows.open(world.participants["payee"])
    await page.goto(path)
    assert await page.evaluate(PRESSED, SUBMIT) == [False, True, False]
