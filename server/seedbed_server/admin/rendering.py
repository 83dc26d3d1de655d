"""The status page: the same numbers for a person, whole without a script."""

import time
from collections.abc import Iterable, Sequence
from functools import cache
from html import escape
from importlib import resources
from string import Template

from seedbed_server.admin.charts import Series, chart
from seedbed_server.admin.quantities import (
    NOTHING,
    count,
    duration,
    rate,
    seconds,
    size,
    throughput,
)
from seedbed_server.admin.status import MethodStatus, Resource, Status

# From there on a bar calls for attention.
HIGH_SHARE = 0.8
# From then on a certificate does; the alert SeedbedCertificateExpires says so, too.
CERTIFICATE_SECONDS = 14 * 86400

STATES = {
    "starting": ("Starting", "Kernels are compiled or loaded. Calls are told to come back."),
    "serving": ("Serving", ""),
    "partly serving": ("Partly serving", ""),
    "stopping": ("Stopping", "Streams under way go on to their end. New calls go elsewhere."),
}
RESOURCES = {
    "streams": "Streams",
    "inflight_bytes": "Chunks in flight",
    "working_bytes": "Memory for computing",
    "shared_memory_bytes": "Shared memory",
}
LANES = {
    "stream": "in chunks",
    "fill": "as one element",
    "shared_memory": "in shared memory",
    "unary": "in one message",
}


def render(status: Status) -> str:
    """Return the page of a status."""
    word, meaning = STATES[status.state]
    points = status.history
    values = {
        "state": status.state.replace(" ", "-"),
        "word": word,
        "summary": escape(_summary(status, meaning)),
        "window": _window(status),
        "time": time.strftime("%H:%M:%S UTC", time.gmtime(status.time)),
        "step_seconds": f"{status.step_seconds:g}",
        "streams_now": count(status.now.streams),
        "streams": chart([Series("streams", [each.streams for each in points])], count, "count"),
        "served_now": throughput(status.now.served),
        "sampled_now": throughput(status.now.sampled),
        "throughput": chart(
            [
                Series("served", [each.served for each in points]),
                Series("sampled", [each.sampled for each in points]),
            ],
            throughput,
            "bytes",
        ),
        "calls_now": rate(status.now.calls),
        "call_rate": chart([Series("calls", [each.calls for each in points])], rate, "rate"),
        "refused_now": rate(status.now.refused),
        "refused": chart([Series("refused", [each.refused for each in points])], rate, "rate"),
        "refusals": _refusals(status),
        "resources": "".join(map(_resource, status.resources)),
        "waiting": escape(_waiting(status)),
        "methods": "".join(_method(each) for each in status.methods if _is_shown(each)),
        "first_chunk": escape(_first_chunk(status)),
        "processes": "".join(_processes(status)),
        "facts": _facts(status),
    }
    return _template().substitute(values)


@cache
def _template() -> Template:
    page = resources.files("seedbed_server.admin") / "page" / "index.html"
    return Template(page.read_text(encoding="utf-8"))


def _summary(status: Status, meaning: str) -> str:
    if meaning:
        return meaning
    parts = []
    if status.state == "partly serving":
        parts.append(f"{status.serving} of {status.expected} processes serve.")
    streams = status.now.streams
    under_way = f"{count(streams)} stream{'s' * (streams != 1)} under way"
    parts.append(f"{under_way}, {throughput(status.now.served)}.")
    refused = sum(status.refusals.values())
    if refused:
        most = next(iter(status.refusals))
        share = f"{count(refused)} of {count(max(status.calls, refused))} calls"
        parts.append(f"Refused {share} {_window(status)}, most for {most}.")
    else:
        parts.append(f"No call was refused {_window(status)}.")
    left = _certificate_left(status)
    if left is not None and left <= 0:
        parts.append(f"The TLS certificate expired {duration(-left)} ago.")
    elif left is not None and left < CERTIFICATE_SECONDS:
        parts.append(f"The TLS certificate expires in {duration(left)}.")
    return " ".join(parts)


def _certificate_left(status: Status) -> float | None:
    """Return for how many seconds the certificate is valid; None without TLS."""
    expires_at = status.certificate_expires_at
    return None if expires_at is None else expires_at - status.time


def _window(status: Status) -> str:
    lately = status.window_seconds
    return f"in the last {duration(lately) if lately < 60 else f'{lately / 60:.0f} min'}"


