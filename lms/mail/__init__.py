"""Mail: one sender over rows that are claimed, one connection for many, and what came of each."""
