import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatEmptyPassword, formatLogin, framePacket, readMessage, takePacket } from "./mysql-packets.ts";

describe("MySQL packets", () => {
  it("takes a framed packet off again, however it is cut, and leaves the rest", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 255 }),
        fc.uint8Array({ minLength: 1, maxLength: 300 }),
        fc.uint8Array({ maxLength: 20 }),
        (sequence, payload, extra) => {
          const whole = Buffer.concat([framePacket(sequence, Buffer.from(payload)), Buffer.from(extra)]);
          expect(takePacket(whole)).toEqual({
            packet: { sequence, payload: Buffer.from(payload) },
            rest: Buffer.from(extra),
          });
          expect(takePacket(whole.subarray(0, 3 + payload.length))).toBeUndefined();
        },
      ),
    );
  });

  it("refuses lengths that no server sends before the login, so that nothing is buffered for ever", () => {
    expect(takePacket(Buffer.from("HTTP/1.1 400 Bad Request"))).toBe("garbage");
    expect(takePacket(Buffer.from([0, 0, 0, 0]))).toBe("garbage");
  });

  it("reads errors with and without SQL state, greetings and switches", () => {
    expect(readMessage(Buffer.from("\xff\x15\x04#28000Access denied", "latin1"))).toEqual({
      kind: "error",
      errorNumber: 1045,
      message: "Access denied",
    });
    expect(readMessage(Buffer.from("\xff\x69\x04Host 'x' is blocked", "latin1"))).toEqual({
      kind: "error",
      errorNumber: 1129,
      message: "Host 'x' is blocked",
    });
    expect(readMessage(Buffer.from("\x0a8.0.36\0more", "latin1"))).toEqual({
      kind: "greeting",
      serverVersion: "8.0.36",
    });
    expect(readMessage(Buffer.from("\xfecaching_sha2_password\0salt", "latin1"))).toEqual({
      kind: "auth-switch",
      plugin: "caching_sha2_password",
    });
  });

  it("never throws on any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        takePacket(Buffer.from(bytes));
        readMessage(Buffer.from(bytes));
      }),
    );
  });

  it("formats a login as the protocol says: capabilities, packet size, charset, 23 zeros, user, no password, plugin", () => {
    const login = formatLogin("nobody");
    expect(login.readUInt32LE(0)).toBe(0x1 | 0x200 | 0x8000 | 0x80000);
    expect(login.subarray(9, 32).every((byte) => byte === 0)).toBe(true);
    expect(login.toString("latin1", 32)).toBe("nobody\0\0mysql_native_password\0");
  });

  it("answers every plugin with an empty password of the length that it expects", () => {
    const lengths = ["mysql_native_password", "caching_sha2_password", "client_ed25519"].map(
      (plugin) => formatEmptyPassword(plugin).length,
    );
    expect(lengths).toEqual([0, 1, 64]);
  });
});
