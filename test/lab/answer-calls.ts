import { createInterface } from "node:readline";

/**
 * Lets a lab program answer the calls of a {@link Remote}: lines of JSON on standard input and output. Says first that it is
 * there, and ends at SIGTERM.
 */
export function answerCalls(methods: Readonly<Record<string, (...parameters: never[]) => unknown>>): void {
  process.stdout.write("open\n");
  createInterface({ input: process.stdin }).on("line", (line) => {
    const { id, method, parameters } = JSON.parse(line) as {
      id: number;
      method: string;
      parameters: never[];
    };
    const answer = async () => {
      const call = methods[method];
      if (!call) throw new Error(`no method ${method}`);
      return call(...parameters);
    };
    answer().then(
      (result) => process.stdout.write(`${JSON.stringify({ id, result: result ?? null })}\n`),
      (failure: unknown) => process.stdout.write(`${JSON.stringify({ id, error: String(failure) })}\n`),
    );
  });
  process.on("SIGTERM", () => process.exit(0));
}
