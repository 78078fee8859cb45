"""The collector's numbers in OpenMetrics text (openmetrics.io), for any scraper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

CONTENT_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"
Samples = Sequence[tuple[Mapping[str, str], float]]


def exposition(families: Sequence[tuple[str, str, str, Samples]]) -> str:
    """Families as (name, type, help, samples); a counter's samples get the `_total` that the format wants."""
    lines = []
    for name, kind, told, samples in families:
        lines += [f"# TYPE {name} {kind}", f"# HELP {name} {told}"]
        suffix = "_total" if kind == "counter" else ""
        # repr keeps every digit: a counter that loses its last ones shows a rate of zero.
        lines += [f"{name}{suffix}{_labels(labels)} {value!r}" for labels, value in samples]
    return "\n".join([*lines, "# EOF", ""])


def _labels(labels: Mapping[str, str]) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