def _refusals(status: Status) -> str:
    if not status.refusals:
        return f'<p class="calm">None {_window(status)}.</p>'
    most = max(status.refusals.values())
    rows = (
        f'<tr><th scope="row"><code>{escape(reason)}</code></th>'
        f"<td>{_bar(calls / most, 'refused')}</td><td>{count(calls)}</td></tr>"
        for reason, calls in status.refusals.items()
    )
    return f'<table class="bars"><tbody>{"".join(rows)}</tbody></table>'


def _resource(resource: Resource) -> str:
    show = size if resource.name.endswith("_bytes") else count
    share = resource.held / resource.limit if resource.limit else 0.0
    return (
        f'<tr><th scope="row">{escape(RESOURCES.get(resource.name, resource.name))}</th>'
        f"<td>{_bar(share, 'high' if share >= HIGH_SHARE else 'used')}</td>"
        f"<td>{show(resource.held)} <small>of {show(resource.limit)}</small></td></tr>"
    )


def _bar(share: float, kind: str) -> str:
    return (
        '<svg class="bar" aria-hidden="true"><rect class="track" width="100%" height="100%"/>'
        f'<rect class="{kind}" width="{min(share, 1.0):.1%}" height="100%"/></svg>'
    )


def _waiting(status: Status) -> str:
    some = [f"{count(jobs)} {lane}" for lane, jobs in status.waiting.items() if jobs]
    return f"Jobs that wait for their turn: {', '.join(some) or 'none'}."


def _is_shown(method: MethodStatus) -> bool:
    """Return whether a method has a row: one that the server does not have needs a reason."""
    return method.name != "unknown" or method.ended_total > 0


def _method(method: MethodStatus) -> str:
    ended = sum(method.codes.values())
    others = {code: calls for code, calls in method.codes.items() if code != "OK"}
    words = "".join(
        f"<span>{count(calls)} <code>{escape(code)}</code></span>" for code, calls in others.items()
    )
    name = escape(method.name if method.name != "unknown" else "unknown methods")
    cells = (
        f"<td>{count(ended)}</td>",
        f'<td class="spare">{count(sum(others.values()))}</td>',
        f"<td>{seconds(method.seconds.median)}</td>",
        f"<td>{seconds(method.seconds.p99)}</td>",
        f'<td class="spare">{count(method.ended_total)}</td>',
    )
    codes = f'<span class="codes">{words}</span>' if words else ""
    kind = "" if ended else ' class="quiet"'
    return f'<tr{kind}><th scope="row">{name}{codes}</th>{"".join(cells)}</tr>'


def _first_chunk(status: Status) -> str:
    times = status.first_chunk_seconds
    if times.median is None:
        return f"No stream began {_window(status)}."
    return (
        f"A stream's first chunk came after {seconds(times.median)} in the median, "
        f"and after {seconds(times.p99)} at the 99th percentile."
    )


def _processes(status: Status) -> Iterable[str]:
    for each in status.processes:
        cells: Sequence[str] = (
            f"{each.cores:.2f}",
            size(each.memory_bytes),
            f"{count(each.open_files)} <small>of {count(each.max_files)}</small>",
        )
        row = "".join(f"<td>{cell}</td>" for cell in cells)
        yield f'<tr><th scope="row">{escape(each.name or "server")}</th>{row}</tr>'


def _facts(status: Status) -> str:
    served = [
        f"{size(total)} {LANES.get(lane, lane)}"
        for lane, total in status.served_bytes.items()
        if total
    ]
    facts = {
        "Version": status.version or NOTHING,
        "Numerics": status.numerics or NOTHING,
        "Backend": status.backend or NOTHING,
        "Device": ", ".join(status.devices) or NOTHING,
        "Threads": count(status.threads),
        "Certificate": _certificate(status),
        "Processes": f"{status.serving} of {status.expected} serve",
        "Up for": duration(status.uptime_seconds),
        "Sampled": size(status.sampled_bytes),
        "Served": ", ".join(served) or size(0),
    }
    return "".join(
        f"<div><dt>{name}</dt><dd>{escape(value)}</dd></div>" for name, value in facts.items()
    )


def _certificate(status: Status) -> str:
    if status.certificate_expires_at is None:
        # Nothing is known before it serves.
        return "none, TLS is off" if status.backend else NOTHING
    day = time.strftime("%Y-%m-%d", time.gmtime(status.certificate_expires_at))
    return f"until {day}"
