import { describe, expect, it } from "vitest";
import { judgeAnswer } from "./http.ts";

const EXPECT = ["200-399"];
const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n";

describe("reading an HTTP answer", () => {
  it("waits for the end of the head, byte by byte", () => {
    for (let length = 0; length < OK.length; length += 1) {
      expect(judgeAnswer(OK.slice(0, length), EXPECT, false)).toBeUndefined();
    }
    expect(judgeAnswer(OK, EXPECT, false)).toEqual(["L7OK", "HTTP/1.1 200 OK\r\n"]);
  });

  it.each([
    ["HTTP/1.0 204 No Content\n\n", "L7OK"],
    ["HTTP/1.1 399 \r\n\r\n", "L7OK"],
    ["HTTP/1.1 200\r\n\r\n", "L7OK"],
    ["HTTP/1.1 400 Bad Request\r\n\r\n", "L7STS"],
    ["HTTP/1.1 199 Odd\r\n\r\nHTTP/1.1 500 No\r\n\r\n", "L7STS"],
    ["HTTP/1.1 101 Switching\r\n\r\n", "L7STS"],
    ["HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", "L7OK"],
    ["HTTP/1.1 20 OK\r\n\r\n", "L7RSP"],
    ["HTTP/1.1 2000 OK\r\n\r\n", "L7RSP"],
    ["HTTP/2 200\r\n\r\n", "L7RSP"],
    ["SSH-2.0-OpenSSH_9.2\r\n", "L7RSP"],
    ["\0\0\0garbage", "L7RSP"],
  ])("judges %j as %s", (answer, code) => {
    expect(judgeAnswer(answer, EXPECT, false)?.[0]).toBe(code);
  });

  it.each([
    ["", "connection closed without an answer"],
    ["HTTP/1.1 2", "broken status line"],
  ])("names what is missing when the connection ends after %j", (answer, words) => {
    expect(judgeAnswer(answer, EXPECT, true)).toEqual(["L7RSP", words]);
  });

  it("takes a complete status line for an answer even when the head is cut off", () => {
    expect(judgeAnswer("HTTP/1.1 200 OK\r\nX: y", EXPECT, true)?.[0]).toBe("L7OK");
  });

  it("honours single codes and several ranges", () => {
    const expected = ["204", "300-301"];
    const codes = [200, 204, 300, 301, 302].map(
      (status) => judgeAnswer(`HTTP/1.1 ${status} x\r\n\r\n`, expected, false)?.[0],
    );
    expect(codes).toEqual(["L7STS", "L7OK", "L7OK", "L7OK", "L7STS"]);
  });
});
