"""Checks of an image from outside: its configuration, and its server. run.sh calls this."""

import argparse
import itertools
import json
import shlex
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path

import numpy as np
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

import seedbed as sb
from tests.container.engines import Docker, Engine, ImageConfig, ImageTool, Server, wait_for
from tools.lock_image import ALL

CONTENTS = Path(__file__).with_name("contents.py")
# What the image may add to its base.
MOST_ADDED_BYTES = 280e6
MANIFEST = Path(__file__).parents[2] / "examples" / "gpt2-small.yaml"
# One of every kernel; the shapes are large enough for several tiles and chunks.
TENSORS = [
    sb.TensorSpec(f"{dtype}/{type(initializer).__name__}", shape, dtype, initializer, seed=7)
    for dtype in ("float16", "bfloat16", "float32", "float64", "float8_e4m3fn", "float8_e5m2")
    for initializer, shape in (
        (sb.RandomUniform(minval=-1.0, maxval=1.0), (1024, 1024)),
        (sb.TruncatedNormal(stddev=0.02), (1024, 1024)),
        (sb.Orthogonal(), (256, 128)),
    )
]
# A kernel that is loaded takes milliseconds, one that is compiled a second or more.
COMPILED_IS_SLOWER = 5.0
# numba compiles for the least processor of this kind, for which the image has no kernels.
OTHER_PROCESSOR = {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": ""}


def main() -> int:
    """Run every check, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("image")
    parser.add_argument("--docker", default="docker", metavar="PROGRAM")
    parser.add_argument("--tool", metavar="PROGRAM")
    options = parser.parse_args()
    engine: Engine = ImageTool(options.tool) if options.tool else Docker(options.docker)
    config = engine.config(options.image)
    check_config(config)
    check_contents(engine, options.image)
    check_commands(engine, options.image)
    loaded_seconds = check_server(engine, options.image, config)
    check_drain(engine, options.image, config)
    check_other_processor(engine, options.image, loaded_seconds)
    print("all checks passed")
    return 0


def check_config(config: ImageConfig) -> None:
    """Orchestrators find a numeric user, a program without a shell, a signal, a health check."""
    user, _, group = config.user.partition(":")
    expect(
        "the user is a number, not root's",
        user.isdigit() and group.isdigit() and int(user) > 0,
        config.user,
    )
    expect(
        "the entrypoint is the server",
        config.entrypoint == ["/opt/venv/bin/seedbed-server"],
        config.entrypoint,
    )
    expect("it logs JSON", config.command == ["--log-format", "json"], config.command)
    expect("it is stopped by SIGTERM", config.stop_signal in ("SIGTERM", "15"), config.stop_signal)
    expect(
        "it has a health check without a shell",
        config.healthcheck[:1] == ["/opt/venv/bin/python"],
        config,
    )
    print(f"size: {config.size}")


def check_contents(engine: Engine, image: str) -> None:
    """Nothing but what the server uses is there, all of it, and its user can change none of it."""
    script = shlex.join(["/opt/venv/bin/python", "-c", CONTENTS.read_text()])
    found = engine.run(image, script)
    expect("everything that the server uses can be imported", found.returncode == 0, found.stderr)
    contents = json.loads(found.stdout)
    expect("it runs as the image's user", contents["user"] == 10001, contents["user"])
    expect("it has no capability", int(contents["capabilities"], 16) == 0)
    expect("it can change no file of the image", contents["writable"] == [], contents["writable"])
    expect("no build tool is there", contents["tools"] == [], contents["tools"])
    expect("no installer is there", contents["installers"] == [], contents["installers"])
    expect(
        f"the {contents['imported']} modules are compiled",
        contents["uncompiled"] == [],
        contents["uncompiled"],
    )
    print(*(f"{size / 1e6:7.1f} MB {name}" for name, size in contents["sizes"].items()), sep="\n")
    print(f"added to the base: {contents['added'] / 1e6:.1f} MB")
    expect("that is little enough", contents["added"] < MOST_ADDED_BYTES)
    check_sbom(contents["sbom"])


def check_sbom(text: str) -> None:
    """The list of what is in the image is CycloneDX's, and names every package that was locked."""
    error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    expect("the image's list of packages follows CycloneDX's schema", error is None, error)
    document = json.loads(text)
    (lock,) = (lock for lock in ALL if lock.name == "server")
    purls = {component["purl"] for component in document["components"]}
    wanted = {f"pkg:pypi/{name}@{version}" for name, version in lock.versions().items()}
    expect("and has what is locked", purls == wanted, purls ^ wanted)
    of_image = document["metadata"]["component"]
    expect("it is seedbed's", of_image["version"] == metadata.version("seedbed"), of_image)


def check_commands(engine: Engine, image: str) -> None:
    """The commands run, and the image's kernels give the contract's bits."""
    found = engine.run(image, "seedbed-server --self-test")
    expect(f"the self-test passes: {found.stdout.strip()}", found.returncode == 0, found)
    version = f"seedbed {metadata.version('seedbed')}"
    found = engine.run(image, "seedbed --version")
    expect("the client's commands are there too", found.stdout.strip() == version, found)


def check_server(engine: Engine, image: str, config: ImageConfig) -> float:
    """It serves the contract's bits with the image's kernels; return their time to load."""
    began = time.monotonic()
    with started(engine, image) as server, sb.connect(server.target) as client:
        client.wait_ready(180)
        print(f"from start to ready: {time.monotonic() - began:.2f} s")
        serving = wait_for(server, "serving")
        report_memory("ready", server)
        expect("its health check passes", server.check_health(config.healthcheck) == 0)
        check_bits(client)
        check_model(client)
        report_memory("after fetching a model", server)
        stop(server)
        expect("a stopped server is not healthy", server.check_health(config.healthcheck) != 0)
    return float(serving["start_seconds"])


def check_bits(client: sb.Client) -> None:
    """Every kernel gives the bits of the embedded engine."""
    with sb.connect("embedded:") as embedded:
        for spec in TENSORS:
            array = client.sample(spec)
            expect(f"{spec.name} is as computed here", digest(array) == embedded.digest(spec))


def check_model(client: sb.Client) -> None:
    """A whole model arrives as the embedded engine computes it."""
    manifest = sb.Manifest.load(MANIFEST)
    began = time.monotonic()
    arrays = client.sample_all(manifest)
    seconds = time.monotonic() - began
    with sb.connect("embedded:") as embedded:
        wanted = embedded.digest_all(manifest)
    found = {name: digest(array) for name, array in arrays.items()}
    expect(f"the {len(manifest)} tensors of {MANIFEST.name} are as computed here", found == wanted)
    print(f"fetched {manifest.size_bytes / 1e6:.0f} MB in {seconds:.2f} s")


def check_drain(engine: Engine, image: str, config: ImageConfig) -> None:
    """On SIGTERM a stream goes on to its end, while the health check turns new ones away."""
    spec = sb.TensorSpec("long", (16_384, 4096), "float32", sb.RandomNormal(), seed=1)
    with started(engine, image) as server, sb.connect(server.target) as client:
        client.wait_ready(180)
        chunks = client.chunks(spec)
        first = next(chunks)
        server.terminate()
        wait_for(server, "stopping", 30)
        expect("a server that drains is not healthy", server.check_health(config.healthcheck) != 0)
        data = b"".join(bytes(chunk.data) for chunk in itertools.chain([first], chunks))
        expect("its last stream is whole", sb.digest_bytes(data) == embedded_digest(spec))
        code = server.wait()
        expect("then it exits with 0", code == 0, code)


def check_other_processor(engine: Engine, image: str, loaded_seconds: float) -> None:
    """Where the image's kernels do not fit it compiles its own, and gives the same bits."""
    with started(engine, image, OTHER_PROCESSOR) as server, sb.connect(server.target) as client:
        client.wait_ready(180)
        compiled_seconds = float(wait_for(server, "serving")["start_seconds"])
        print(f"kernels loaded in {loaded_seconds:.2f} s, compiled in {compiled_seconds:.2f} s")
        expect(
            "the image's kernels were loaded",
            loaded_seconds * COMPILED_IS_SLOWER < compiled_seconds,
        )
        check_bits(client)
        stop(server)


@contextmanager
def started(
    engine: Engine, image: str, environment: Mapping[str, str] | None = None
) -> Iterator[Server]:
    """Yield a running server, and remove it afterwards, with its log shown if a check failed."""
    server = engine.start(image, environment or {})
    try:
        yield server
    except BaseException:
        print(*server.log(), sep="\n", file=sys.stderr)
        raise
    finally:
        server.remove()


def stop(server: Server) -> None:
    """Stop a server that has nothing to do."""
    began = time.monotonic()
    server.terminate()
    code = server.wait()
    expect("SIGTERM ends it with 0", code == 0, code)
    expect("and it says so", bool(wait_for(server, "stopped", 5)))
    print(f"stopped in {time.monotonic() - began:.2f} s")


def digest(array: "np.ndarray[tuple[int, ...], np.dtype[np.generic]]") -> sb.Digest:
    """Return the digest of an array's bytes."""
    return sb.digest_bytes(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)


def embedded_digest(spec: sb.TensorSpec) -> sb.Digest:
    """Return the digest that the engine in this process gives."""
    with sb.connect("embedded:") as embedded:
        return embedded.digest(spec)


def report_memory(when: str, server: Server) -> None:
    """Print the memory that the server has, and the most that it has had."""
    memory = server.memory()
    if memory is not None:
        print(f"memory, {when}: {memory.now / 1e6:.0f} MB, at most {memory.peak / 1e6:.0f} MB")


def expect(what: str, is_true: bool, found: object = "") -> None:
    """Print what holds, or end the program."""
    if not is_true:
        raise SystemExit(f"FAILED: {what}. Found: {found}")
    print(f"ok: {what}")


if __name__ == "__main__":
    sys.exit(main())
