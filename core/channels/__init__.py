"""One file a channel. Each takes a worded message and answers with an outcome."""
