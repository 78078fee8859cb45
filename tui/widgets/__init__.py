"""Widgets that know nothing of the store: attributes go down, messages come up."""
