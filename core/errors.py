"""The errors a user may see. Each carries the one sentence that is shown where the input was typed."""


class TocsinError(Exception):
    """Something was refused or failed; `str(error)` is the sentence for the user."""


class InvalidInput(TocsinError):
    """A value is not acceptable. `field` names the input it belongs to, when there is one."""

    def __init__(self, sentence: str, field: str | None = None) -> None:
        super().__init__(sentence)
        self.field = field


class NotFound(TocsinError):
    """Nothing in the workspace has that id, slug or address."""


class NotAllowed(TocsinError):
    """The current member may not do this; the sentence names the rule."""


class StoreError(TocsinError):
    """The store cannot be opened, is too new, or refused a write."""
