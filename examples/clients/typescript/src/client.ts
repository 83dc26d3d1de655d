// The calls of one server, each tried until it ends well or cannot.

import { setTimeout as sleep } from "node:timers/promises";
import {
  create,
  type DescMessage,
  type DescMethod,
  fromBinary,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import * as grpc from "@grpc/grpc-js";
import type { TensorDescription } from "../build/generated/seedbed/v1/descriptions_pb.js";
import {
  type DescribeTensorsRequest,
  type DigestTensorsRequest,
  type GetServerInfoResponse,
  type ListInitializersResponse,
  type SampleSmallTensorRequest,
  type SampleTensorsRequest,
  SeedbedService,
  type TensorDigest,
} from "../build/generated/seedbed/v1/service_pb.js";
import type { TensorRequest } from "../build/generated/seedbed/v1/tensors_pb.js";
import { type Access, PLAIN } from "./access.js";
import { Assembler } from "./assembler.js";
import { check, damage, Failure, failureOf } from "./failure.js";
import { hashOf, xxh3Hex } from "./hash.js";
import { algorithmOf, type Tensor } from "./tensor.js";
import { checkHeader, checkUnderstood, sizeBytesOf } from "./understood.js";

/** So many failures without progress in between end a call. */
const MOST_FAILURES = 6;
/** How long a stream may be silent: a server that computes sends a heartbeat every 5 seconds. */
const SILENCE_MILLIS = 12_000;
const UNARY_MILLIS = 30_000;
const FIRST_BACKOFF_MILLIS = 50;

export class Client {
  readonly #target: string;
  readonly #access: Access;

  constructor(target: string, access: Access = PLAIN) {
    this.#target = target;
    this.#access = access;
  }

  info(): Promise<GetServerInfoResponse> {
    const method = SeedbedService.method.getServerInfo;
    return this.#retrying(async (connection) => {
      const answer = await unary(connection, method, create(method.input));
      return parse(method.output, withoutDamage(answer));
    });
  }

  list(): Promise<ListInitializersResponse> {
    const method = SeedbedService.method.listInitializers;
    return this.#retrying(async (connection) => {
      const answer = await unary(connection, method, create(method.input));
      return parse(method.output, withoutDamage(answer));
    });
  }

  describe(request: DescribeTensorsRequest): Promise<TensorDescription[]> {
    const method = SeedbedService.method.describeTensors;
    return this.#retrying(async (connection) => {
      const found: TensorDescription[] = [];
      for await (const message of stream(connection, method, request)) {
        const answer = parse(method.output, withoutDamage(message));
        check(answer.numerics === request.numerics, "other numerics than those asked for");
        for (const one of answer.tensors) {
          checkUnderstood(due(request.tensors, found), one.request);
          found.push(one);
        }
      }
      check(found.length === request.tensors.length, "the stream ended too early");
      return found;
    });
  }

  digest(request: DigestTensorsRequest): Promise<TensorDigest[]> {
    const method = SeedbedService.method.digestTensors;
    return this.#retrying(async (connection) => {
      const found: TensorDigest[] = [];
      for await (const message of stream(connection, method, request)) {
        const answer = parse(method.output, withoutDamage(message));
        check(answer.numerics === request.numerics, "other numerics than those asked for");
        for (const one of answer.tensors) {
          const asked = due(request.tensors, found);
          checkUnderstood(asked, one.request);
          const isRight =
            one.tensorIndex === BigInt(found.length) &&
            one.digest?.algorithm === algorithmOf(request) &&
            one.digest.sizeBytes === BigInt(sizeBytesOf(asked));
          check(isRight, "a digest of something else");
          found.push(one);
        }
      }
      check(found.length === request.tensors.length, "the stream ended too early");
      return found;
    });
  }

  fetch(request: SampleTensorsRequest): Promise<Tensor[]> {
    const method = SeedbedService.method.sampleTensors;
    const assembler = new Assembler(request);
    const attempt = async (connection: grpc.Client): Promise<Tensor[]> => {
      for await (const message of stream(connection, method, assembler.nextRequest())) {
        parse(method.output, message).parts.forEach((part) => assembler.accept(part));
      }
      check(assembler.isDone, "the stream ended too early");
      return assembler.tensors;
    };
    return this.#retrying(attempt, () => assembler.progress);
  }

  fetchSmall(request: SampleSmallTensorRequest): Promise<Tensor> {
    const method = SeedbedService.method.sampleSmallTensor;
    return this.#retrying(async (connection) => {
      const answer = parse(method.output, await unary(connection, method, request));
      const { header, digest, data } = answer;
      check(header !== undefined && digest !== undefined, "half an answer");
      checkHeader(request.tensor!, request.numerics, header);
      const algorithm = algorithmOf(request);
      const isRight =
        digest.algorithm === algorithm &&
        header.totalBytes === BigInt(data.length) &&
        digest.sizeBytes === BigInt(data.length) &&
        Buffer.from(hashOf(algorithm, data)).equals(digest.value);
      check(isRight, "the tensor's digest is wrong");
      return { index: 0, bytes: data };
    });
  }

  /** Tries on a new connection each time, as the way to a server may be what is broken. */
  async #retrying<T>(
    attempt: (connection: grpc.Client) => Promise<T>,
    progress: () => number = () => 0,
  ): Promise<T> {
    for (let failures = 0; ; ) {
      const before = progress();
      const connection = new grpc.Client(this.#target, this.#access.credentials, {
        interceptors: this.#access.interceptors,
        // Else grpc-js takes another client's connection to the same address.
        "grpc.use_local_subchannel_pool": 1,
      });
      try {
        return await attempt(connection);
      } catch (error) {
        failures = progress() > before ? 1 : failures + 1;
        const isFinal = !(error instanceof Failure) || !error.isWorthAnotherTry;
        if (isFinal || failures >= MOST_FAILURES) {
          throw error;
        }
        const backoff = FIRST_BACKOFF_MILLIS * 2 ** (failures - 1);
        await sleep(error.retrySeconds === undefined ? backoff : error.retrySeconds * 1000);
      } finally {
        connection.close();
      }
    }
  }
}

