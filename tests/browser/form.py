"""Airflow's trigger form as a person fills it in."""

from typing import Any

from playwright.sync_api import Locator, Page


class TriggerForm:
    """The open dialog of one DAG."""

    def __init__(self, page: Page, dag_id: str) -> None:
        page.goto(f"/dags/{dag_id}")
        page.get_by_role("button", name="Trigger").first.click()
        self.page, self.dialog = page, page.get_by_role("dialog")
        # Fields appear once the DAG's details have been fetched; every form ends with the one for raw arguments.
        self.field("args").first.wait_for()

    def field(self, key: str) -> Locator:
        return self.dialog.locator(f'[id="element_{key}"], [name="element_{key}"], [id="switch:element_{key}"]')

    def fill(self, key: str, value: Any) -> None:
        """Give a field a value by its own means: typing, the switch, or picking from the list."""
        chosen = self.dialog.locator(f'div[id="element_{key}"]')
        match value:
            case bool():
                self.dialog.locator(f'[id="switch:element_{key}"]').click()
            case list() if chosen.count():
                self._pick(chosen, value)
            case list():
                self.dialog.locator(f'textarea[name="element_{key}"]').fill("\n".join(value))
            case _ if chosen.count():
                self._open(chosen, str(value))
            case _:
                box = self.dialog.locator(f'input[name="element_{key}"]')
                box.fill(str(value))
                # Numbers are taken when the field is left.
                box.blur()

    def trigger(self) -> None:
        self.dialog.get_by_role("button", name="Trigger").click()
        self.dialog.wait_for(state="hidden")

    def _pick(self, chosen: Locator, wanted: list[str]) -> None:
        """Leave exactly ``wanted`` of the values that are picked already."""
        for name in chosen.locator('input[type="hidden"]').evaluate_all("each => each.map(input => input.value)"):
            if name not in wanted:
                chosen.get_by_label(f"Remove {name}").click()

    def _open(self, chosen: Locator, wanted: str) -> None:
        chosen.click()
        self.page.get_by_role("option", name=wanted, exact=True).click()
