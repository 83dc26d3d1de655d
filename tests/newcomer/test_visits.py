"""Nothing of the README is passed over without a reason."""

from tests.newcomer.visits import NOT_RUN, blocks_of, commands_of

README = "README.md"


def test_each_block_of_the_readme_is_run_or_said_not_to_be() -> None:
    run = {line for line, _ in commands_of(README)}
    left_out = set()
    for block in blocks_of(README):
        if block.line in run or block.language == "python":
            continue
        reasons = [begin for begin in NOT_RUN if block.text.startswith(begin)]
        assert reasons, f"README.md:{block.line} is run by no visit:\n{block.text}"
        left_out.update(reasons)
    assert left_out == set(NOT_RUN)
    assert run
