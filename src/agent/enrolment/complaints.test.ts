import { expect, it } from "vitest";
import { FakeClock, type LogFacts, silentLogger } from "../../foundation/index.ts";
import { Complaints } from "./complaints.ts";

const HOUR_MS = 3_600_000;

function open() {
  const clock = new FakeClock();
  const said: string[] = [];
  const logger = {
    ...silentLogger,
    error: (event: string, { todo }: LogFacts = {}) => void said.push(`${event}; ${String(todo)}`),
    warn: (event: string) => void said.push(event),
  };
  return { clock, said, complaints: new Complaints({ nodeName: "n1", tokenFile: "/t", clock, logger }) };
}

it("says what is wrong once, and again after an hour, with what to do", async () => {
  const { clock, said, complaints } = open();
  complaints.error("refused");
  await clock.advance(HOUR_MS - 1);
  complaints.error("refused");
  expect(said).toEqual([
    'refused; run `parasaus node token n1` on a server and put what it prints into "/t"',
  ]);
  await clock.advance(1);
  complaints.error("refused");
  expect(said).toHaveLength(2);
});

it("says another reason at once, and the same one when all was well in between", () => {
  const { said, complaints } = open();
  for (const reason of ["no server", "no server", "no disk"])
    complaints.warn("failed", { error: new Error(reason) });
  expect(said).toHaveLength(2);
  complaints.forget();
  complaints.warn("failed", { error: new Error("no server") });
  expect(said).toHaveLength(3);
});