/** Returns the tensor of the request that an answer must be for. */
function due(requests: TensorRequest[], found: unknown[]): TensorRequest {
  const asked = requests[found.length];
  check(asked !== undefined, "one tensor too many");
  return asked;
}

function path(method: DescMethod): string {
  return `/${method.parent.typeName}/${method.name}`;
}

// Messages go to gRPC and come from it as bytes: checksums and request hashes are of these.
const asBytes = (bytes: Uint8Array): Buffer => Buffer.from(bytes);

function unary<D extends DescMethod>(
  connection: grpc.Client,
  method: D,
  message: MessageShape<D["input"]>,
): Promise<Uint8Array> {
  const request = toBinary<D["input"]>(method.input, message);
  const options = { deadline: Date.now() + UNARY_MILLIS };
  return new Promise((resolve, reject) => {
    connection.makeUnaryRequest(
      path(method),
      asBytes,
      asBytes,
      request,
      options,
      (error: grpc.ServiceError | null, answer?: Uint8Array) =>
        error === null ? resolve(answer!) : reject(failureOf(error, request)),
    );
  });
}

async function* stream<D extends DescMethod>(
  connection: grpc.Client,
  method: D,
  message: MessageShape<D["input"]>,
): AsyncGenerator<Uint8Array> {
  const request = toBinary<D["input"]>(method.input, message);
  const call = connection.makeServerStreamRequest(path(method), asBytes, asBytes, request);
  const alarm = setTimeout(() => call.cancel(), SILENCE_MILLIS);
  try {
    for await (const answer of call) {
      yield answer as Uint8Array;
      alarm.refresh();
    }
  } catch (error) {
    throw failureOf(error as grpc.ServiceError, request);
  } finally {
    clearTimeout(alarm);
    call.on("error", () => {}); // That of the cancelled call; nobody waits for it any more.
    call.cancel();
  }
}

/** Returns a message whose checksum, its last field (15, a fixed64), is right. */
function withoutDamage(message: Uint8Array): Uint8Array {
  const end = message.length - 9;
  check(end >= 0 && message[end] === ((15 << 3) | 1), "a message without a checksum");
  const checksum = Buffer.from(message.subarray(end + 1)).readBigUInt64LE();
  const expected = BigInt(`0x${xxh3Hex(message.subarray(0, end))}`);
  check(checksum === expected, "the checksum of the message is wrong");
  return message;
}

function parse<D extends DescMessage>(schema: D, bytes: Uint8Array): MessageShape<D> {
  try {
    return fromBinary(schema, bytes);
  } catch (error) {
    throw damage(`the message is damaged: ${error}`);
  }
}
