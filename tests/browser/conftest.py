"""A real Chromium, Debian's, driven as a person would."""

from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from playwright.sync_api import Browser, Page, expect

from onrecord.scheme.scheme import load_scheme

SCHEME = load_scheme()


class Annotator:
    """One annotator before the labeling page, with a keyboard and a mouse."""

    def __init__(self, page: Page, url: str, email: str, password: str) -> None:
        self.page, self.url = page, url
        self.dialogs: list[str] = []
        page.on("dialog", lambda dialog: (self.dialogs.append(dialog.message), dialog.dismiss()))
        page.goto(f"{url}/user/login/")
        page.fill("input[name=email]", email)
        page.fill("input[name=password]", password)
        page.click("button[type=submit]")
        page.wait_for_url(lambda address: "/user/login" not in address)

    def open(self, project: int) -> None:
        """Open the project's stream and put the guidelines away, as one does on the first visit."""
        self.page.goto(f"{self.url}/projects/{project}/data?labeling=1")
        self.page.get_by_text("Labeling Instructions").wait_for()
        self.page.locator(".or-guidelines table").first.wait_for()
        self.page.keyboard.press("Escape")
        self.page.get_by_text("Labeling Instructions").wait_for(state="detached")

    def block(self, ask: str):
        """Return the part of the page that asks a question."""
        return self.page.locator(".or-block").filter(has=self.page.get_by_text(ask, exact=True))

    def answer(self, question: str, label: str) -> None:
        """Give an answer by its key; one that is suggested already is left, since its key takes it off."""
        asked = SCHEME.questions[question]
        box = self.block(asked.ask).locator(f'input[name="{label}"]')
        keys = {one.name: one.hotkey for one in asked.labels}
        for _ in range(5):  # the page listens to keys some time after it shows
            if box.is_checked():
                return
            self.page.keyboard.press(keys[label])
            with suppress(AssertionError):
                expect(box).to_be_checked(timeout=2000)
        expect(box).to_be_checked()

    def click(self, question: str, label: str) -> None:
        """Give an answer by the mouse."""
        block = self.block(SCHEME.questions[question].ask)
        box = self.page.locator(f'input[name="{label}"]')
        block.locator("label").filter(has=box).click()
        expect(block.locator(box)).to_be_checked()

    def press(self, key: str, name: str) -> None:
        """Press a key and see the box of that name checked."""
        self.page.keyboard.press(key)
        expect(self.page.locator(f'input[name="{name}"]')).to_be_checked()

    def name(self, name: str) -> None:
        """Name the speaker: by a key where the name is listed, else in the free text."""
        listed = self.page.locator(f'input[name="{name}"]')
        if listed.count():
            if not listed.is_checked():
                self.page.locator(".or-name label").filter(has=listed).click()
            expect(listed).to_be_checked()
        else:
            self.press("l", "another name")
            self.write("speaker_name_text", name)

    def write(self, control: str, text: str) -> None:
        """Write into a free-text field by the mouse, and leave it by Enter."""
        field = self.page.locator(f'input[name="{control}"], textarea[name="{control}"]')
        field.click()
        field.fill(text)
        field.press("Enter")
        expect(self.page.get_by_text(text, exact=True)).to_be_visible()

    def sentence(self) -> str:
        """Return the sentence that is shown."""
        return self.page.locator(".or-sentence .lsf-richtext__container").inner_text()

    def skip(self) -> None:
        """Skip the task and wait until Label Studio has it."""
        with self.page.expect_response(
            lambda r: "/annotations" in r.url and r.request.method == "POST"
        ) as sent:
            self.page.get_by_test_id("bottombar-skip-button").click()
        assert sent.value.ok, sent.value.text()

    def submit(self, *, by_click: bool = False) -> None:
        """Submit by Control+Enter, or the button, and wait until Label Studio has it and shows another task."""
        with self.page.expect_response(
            lambda r: "/annotations" in r.url and r.request.method in ("POST", "PATCH")
        ) as sent:
            if by_click:
                self.page.get_by_test_id("bottombar-submit-button").click()
            else:
                self.page.keyboard.press("Control+Enter")
        assert sent.value.ok, sent.value.text()

    def open_from_list(self, project: int, task: int) -> None:
        """Open a task that was submitted before by its row in the project's list of tasks."""
        self.page.goto(f"{self.url}/projects/{project}/data")
        self.page.get_by_text(str(task), exact=True).first.click()
        self.page.get_by_test_id("bottombar-update-button").wait_for()

    def update(self) -> None:
        """Save a changed annotation and wait until Label Studio has it."""
        with self.page.expect_response(
            lambda r: "/annotations" in r.url and r.request.method == "PATCH"
        ) as sent:
            self.page.get_by_test_id("bottombar-update-button").click()
        assert sent.value.ok, sent.value.text()

    def wait_for_other(self, sentence: str) -> None:
        """Wait until another sentence than this one is shown."""
        shown = self.page.locator(".or-sentence .lsf-richtext__container")
        expect(shown).not_to_have_text(sentence)


@pytest.fixture
def annotator_at(chromium: Browser) -> Iterator[Callable[..., Annotator]]:
    """Log an annotator in: ``annotator_at(url, email, password, width=1400, height=1000)``."""
    contexts = []

    def log_in(
        url: str, email: str, password: str, width: int = 1400, height: int = 1000
    ) -> Annotator:
        context = chromium.new_context(viewport={"width": width, "height": height})
        context.set_default_timeout(20_000)
        contexts.append(context)
        return Annotator(context.new_page(), url, email, password)

    yield log_in
    for context in contexts:
        context.close()
