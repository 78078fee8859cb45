"""Who may do what. Pure: a member, an alert's creator, and the rule's sentence when the answer is no.

Source: the reference page ("Deleting alerts created by other users requires Workspace Owner permissions").
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from core.errors import NotAllowed
from core.terms import Role


class Action(StrEnum):
    """What a member may want to do to an alert."""

    EDIT = "edit"
    ENABLE = "enable"
    DISABLE = "disable"
    MUTE = "mute"
    TEST = "test"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Actor:
    """The member at the keyboard."""

    id: int
    email: str
    name: str
    role: Role

    @property
    def is_owner(self) -> bool:
        """Whether they are a workspace owner."""
        return self.role is Role.OWNER


VERB = {Action.TEST: "send a test of"}


def why_not(actor: Actor, action: Action, creator_id: int, creator_name: str) -> str | None:
    """The reason why `actor` may not do `action` to that creator's alert, or None when they may."""
    if actor.id == creator_id:
        return None
    if action is Action.DELETE:
        return None if actor.is_owner else f"only {creator_name} or a workspace owner can delete this alert"
    return f"only {creator_name} can {VERB.get(action, action.value)} this alert"


def require(actor: Actor, action: Action, creator_id: int, creator_name: str) -> None:
    """Raise NotAllowed, naming the rule, unless `actor` may do `action`."""
    reason = why_not(actor, action, creator_id, creator_name)
    if reason:
        raise NotAllowed(f"{reason[0].upper()}{reason[1:]}.")


def require_owner(actor: Actor, what: str) -> None:
    """Raise NotAllowed unless `actor` is a workspace owner; `what` completes "Only a workspace owner can …"."""
    if not actor.is_owner:
        raise NotAllowed(f"Only a workspace owner can {what}.")


def sees_targets(actor: Actor, creator_id: int) -> bool:
    """Whether `actor` may see an alert's addresses and masked URLs: its creator and owners may."""
    return actor.is_owner or actor.id == creator_id
