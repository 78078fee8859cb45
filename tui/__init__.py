"""The screens: they ask core for finished rows and show them."""
