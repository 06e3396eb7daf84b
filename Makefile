PY = .venv/bin/python
check:
	.venv/bin/ruff format --check -q . && .venv/bin/ruff check -q . && .venv/bin/mypy && .venv/bin/lint-imports --no-cache
test:
	$(PY) -m pytest -q -m "not long"
.PHONY: check test
