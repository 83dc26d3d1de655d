/** Refused arguments. */

/** An argument that no tensor can be made of; `argument` names it. */
export class ArgumentError extends RangeError {
  override readonly name = "ArgumentError";

  constructor(
    readonly argument: string,
    allowed: string,
    received: unknown,
  ) {
    super(`${argument} ${allowed}. Received: ${shown(received)}`);
  }
}

/** Throws unless `holds`: "shape must be ... Received: ...". */
export function require(
  holds: boolean,
  argument: string,
  allowed: string,
  received: unknown,
): asserts holds {
  if (!holds) throw new ArgumentError(argument, allowed, received);
}

function shown(value: unknown): string {
  if (typeof value === "bigint") return `${value}`;
  if (typeof value === "number") return Object.is(value, -0) ? "-0" : `${value}`;
  if (Array.isArray(value)) return `[${value.map(shown).join(", ")}]`;
  return JSON.stringify(value) ?? String(value);
}
