import { createInterface } from "node:readline";

/** What a program of the lab can be asked; see `remote.ts`. */
export type Methods = Readonly<Record<string, (...parameters: never[]) => Promise<unknown>>>;

/** Says that the program is open, and answers calls on standard input, a line of JSON each, until SIGTERM. */
export async function serveCalls(methods: Methods): Promise<void> {
  process.stdout.write("open\n");
  process.on("SIGTERM", () => process.exit(0));
  for await (const line of createInterface({ input: process.stdin })) void answer(methods, line);
}

async function answer(methods: Methods, line: string): Promise<void> {
  const { id, method, parameters } = JSON.parse(line) as { id: number; method: string; parameters: never[] };
  const reply = (of: object) => process.stdout.write(`${JSON.stringify({ id, ...of })}\n`);
  try {
    const call = methods[method];
    if (!call) throw new Error(`no method ${method}`);
    reply({ result: (await call(...parameters)) ?? null });
  } catch (failure) {
    reply({ error: String(failure) });
  }
}
