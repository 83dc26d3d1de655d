// Whom the client trusts, and who it says it is: TLS, and the token of each call.

import { readFileSync } from "node:fs";
import * as grpc from "@grpc/grpc-js";

export interface Access {
  readonly credentials: grpc.ChannelCredentials;
  readonly interceptors: grpc.Interceptor[];
}

/** For a server that has no certificate and asks nobody who calls. */
export const PLAIN: Access = { credentials: grpc.credentials.createInsecure(), interceptors: [] };

/** Options of the command line, as `node:util` parses them. Each file of TLS implies `tls`. */
export const ACCESS_OPTIONS = {
  tls: { type: "boolean" },
  "tls-ca": { type: "string" },
  "tls-cert": { type: "string" },
  "tls-key": { type: "string" },
  "token-file": { type: "string" },
} as const;

interface Options {
  tls?: boolean;
  "tls-ca"?: string;
  "tls-cert"?: string;
  "tls-key"?: string;
  "token-file"?: string;
}

// Targets that are on this machine whatever a resolver says.
const STAYS_HERE = /^(unix:|localhost:|127\.\d+\.\d+\.\d+:|\[::1\]:)/;

export function accessOf(target: string, options: Options): Access {
  const { tls, "tls-ca": ca, "tls-cert": cert, "tls-key": key, "token-file": token } = options;
  const isTls = tls || ca !== undefined || cert !== undefined || key !== undefined;
  if (token !== undefined && !isTls && !STAYS_HERE.test(target)) {
    throw new Error(`anyone on the way to ${target} could read the token: give --tls-ca or --tls`);
  }
  return {
    credentials: isTls
      ? grpc.credentials.createSsl(contentOf(ca), contentOf(key), contentOf(cert))
      : grpc.credentials.createInsecure(),
    interceptors: token === undefined ? [] : [bearer(readFileSync(token, "utf8").trim())],
  };
}

function contentOf(path?: string): Buffer | undefined {
  return path === undefined ? undefined : readFileSync(path);
}

// Metadata, as grpc-js has call credentials for TLS only, and a server without it may want a token.
function bearer(token: string): grpc.Interceptor {
  return (options, nextCall) =>
    new grpc.InterceptingCall(nextCall(options), {
      start(metadata, listener, next) {
        metadata.set("authorization", `Bearer ${token}`);
        next(metadata, listener);
      },
    });
}
