"""What learners have done: attempts, answers, completions, and the statements that tell of them."""
