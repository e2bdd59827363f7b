"""Who may send next, and how long to wait."""
