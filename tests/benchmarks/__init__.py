"""Benchmarks: what the product costs, beside the floor of the same run.

`make bench` runs every function marked `@benchmark` in the modules `tests/benchmarks/bench_*.py`,
each in a process of its own, prints a table and writes build/bench.json. `make bench ONLY=courses`
runs those whose name begins so.

To add a line, write a function in `bench_<package>.py`:

    @benchmark("courses.lesson_page", unit="ms CPU", target=5)
    def lesson_page(place: Place) -> Result:
        app = place.make_app()
        ...
        return Result(value=cpu_ms(ask), floor=cpu_ms(ask_bare), floor_is="bare Flask, same bytes")

The floor is the least that the same work can cost on this machine, measured in the same process
and durability mode (`place.raw_sqlite()` opens a file with the suite's own pragmas).
"""
