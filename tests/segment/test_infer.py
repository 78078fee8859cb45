"""Category, mode and ownership are inferred as the facts page has it (2.6 and 4.6)."""

from __future__ import annotations

import pytest

from core.intake.segment import infer
from core.intake.segment.naming import clean
from core.intake.segment.wire import Component, DestinationMetadata, Features, Permission, Resource, SourceMetadata
from core.terms import Category, Mode


@pytest.mark.parametrize(("categories", "cloud", "category"), [
    (["Website"], False, Category.EVENT_STREAMS), (["Server", "Mobile"], False, Category.EVENT_STREAMS),
    (["OTT"], False, Category.EVENT_STREAMS), (["Warehouse"], False, Category.REVERSE_ETL),
    (["CRM"], False, Category.CLOUD_APP), ([], False, Category.CLOUD_APP), (["Website"], True, Category.CLOUD_APP),
])
def test_a_sources_category_follows_its_catalogue_entry(categories: list[str], cloud: bool, category: Category) -> None:
    assert infer.category(SourceMetadata(categories=categories, is_cloud_event_source=cloud)) is category


@pytest.mark.parametrize(("components", "cloud", "mode"), [
    (None, None, Mode.CLOUD), ([], "MULTIPLE", Mode.CLOUD), (["SERVER"], None, Mode.CLOUD),
    (["BROWSER", "SERVER"], "SINGLE", Mode.CLOUD), (["BROWSER", "IOS"], None, Mode.DEVICE),
    ([], "NONE", Mode.DEVICE), (None, "0", Mode.DEVICE), (None, 0, Mode.DEVICE), (None, 1, Mode.CLOUD),
])
def test_a_destination_is_cloud_mode_when_segments_servers_can_run_it(
    components: list[str] | None, cloud: str | int | None, mode: Mode
) -> None:
    parts = None if components is None else [Component(type=name) for name in components]

    assert infer.mode(DestinationMetadata(components=parts, supported_features=Features(cloud))) is mode


@pytest.mark.parametrize(("role", "resource", "owner"), [
    ("Workspace Owner", "WORKSPACE", True), ("Workspace Owner", "SOURCE", False),
    ("Workspace Member", "WORKSPACE", False),
])
def test_an_owner_has_the_owners_role_on_the_workspace(role: str, resource: str, owner: bool) -> None:
    assert infer.grants_ownership([Permission(role, [Resource("x", resource)])]) is owner


def test_names_from_outside_lose_what_a_terminal_would_obey() -> None:
    assert clean(" Web\x1b[31m \n(prod)\u202e ", "?") == "Web [31m (prod)"
    assert clean("\x00", "Source") == clean(None, "Source") == "Source"
