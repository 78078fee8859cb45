"""One file a screen. Each asks core for finished rows through the engine."""
