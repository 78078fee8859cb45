"""A real Segment workspace, read through its Public API: connections, hourly counts, members."""
