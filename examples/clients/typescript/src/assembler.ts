// Puts a request's tensors together from as many streams as it takes.
//
// Every byte is verified before it counts, and the next stream begins at the first one that does
// not. A tensor is one array here, so of at most 4 GiB.

import { create } from "@bufbuild/protobuf";
import type { SampleTensorsRequest } from "../build/generated/seedbed/v1/service_pb.js";
import {
  type Chunk,
  ResumePointSchema,
  type TensorPart,
} from "../build/generated/seedbed/v1/streams_pb.js";
import type { Digest, DigestAlgorithm } from "../build/generated/seedbed/v1/tensors_pb.js";
import { check } from "./failure.js";
import { type Hash, newHash } from "./hash.js";
import { algorithmOf, type Tensor } from "./tensor.js";
import { checkHeader, itemBytesOf, sizeBytesOf } from "./understood.js";

export class Assembler {
  readonly tensors: Tensor[] = [];
  readonly #request: SampleTensorsRequest;
  readonly #algorithm: DigestAlgorithm;

  // The tensor that is due, its first byte, and the next one.
  #index: number;
  #start: number;
  #next: number;
  #bytes: Uint8Array | undefined;
  #verifiedBytes = 0;

  // What belongs to one stream: it has its own headers and digests.
  #isResumed = false;
  #hasHeader = false;
  #streamStart = 0;
  #running: Hash;

  constructor(request: SampleTensorsRequest) {
    this.#request = request;
    this.#algorithm = algorithmOf(request);
    this.#index = Number(request.resume?.tensorIndex ?? 0n);
    this.#start = Number(request.resume?.byteOffset ?? 0n);
    this.#next = this.#start;
    this.#running = newHash(this.#algorithm);
  }

  get isDone(): boolean {
    return this.#index >= this.#request.tensors.length;
  }

  /** What grows as something is verified: it tells whether a try got further. */
  get progress(): number {
    return this.#verifiedBytes + this.tensors.length;
  }

  /** Returns the request for all that is missing, and expects its stream. */
  nextRequest(): SampleTensorsRequest {
    const hasBegun = this.progress > 0;
    this.#isResumed = hasBegun || this.#request.resume !== undefined;
    this.#begin(this.#next);
    if (!hasBegun) {
      return this.#request;
    }
    const resume = create(ResumePointSchema, {
      tensorIndex: BigInt(this.#index),
      byteOffset: BigInt(this.#next),
    });
    return { ...this.#request, resume };
  }

  #begin(offset: number): void {
    this.#next = offset;
    this.#streamStart = offset;
    this.#hasHeader = false;
    this.#running = newHash(this.#algorithm);
  }

  accept(part: TensorPart): void {
    const asked = this.#request.tensors[this.#index];
    check(asked !== undefined && part.tensorIndex === BigInt(this.#index), "a part out of turn");
    check((part.header !== undefined) !== this.#hasHeader, "a header out of turn");
    if (part.header !== undefined) {
      checkHeader(asked, this.#request.numerics, part.header);
      this.#hasHeader = true;
      const size = sizeBytesOf(asked) - this.#start;
      check(size >= 0, "a tensor that ends before the resume point");
      // The header agrees with the request, so the size is ours and not a damaged one.
      this.#bytes ??= new Uint8Array(size);
    }
    const { content } = part;
    check(content.case !== "segment", "a segment that nobody asked for");
    if (content.case === "chunk") {
      this.#acceptChunk(content.value, itemBytesOf(asked));
    } else if (content.case === "fill") {
      this.#acceptFill(content.value, itemBytesOf(asked), part.digest);
    }
    if (part.digest !== undefined) {
      this.#end(part.digest);
    }
  }

  #acceptChunk({ byteOffset, data, digest }: Chunk, itemBytes: number): void {
    if (data.length === 0) {
      return; // A heartbeat: the server is still computing.
    }
    const bytes = this.#bytes!;
    const at = this.#next - this.#start;
    const fits = data.length <= bytes.length - at && data.length % itemBytes === 0;
    check(byteOffset === BigInt(this.#next) && fits, "a chunk out of place");
    this.#running.update(data);
    check(this.#isRunning(digest), `a wrong running digest at byte ${this.#next}`);
    bytes.set(data, at);
    this.#next += data.length;
    this.#verifiedBytes += data.length;
  }

  #acceptFill(element: Uint8Array, itemBytes: number, digest: Digest | undefined): void {
    const isAllowed = this.#request.transfer?.acceptsFill === true && !this.#isResumed;
    const isWhole = element.length === itemBytes && this.#next === 0 && digest !== undefined;
    check(isAllowed && isWhole, "a fill out of place");
    const filled = Buffer.alloc(this.#bytes!.length, element);
    this.#running.update(filled);
    check(this.#isRunning(digest.value), "a wrong digest of a fill");
    this.#bytes = filled;
    this.#next = filled.length;
    this.#verifiedBytes += filled.length;
  }

  #end(digest: Digest): void {
    const isRight =
      digest.algorithm === this.#algorithm &&
      digest.sizeBytes === BigInt(this.#next - this.#streamStart) &&
      this.#isRunning(digest.value);
    const bytes = this.#bytes!;
    check(isRight && this.#next === this.#start + bytes.length, "a digest wrong or too early");
    this.tensors.push({ index: this.#index, bytes });
    this.#index += 1;
    this.#start = 0;
    this.#bytes = undefined;
    this.#begin(0);
  }

  #isRunning(digest: Uint8Array): boolean {
    return Buffer.from(this.#running.value()).equals(digest);
  }
}
