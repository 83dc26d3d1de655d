// Answers the conformance kit: a JSON object a line in, one a line out.

import { createInterface } from "node:readline";
import {
  type DescMessage,
  fromJson,
  type JsonObject,
  type JsonValue,
  toJson,
} from "@bufbuild/protobuf";
import { TensorDescriptionSchema } from "../build/generated/seedbed/v1/descriptions_pb.js";
import {
  DescribeTensorsRequestSchema,
  DigestTensorsRequestSchema,
  GetServerInfoResponseSchema,
  SampleSmallTensorRequestSchema,
  SampleTensorsRequestSchema,
  type TensorDigest,
} from "../build/generated/seedbed/v1/service_pb.js";
import { Client } from "./client.js";
import { Failure } from "./failure.js";
import { hex } from "./hash.js";
import { algorithmName, algorithmOf, tensorToJson } from "./tensor.js";

type Request = { id: number; op: string; target: string } & Record<string, JsonValue>;

export async function conformance(): Promise<void> {
  for await (const line of createInterface({ input: process.stdin })) {
    const request: Request = JSON.parse(line);
    console.log(JSON.stringify({ id: request.id, ...(await answer(request)) }));
  }
}

async function answer(request: Request): Promise<object> {
  try {
    return { result: await result(request) };
  } catch (error) {
    if (error instanceof Failure) {
      return { error: error.toJson() };
    }
    throw error;
  }
}

async function result(request: Request): Promise<unknown> {
  const client = new Client(request.target);
  switch (request.op) {
    case "info": {
      const info = toJson(GetServerInfoResponseSchema, await client.info(), NAMES) as JsonObject;
      const { version, numerics, capabilities = [], digest_algorithms } = info;
      return { version, numerics, capabilities, digest_algorithms };
    }
    case "list":
      return { initializers: (await client.list()).initializers.map(({ field }) => field) };
    case "describe": {
      const found = await client.describe(read(DescribeTensorsRequestSchema, request));
      const shown = found.map((one) => ({ ...one, request: undefined }));
      return { tensors: shown.map((one) => toJson(TensorDescriptionSchema, one, NAMES)) };
    }
    case "digest":
      return digestsToJson(await client.digest(read(DigestTensorsRequestSchema, request)));
    case "fetch": {
      const message = read(SampleTensorsRequestSchema, request);
      const tensors = await client.fetch(message);
      return { tensors: tensors.map((one) => tensorToJson(one, algorithmOf(message))) };
    }
    case "fetch_small": {
      const message = read(SampleSmallTensorRequestSchema, request);
      const tensor = await client.fetchSmall(message);
      return { tensors: [tensorToJson(tensor, algorithmOf(message))] };
    }
    default:
      throw new Error(`an unknown op: ${request.op}`);
  }
}

/** protobuf's JSON mapping with the schema's own names of fields. */
export const NAMES = { useProtoFieldName: true };

/** Reads a request message from those keys that are its fields. */
function read<D extends DescMessage>(schema: D, request: Request) {
  const json: Record<string, JsonValue> = { numerics: "NUMERICS_SEEDBED_1" };
  for (const { name } of schema.fields) {
    const value = request[name];
    if (value !== undefined) {
      json[name] = value;
    }
  }
  return fromJson(schema, json);
}

export function digestsToJson(digests: TensorDigest[]): object {
  return {
    digests: digests.map(({ digest }) => ({
      algorithm: algorithmName(digest!.algorithm),
      value: hex(digest!.value),
      size_bytes: Number(digest!.sizeBytes),
    })),
  };
}
