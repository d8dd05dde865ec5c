import { describe, expect, it } from "vitest";
import { ParasausError } from "../../foundation/index.ts";
import { failureStatus, toRefusal } from "./status.ts";

describe("failureStatus", () => {
  it("gives every wrong field as a cause, which kubectl prints", () => {
    const refusal = new ParasausError("Invalid", 'Pool "web" is invalid', {
      object: { group: "parasaus.io", kind: "Pool", name: "web" },
      fields: [{ field: "spec.port", reason: "FieldValueInvalid", message: "0 is not between 1 and 65535" }],
    });
    expect(failureStatus(refusal)).toEqual({
      apiVersion: "v1",
      kind: "Status",
      metadata: {},
      status: "Failure",
      message: 'Pool "web" is invalid: spec.port: 0 is not between 1 and 65535',
      reason: "Invalid",
      details: {
        group: "parasaus.io",
        kind: "Pool",
        name: "web",
        causes: [
          { field: "spec.port", reason: "FieldValueInvalid", message: "0 is not between 1 and 65535" },
        ],
      },
      code: 422,
    });
  });

  it("does not repeat a field that the message names already", () => {
    const fields = [{ field: "spec.x", reason: "FieldValueInvalid", message: "unknown" }] as const;
    expect(failureStatus(new ParasausError("BadRequest", "spec.x is unknown", { fields })).message).toBe(
      "spec.x is unknown",
    );
  });
});

describe("toRefusal", () => {
  it("keeps what an unexpected failure says from the client", () => {
    expect(failureStatus(toRefusal(new Error("password=hunter2")))).toMatchObject({
      code: 500,
      reason: "InternalError",
      message: "Cannot answer the request: an internal error occurred, see the server's log",
    });
  });
});
