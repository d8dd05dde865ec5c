/** One command of a scenario file, and what it is expected to print. */
export interface Step {
  /** Comment and blank lines before the command, kept as they are. */
  readonly preface: string;
  /** The command as the shell gets it, several lines for a here-document. */
  readonly command: string;
  /** Standard output and standard error together, masked. */
  readonly output: string;
}

/** Reads `$ command`, `> continued`, and the output below it. */
export function parseScenario(text: string): readonly Step[] {
  const steps: { preface: string[]; command: string[]; output: string[] }[] = [];
  let preface: string[] = [];
  let isPreface = true;
  for (const line of text.replace(/\n$/, "").split("\n")) {
    const step = steps.at(-1);
    if (line.startsWith("$ ")) {
      steps.push({ preface, command: [line.slice(2)], output: [] });
      preface = [];
      isPreface = false;
    } else if (line.startsWith("#") || isPreface) {
      preface.push(line);
      isPreface = true;
    } else if (line.startsWith("> ") && step?.output.length === 0) step.command.push(line.slice(2));
    else step?.output.push(line);
  }
  return steps.map(({ preface: before, command, output }) => ({
    preface: before.map((line) => `${line}\n`).join(""),
    command: command.join("\n"),
    output: output.map((line) => `${line}\n`).join(""),
  }));
}

/** The reverse of `parseScenario`. */
export function formatScenario(steps: readonly Step[]): string {
  return steps
    .map(({ preface, command, output }) => {
      const [first, ...more] = command.split("\n");
      return `${preface}$ ${first}\n${more.map((line) => `> ${line}\n`).join("")}${output}`;
    })
    .join("");
}

const MASKS: readonly (readonly [RegExp, string])[] = [
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g, "<uid>"],
  [/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, "<time>"],
  [/(resourceVersion"?: )"?\d+"?/g, "$1<revision>"],
  [/\b[0-9a-f]{12,64}\b/g, "<hash>"],
  [/(hold revision )\d+/g, "$1<revision>"],
  [/127\.0\.0\.1:\d{4,5}\b/g, "127.0.0.1:<port>"],
];

/** An age, as a cell of its own. */
const AGE = /(?<=^|[\s(])(\d+[smhdy]){1,2}(?=\s|$)/g;

/** A server's own name: its host's and something random. */
const SERVER = /^\S+-[0-9a-f]{8}(?= )/gm;

/** How busy the machine is, percent: in a table, where another column follows. */
const CPU = /(?<=\s)\d+%(?= +\S)/g;

/** How far a node is: its heartbeats count as revisions too. */
const NODE_REVISION = /^(\S+ +(?:\d+ +)?memory +\S+ +)\d+/gm;

/** Replaces what differs from run to run. Columns are as wide as their widest cell, so gaps differ too. */
export function mask(text: string, folder: string): string {
  const plain = MASKS.reduce((masked, [pattern, word]) => masked.replaceAll(pattern, word), text);
  return plain
    .replaceAll(folder, "<dir>")
    .replaceAll(SERVER, "<server>")
    .replaceAll(CPU, "<cpu>")
    .replaceAll(AGE, "<age>")
    .replaceAll(/ {3,}/g, "   ")
    .replaceAll(/ +$/gm, "")
    .replaceAll(NODE_REVISION, "$1<revision>");
}
