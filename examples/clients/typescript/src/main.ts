// The command line: see README.md.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { create, fromJsonString, toJson } from "@bufbuild/protobuf";
import {
  DescribeTensorsRequestSchema,
  DescribeTensorsResponseSchema,
  DigestTensorsRequestSchema,
  GetServerInfoResponseSchema,
  ListInitializersResponseSchema,
  type SampleTensorsRequest,
  SampleTensorsRequestSchema,
} from "../build/generated/seedbed/v1/service_pb.js";
import { ACCESS_OPTIONS, accessOf } from "./access.js";
import { Client } from "./client.js";
import { conformance, digestsToJson, NAMES } from "./conformance.js";
import { Failure } from "./failure.js";
import { algorithmOf, tensorToJson } from "./tensor.js";

const USAGE = `\
usage: client TARGET info | list | describe MANIFEST | digest MANIFEST | fetch MANIFEST [DIRECTORY]
       client conformance
options: --tls --tls-ca FILE --tls-cert FILE --tls-key FILE --token-file FILE`;

async function run(client: Client, command: string, file?: string, directory?: string) {
  if (command === "info") {
    return toJson(GetServerInfoResponseSchema, await client.info(), NAMES);
  }
  if (command === "list") {
    return toJson(ListInitializersResponseSchema, await client.list(), NAMES);
  }
  if (file === undefined) {
    throw new Error(USAGE);
  }
  const manifest = fromJsonString(SampleTensorsRequestSchema, readFileSync(file, "utf8"));
  const { tensors, numerics, digestAlgorithm } = manifest;
  switch (command) {
    case "describe": {
      const request = create(DescribeTensorsRequestSchema, { tensors, numerics });
      const found = await client.describe(request);
      const shown = create(DescribeTensorsResponseSchema, { tensors: found, numerics });
      return toJson(DescribeTensorsResponseSchema, shown, NAMES);
    }
    case "digest": {
      const request = create(DigestTensorsRequestSchema, { tensors, numerics, digestAlgorithm });
      return digestsToJson(await client.digest(request));
    }
    case "fetch":
      return fetch(client, manifest, directory);
    default:
      throw new Error(USAGE);
  }
}

async function fetch(client: Client, manifest: SampleTensorsRequest, directory?: string) {
  const tensors = await client.fetch(manifest);
  if (directory !== undefined) {
    mkdirSync(directory, { recursive: true });
    tensors.forEach(({ index, bytes }) => writeFileSync(join(directory, `${index}.bin`), bytes));
  }
  return { tensors: tensors.map((one) => tensorToJson(one, algorithmOf(manifest))) };
}

const { values, positionals } = parseArgs({ options: ACCESS_OPTIONS, allowPositionals: true });
const [target, command, file, directory] = positionals;
if (target === "conformance") {
  await conformance();
} else if (target === undefined || command === undefined) {
  console.error(USAGE);
  process.exitCode = 2;
} else {
  try {
    const client = new Client(target, accessOf(target, values));
    console.log(JSON.stringify(await run(client, command, file, directory), null, 2));
  } catch (error) {
    const shown = error instanceof Failure ? JSON.stringify(error.toJson(), null, 2) : error;
    console.error(shown);
    process.exitCode = 1;
  }
}
