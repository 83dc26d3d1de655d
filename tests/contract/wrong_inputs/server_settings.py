"""Wrong settings of ``seedbed-server``: flags, variables and the file."""

from tests.contract.wrong_inputs.case import Case

# Flags, and variables as NAME=VALUE.
SETTINGS: dict[str, Case] = {
    "a flag's typo": Case(
        ["--thread", "3"], "--thread", "there is no option", "--thread", "--threads"
    ),
    "a flag with underscores": Case(
        ["--chunk_bytes=64"],
        "--chunk_bytes",
        "there is no option",
        "--chunk_bytes",
        "--chunk-bytes",
    ),
    "a variable's typo": Case(
        ["SEEDBED_TREADS=4"],
        "$SEEDBED_TREADS",
        "is no setting",
        "$SEEDBED_TREADS",
        "$SEEDBED_THREADS",
    ),
    "a file's key with a typo": Case(
        ["FILE=treads: 4"], ":treads", "is no setting", "treads", "threads"
    ),
    "a file's key with dashes": Case(
        ["FILE=log-level: info"], ":log-level", "is no setting", "log-level", "log_level"
    ),
    "a list of one value": Case(["FILE=threads: [1, 2]"], ":threads", "one value", "a list"),
    "no threads": Case(["--threads", "0"], "--threads", "an integer from 1", "'0'"),
    "threads of words": Case(["SEEDBED_THREADS=many"], "$SEEDBED_THREADS", "an integer", "'many'"),
    "too many workers": Case(["--workers", "2000"], "--workers", "from 1 to 1024", "'2000'"),
    "a device of PyTorch's": Case(
        ["--device", "cuda:1"], "--device", "auto, cpu, gpu or gpu:N", "'cuda:1'", "gpu:1"
    ),
    "a device's typo": Case(["--device", "atuo"], "--device", "auto, cpu", "'atuo'", "auto"),
    "an address without a port": Case(
        ["--listen", "localhost"], "--listen", "host:port", "'localhost'"
    ),
    "a port of 99999": Case(
        ["--listen", "127.0.0.1:99999"], "--listen", "host:port", "'127.0.0.1:99999'"
    ),
    "a socket for HTTP": Case(
        ["--admin-listen", "unix:///s"], "--admin-listen", "host:port", "'unix:///s'"
    ),
    "a level shortened": Case(
        ["--log-level", "warn"], "--log-level", "debug, info, warning or error", "'warn'", "warning"
    ),
    "a level in capitals": Case(
        ["SEEDBED_LOG_LEVEL=DEBUG"], "$SEEDBED_LOG_LEVEL", "debug, info", "'DEBUG'", "debug"
    ),
    "a format that is not there": Case(
        ["--log-format", "xml"], "--log-format", "text or json", "'xml'"
    ),
    "megabytes": Case(
        ["--chunk-bytes", "2MB"], "--chunk-bytes", "such as 65536 or 64 MiB", "'2MB'", "2 MiB"
    ),
    "a size below zero": Case(["--window-bytes", "-1"], "--window-bytes", "bytes from 0", "'-1'"),
    "a mode of four digits": Case(
        ["--unix-mode", "0600"], "--unix-mode", "600, 660 or 666", "'0600'", "600"
    ),
    "a mode in decimal": Case(
        ["--shared-memory-mode", "384"], "--shared-memory-mode", "600, 640 or 644", "'384'"
    ),
    "yes": Case(
        ["SEEDBED_TRACING=yes"], "$SEEDBED_TRACING", "true, false, 1 or 0", "'yes'", "true"
    ),
    "seconds of words": Case(
        ["--grace-seconds", "soon"], "--grace-seconds", "from 0 to 86400", "'soon'"
    ),
    "seconds of a week": Case(
        ["FILE=grace_seconds: 604800"], ":grace_seconds", "from 0 to 86400", "'604800'"
    ),
}
