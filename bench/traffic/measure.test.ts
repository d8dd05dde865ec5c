import { expect, it } from "vitest";
import { parseWrk } from "./measure.ts";

it("reads rate, latency and errors of wrk, whatever unit it prints", () => {
  const output = `  Latency Distribution
     50%  511.00us
     99%    2.50ms
  12000 requests in 1.00s, 1.00MB read
  Socket errors: connect 1, read 2, write 0, timeout 3
Requests/sec:  11999.50
`;
  expect(parseWrk(output)).toEqual({ rate: 11_999.5, p99Ms: 2.5, errorCount: 6 });
  expect(parseWrk(output.replace("2.50ms", "900.00us")).p99Ms).toBeCloseTo(0.9);
});

it("refuses output that it cannot read, instead of counting a zero", () => {
  expect(() => parseWrk("unable to connect")).toThrow(/Cannot read wrk/);
});
