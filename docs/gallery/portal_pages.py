"""Photographs every page of the portal, in both languages, on a phone and on a desk.

`python docs/gallery/portal_pages.py` draws them anew, and `… home payments` those two alone; `make
pictures` runs it too. It needs Chromium. The family in them is invented, and so are its addresses;
what is done to a page for one picture is undone before the next.
"""

import asyncio
import io
import shutil
import socket
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

import uvicorn
from PIL import Image
from playwright.async_api import Browser, BrowserContext, async_playwright

from docs.gallery.application import apply
from docs.gallery.contents import write_readme
from docs.gallery.family import NOW, OFFICES, invent, undo
from docs.gallery.shots import KINDS, PHONE, SHOTS, Shot, left_alone
from engine.bootstrap import Application, open_application
from engine.migrations.run import upgrade
from engine.portal.app import create_app
from engine.portal.doors import APPLICATION_SITE, PORTAL
from engine.security.sessions import Stage
from engine.settings import Agency, Settings, load_settings
from engine.stack.servers import servers_for

HERE: Final = Path(__file__).parent


def keep(picture: bytes, name: str, width: int) -> None:
    """A picture with few colours, as the repository wants it."""
    shot = Image.open(io.BytesIO(picture)).convert("RGB")
    factor = 1 if width == PHONE else 0.75
    small = shot.resize(
        (int(shot.width * factor), int(shot.height * factor)), Image.Resampling.LANCZOS
    )
    few = small.quantize(128, kmeans=1, dither=Image.Dither.NONE)
    few.save(HERE / name, optimize=True)


async def window(
    browser: Browser, application: Application, address: str, shot: Shot, width: int
) -> BrowserContext:
    """A browser window of whoever looks at a page, as if for the first time."""
    await undo(application)
    context = await browser.new_context(
        viewport={"width": width, "height": 800}, reduced_motion="reduce"
    )
    if shot.reader is not None:
        async with application.engine.begin() as connection:
            applies = shot.stage is Stage.APPLICANT
            sessions = application.applicant_sessions if applies else application.sessions
            session = await sessions.open(connection, shot.reader, shot.stage)
        name = (APPLICATION_SITE if applies else PORTAL).cookie
        cookie: Any = {"name": name, "value": session.token, "url": address}
        await context.add_cookies([cookie])
    return context


async def draw(browser: Browser, application: Application, address: str, names: set[str]) -> None:
    """Every page, in both languages and at its widths."""
    for name, shot in SHOTS.items():
        if names and name not in names:
            continue
        for width in shot.widths:
            for language, pictures in shot.pictures(name).items():
                context = await window(browser, application, address, shot, width)
                page = await context.new_page()
                await page.goto(f"{address}/{language}{shot.path}")
                await shot.act(page)
                whole = shot.act is not left_alone
                keep(await page.screenshot(full_page=whole), pictures[KINDS[width]], width)
                await context.close()


async def run(settings: Settings, names: set[str]) -> None:
    """Serve the portal for as long as its pictures are taken."""
    async with open_application(settings, lambda: NOW) as application, async_playwright() as play:
        await invent(application)
        await apply(application)
        listener = socket.create_server(("127.0.0.1", 0))
        server = uvicorn.Server(
            uvicorn.Config(create_app(application), access_log=False, log_config=None)
        )
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        browser = await play.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        await draw(browser, application, f"http://127.0.0.1:{listener.getsockname()[1]}", names)
        await browser.close()
        server.should_exit = True
        await serving


def main() -> None:
    """Over embedded servers of its own."""
    if shutil.which("chromium") is None:
        sys.exit("Chromium is needed to photograph pages")
    names = set(sys.argv[1:])
    if unknown := names - SHOTS.keys():
        sys.exit(f"there is no page {', '.join(sorted(unknown))}; there are {', '.join(SHOTS)}")
    (HERE / "portal").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        given = load_settings(
            data_dir=Path(folder),
            database_url=None,
            redis_url=None,
            smtp_url=None,
            forgot_pin_rate="1000/minute",
            agency=Agency(local_offices=OFFICES),
        )
        with servers_for(given) as settings:
            assert settings.database_url is not None  # noqa: S101  servers_for fills it in
            upgrade(settings.database_url.get_secret_value())
            asyncio.run(run(settings, names))
    write_readme()


if __name__ == "__main__":
    main()
