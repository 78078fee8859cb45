"""What Tocsin knows and does, without a screen."""
