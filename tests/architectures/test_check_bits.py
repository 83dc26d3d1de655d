"""What another architecture did is counted as equal only where it says so."""

from seedbed_server.sampling.self_test import golden_vectors, kernel_of
from tests.architectures.check_bits import pytest_count, self_test_count

VECTORS = golden_vectors()
KERNELS = sorted({kernel_of(vector) for vector in VECTORS})


def printed(**wrong: str) -> str:
    """Return what `seedbed-server --self-test` prints, with these kernels wrong."""
    lines = [f"  {k:26}{'wrong: ' + wrong[k] if k in wrong else 'ok'}" for k in KERNELS]
    return "\n".join(["cpu: a processor", *lines])


def test_a_self_test_without_differences_has_all_entries() -> None:
    assert self_test_count(printed()) == (len(VECTORS), len(VECTORS))


def test_entries_that_a_self_test_names_are_not_equal() -> None:
    ids = [vector["id"] for vector in VECTORS if kernel_of(vector) == "normal_float64"][:2]
    assert self_test_count(printed(normal_float64=", ".join(ids))) == (
        len(VECTORS),
        len(VECTORS) - 2,
    )


def test_entries_of_a_kernel_that_is_not_printed_are_not_equal() -> None:
    assert self_test_count("") == (len(VECTORS), 0)
    count, equal = self_test_count(printed().replace("  sparse_float32", "# sparse_float32"))
    assert count - equal == sum(kernel_of(vector) == "sparse_float32" for vector in VECTORS)


def test_only_tests_that_pass_are_counted_as_equal() -> None:
    assert pytest_count("....\n4 passed in 0.10s\n") == (4, 4)
    assert pytest_count("F...E\n1 failed, 3 passed, 1 error in 0.10s\n") == (5, 3)
    assert pytest_count("..s\n2 passed, 1 skipped in 0.10s\n") == (3, 2)


def test_a_run_that_ended_without_a_word_is_not_equal() -> None:
    assert pytest_count("") == (1, 0)
    assert pytest_count("....\nqemu: uncaught target signal 4") == (1, 0)
