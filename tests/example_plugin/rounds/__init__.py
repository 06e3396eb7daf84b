"""Safety rounds: walk through your hall once a month, and write down one thing you saw."""
