// Why a call failed: what the server said, or what this client found wrong in an answer.

import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { fromBinary } from "@bufbuild/protobuf";
import { type Any, anyUnpack } from "@bufbuild/protobuf/wkt";
import { type ServiceError, status } from "@grpc/grpc-js";
import {
  BadRequestSchema,
  ErrorInfoSchema,
  RetryInfoSchema,
} from "../build/generated/google/rpc/error_details_pb.js";
import { StatusSchema } from "../build/generated/google/rpc/status_pb.js";
import { xxh3Hex } from "./hash.js";

// What a connection that breaks may end a call with, where no server has said anything.
const BROKEN = new Set([
  status.ABORTED,
  status.CANCELLED,
  status.DATA_LOSS,
  status.DEADLINE_EXCEEDED,
  status.INTERNAL,
  status.UNAVAILABLE,
  status.UNKNOWN,
]);

export class Failure extends Error {
  readonly code: status;
  readonly isWorthAnotherTry: boolean;
  reason?: string;
  fields?: string[];
  retrySeconds?: number;

  constructor(code: status, isWorthAnotherTry: boolean, message: string) {
    super(message);
    this.code = code;
    this.isWorthAnotherTry = isWorthAnotherTry;
  }

  toJson(): object {
    return {
      code: status[this.code],
      reason: this.reason,
      fields: this.fields,
      retry_seconds: this.retrySeconds,
      message: this.message,
    };
  }
}

/** Returns the failure for an answer that is not what was asked for. */
export function damage(message: string): Failure {
  return new Failure(status.DATA_LOSS, true, message);
}

/** Throws unless something holds of an answer. */
export function check(holds: boolean, otherwise: string): asserts holds {
  if (!holds) {
    throw damage(otherwise);
  }
}

/** Returns what a status says of the request whose bytes were sent. */
export function failureOf(error: ServiceError, request: Uint8Array): Failure {
  const details = detailsOf(error);
  const info = find(details, ErrorInfoSchema);
  const retry = find(details, RetryInfoSchema);
  if (info?.domain !== "seedbed") {
    return new Failure(error.code, BROKEN.has(error.code), error.details);
  }
  // A bit may have flipped on the way: the refusal of another request says nothing of ours.
  if (retry === undefined && info.metadata["request_xxh3_64"] !== xxh3Hex(request)) {
    return damage(`the server refused another request: ${error.details}`);
  }
  const failure = new Failure(error.code, retry !== undefined, error.details);
  failure.reason = info.reason;
  failure.fields = find(details, BadRequestSchema)?.fieldViolations.map(({ field }) => field);
  if (retry !== undefined) {
    const delay = retry.retryDelay;
    failure.retrySeconds = Number(delay?.seconds ?? 0n) + (delay?.nanos ?? 0) / 1e9;
  }
  return failure;
}

function detailsOf(error: ServiceError): Any[] {
  const [bytes] = error.metadata?.get("grpc-status-details-bin") ?? [];
  try {
    return bytes instanceof Uint8Array ? fromBinary(StatusSchema, bytes).details : [];
  } catch {
    return []; // Damaged, so the status has none.
  }
}

function find<D extends DescMessage>(details: Any[], schema: D): MessageShape<D> | undefined {
  for (const detail of details) {
    try {
      const found = anyUnpack(detail, schema);
      if (found !== undefined) {
        return found;
      }
    } catch {
      return undefined;
    }
  }
  return undefined;
}
