import { request } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DEFINITIONS, poolDefinition } from "../../src/model/index.ts";
import { BAD_INPUTS, type BadInput, STORED_POOL } from "../fixtures/bad-input.ts";
import { type ApiServer, startApiServer } from "./api-server.ts";

interface Answer {
  readonly status: number;
  readonly body: string;
}

let server: ApiServer;
let before: unknown;

beforeAll(async () => {
  server = await startApiServer();
  const pool = {
    metadata: { name: STORED_POOL, namespace: "shop" },
    spec: { members: [{ ip: "10.0.0.1", port: 80 }] },
  };
  await server.resources.create(poolDefinition, pool, { operator: "test" });
  before = await everything();
});

afterAll(() => server[Symbol.asyncDispose]());

/** Every object of every kind, Operations included. */
async function everything(): Promise<unknown> {
  return await Promise.all(
    DEFINITIONS.map(async (definition) => (await server.resources.list(definition)).items),
  );
}

/** Not fetch: a server may answer and hang up before a large body is sent, which fetch calls a failure. */
async function send(input: BadInput): Promise<Answer> {
  const { promise, resolve, reject } = withResolvers<Answer>();
  const sent = request(
    `${server.url}${input.path}`,
    { method: input.method, headers: { "content-type": input.contentType } },
    (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => {
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() });
        sent.destroy();
      });
    },
  );
  sent.on("error", reject);
  sent.end(input.body());
  return await promise;
}

function withResolvers<T>() {
  let resolve: (value: T) => void = () => undefined;
  let reject: (reason: unknown) => void = () => undefined;
  const promise = new Promise<T>((accept, refuse) => {
    resolve = accept;
    reject = refuse;
  });
  return { promise, resolve, reject };
}

describe("bad input", () => {
  it.each(BAD_INPUTS)("is refused with the field's path: $name", async (input) => {
    const { status, body } = await send(input);
    expect(status, body.slice(0, 500)).toBe(input.expectStatus);
    const answer = JSON.parse(body) as {
      kind: string;
      message: string;
      details?: { causes?: { field: string }[] };
    };
    expect(answer).toMatchObject({ apiVersion: "v1", kind: "Status", status: "Failure", code: status });
    const fields = (answer.details?.causes ?? []).map(({ field }) => field);
    const named =
      input.expectField === undefined ||
      fields.includes(input.expectField) ||
      answer.message.includes(input.expectField);
    expect(named, `${input.expectField} in ${body.slice(0, 500)}`).toBe(true);
    expect(body).not.toMatch(/ at .*\.(?:ts|js):\d+/);
  });

  it("left everything that is stored as it was, and the server answers", async () => {
    expect(await everything()).toEqual(before);
    expect((await fetch(`${server.url}/livez`)).status).toBe(200);
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
    process.stdout.write(`${BAD_INPUTS.length} bad requests refused, nothing stored\n`);
  });
});
