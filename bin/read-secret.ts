import { createInterface } from "node:readline";
import type { ReadStream, WriteStream } from "node:tty";

/** Reads one line for each call: without showing it where a person types, else the next line that comes. */
export function createSecretReader(
  input: ReadStream,
  output: WriteStream,
): (prompt: string) => Promise<string> {
  let lines: AsyncIterator<string> | undefined;
  return async (prompt) => {
    if (!input.isTTY) {
      lines ??= createInterface({ input })[Symbol.asyncIterator]();
      const next = await lines.next();
      return next.done ? "" : next.value;
    }
    output.write(prompt);
    input.setRawMode(true);
    try {
      return await readHidden(input);
    } finally {
      input.setRawMode(false);
      input.pause();
      output.write("\n");
    }
  };
}

async function readHidden(input: ReadStream): Promise<string> {
  let typed = "";
  for await (const chunk of input.iterator({ destroyOnReturn: false })) {
    const line = addTyped(typed, String(chunk));
    if (line.isWhole) return line.text;
    typed = line.text;
  }
  return typed;
}

/** What is on the line after more was typed. Ctrl-C and Ctrl-D, of which raw mode makes no signals, give it up. */
function addTyped(typed: string, more: string): { readonly text: string; readonly isWhole: boolean } {
  let text = typed;
  for (const character of more) {
    if (character === "\r" || character === "\n") return { text, isWhole: true };
    if (character === "\u0003" || character === "\u0004") return { text: "", isWhole: true };
    text = character === "\u007f" ? text.slice(0, -1) : text + character;
  }
  return { text, isWhole: false };
}
