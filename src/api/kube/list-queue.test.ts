import { beforeEach, describe, expect, it } from "vitest";
import { FakeClock, hasCode } from "../../foundation/index.ts";
import { classOf, type ListClass, ListQueue, type Seat } from "./list-queue.ts";

let clock: FakeClock;
let queue: ListQueue;
let seated: { readonly name: string; readonly seat: Seat }[];
let refused: ListClass[];
let failures: unknown[];
const present = new AbortController().signal;

beforeEach(() => {
  clock = new FakeClock();
  seated = [];
  refused = [];
  failures = [];
  queue = new ListQueue({ clock, onRefused: (listClass) => refused.push(listClass) });
});

const enter = (listClass: ListClass, name: string = listClass, signal = present): void =>
  void queue.enter(listClass, signal).then(
    (seat) => seated.push({ name, seat }),
    (failure: unknown) => failures.push(failure),
  );
const enterMany = (listClass: ListClass, count: number): void => {
  for (let index = 0; index < count; index += 1) enter(listClass, `${listClass}-${index}`);
};
const settle = () => clock.advance(0);
const names = () => seated.map(({ name }) => name);
const leave = async (index: number): Promise<void> => {
  seated[index]?.seat[Symbol.dispose]();
  await settle();
};

describe("a queue of lists", () => {
  it("keeps a seat free from one class for the other", async () => {
    enterMany("agents", 10);
    await settle();
    expect(names()).toEqual(["agents-0", "agents-1", "agents-2"]);
    enter("others");
    await settle();
    expect(names().at(-1)).toBe("others");
  });

  it("lets the classes take turns, each in the order in which they came", async () => {
    enterMany("agents", 8);
    enterMany("others", 5);
    await settle();
    for (let index = 0; index < 9; index += 1) await leave(index);
    expect(names().filter((name) => name.startsWith("agents"))).toEqual(
      Array.from({ length: 8 }, (_, index) => `agents-${index}`),
    );
    expect(names().indexOf("others-4")).toBeLessThan(names().indexOf("agents-7"));
  });

  it("sends away who finds 256 of its class waiting, and nobody of the other class", async () => {
    enterMany("agents", 3 + 256 + 51);
    enter("others");
    await settle();
    expect(refused).toEqual(Array(51).fill("agents"));
    expect(failures.every((failure) => hasCode(failure, "TooManyRequests"))).toBe(true);
    expect(failures[0]).toMatchObject({ retryAfterSeconds: 1 });
    expect(names()).toContain("others");
  });

  it("sends away who has waited for 20 s", async () => {
    enterMany("agents", 5);
    await clock.advance(19_999);
    expect(failures).toHaveLength(0);
    await clock.advance(1);
    expect(failures).toHaveLength(2);
    expect(queue.waiting("agents")).toBe(0);
  });

  it("forgets who has gone, and gives nobody's seat away", async () => {
    const gone = new AbortController();
    enterMany("agents", 3);
    enter("agents", "gone", gone.signal);
    enter("agents", "next");
    await settle();
    gone.abort();
    await settle();
    await leave(0);
    expect(names().at(-1)).toBe("next");
  });

  it("counts a seat that is given back twice once", async () => {
    enterMany("agents", 10);
    await settle();
    seated[0]?.seat[Symbol.dispose]();
    await leave(0);
    expect(seated).toHaveLength(4);
  });
});

it("knows agents by what they say of themselves", () => {
  expect(classOf("parasaus-agent/0.1.0 (n1)")).toBe("agents");
  expect([classOf("kubectl/v1.32"), classOf(undefined), classOf("x parasaus-agent/")]).toEqual(
    Array(3).fill("others"),
  );
});
