"""Sheets that slide over the page, each typed by its answer."""
