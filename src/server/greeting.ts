import type { Output } from "../foundation/index.ts";

/** What the first lines of a start say. */
export interface Greeting {
  readonly version: string;
  readonly url: string;
  /** For other machines; absent where it listens on loopback alone. */
  readonly tlsUrl?: string;
  /** Where objects are kept. */
  readonly store: string;
  readonly kubeconfig: string;
  /** Why this machine does not forward; absent where it does, or where no node was asked for. */
  readonly noForwarding?: string;
  /** One-time code of the first administrator; absent: not needed, or shown before. */
  readonly firstCode?: string;
  /** Everybody on this machine is let in. */
  readonly isOpen: boolean;
  /** What starts the program's verbs: `parasaus`, `bin/parasaus`. */
  readonly command: string;
}

const STANDARD_URL = "http://127.0.0.1:6780";

const bold = (text: string) => `\u001b[1m${text}\u001b[22m`;
const yellow = (text: string) => `\u001b[33m${text}\u001b[39m`;

/** Tells a person where everything is and what to type next. */
export function greet(output: Output, greeting: Greeting, isPlain: boolean): void {
  const strong = output.isTerminal && !isPlain ? bold : String;
  const warning = output.isTerminal && !isPlain ? yellow : String;
  const { command } = greeting;
  const facts: readonly (readonly [string, string])[] = [
    ["Console", `${greeting.url}/console/`],
    ["API and metrics", greeting.url],
    ...(greeting.tlsUrl === undefined ? [] : [["From elsewhere", greeting.tlsUrl] as const]),
    ["Kubeconfig", greeting.kubeconfig],
    ["Store", greeting.store],
    ...(greeting.isOpen
      ? [["Accounts", warning("off: everybody on this machine may do everything")] as const]
      : []),
    ...(greeting.firstCode === undefined ? [] : [["First code", strong(greeting.firstCode)] as const]),
    ...(greeting.noForwarding === undefined
      ? []
      : [["Forwarding", warning(`off: ${greeting.noForwarding}`)] as const]),
  ];
  const next: readonly (readonly [string, string])[] = [
    ...(greeting.url === STANDARD_URL
      ? []
      : [[`export PARASAUS_SERVER=${greeting.url}`, "because the port is not the standard one"] as const]),
    ...(greeting.firstCode === undefined
      ? []
      : [
          [
            `${command} account first NAME`,
            "become the first administrator with that code, which is shown this once",
          ] as const,
        ]),
    [`${command} apply -f FILE`, "create pools"],
    [`${command} get pools -A`, "see where they listen and how many members are up"],
    [`${command} status`, "see whether everything is well"],
    [`kubectl --kubeconfig ${greeting.kubeconfig} get pools -A`, "the same with kubectl"],
  ];
  const lines = [
    `${strong("Parasaus")} ${greeting.version} is ready`,
    "",
    ...columns(facts),
    "",
    "Type next, in another terminal:",
    ...columns(next),
    "",
  ];
  output.write(`${lines.join("\n")}\n`);
}

function columns(rows: readonly (readonly [string, string])[]): readonly string[] {
  const width = Math.max(...rows.map(([name]) => name.length)) + 3;
  return rows.map(([name, value]) => `  ${name.padEnd(width)}${value}`);
}
