import { readdirSync } from "node:fs";
import path from "node:path";
import { ParasausError } from "../../foundation/index.ts";
import { readIpvsadm } from "../adopt/ipvsadm.ts";
import { readKeepalived } from "../adopt/keepalived.ts";
import { makePools } from "../adopt/pools.ts";
import { readText } from "../apply/files.ts";
import { NAMESPACE_OPTION } from "../client/namespaces.ts";
import { EXIT } from "../output/errors.ts";
import { writeStructured } from "../output/structured.ts";
import { type Invocation, isSet, textOption, type Verb } from "../verb.ts";

/** `parasaus adopt`. */
export const adopt: Verb = {
  arguments: [
    { syntax: "[file]", description: "keepalived.conf, or what ipvsadm -Sn printed; - is standard input" },
  ],
  options: [
    NAMESPACE_OPTION,
    {
      flags: "--running [node]",
      description:
        "on a node (default: of this machine's name): let its pools take over the services in IPVS that they want exactly as they are",
    },
  ],
  programs: ["client"],
  examples: [
    [
      "The virtual servers of keepalived as pools",
      "parasaus adopt /etc/keepalived/keepalived.conf > pools.yaml",
    ],
    ["What IPVS balances now", "ipvsadm -Sn | parasaus adopt - > pools.yaml"],
    ["After a look at the warnings and the file", "parasaus apply -f pools.yaml"],
    ["Then, on each node, without an interruption of what runs", "parasaus adopt --running"],
  ],
  run: async (invocation) => {
    const node = textOption(invocation, "running");
    const isRunning = node !== undefined || isSet(invocation, "running");
    if (isRunning !== (invocation.arguments.length === 0))
      throw new ParasausError("Usage", "Cannot adopt: name a file, or say --running, one of the two");
    if (!isRunning) return adoptFile(invocation);
    const { loadPrograms, configuration, terminal } = invocation;
    const values = { ...configuration.values, ...(node === undefined ? {} : { nodeName: node }) };
    return (await loadPrograms()).adoptRunning({ ...configuration, values }, terminal);
  },
};

/** Prints what to apply; what has no counterpart is a warning with its line. */
async function adoptFile(invocation: Invocation): Promise<number> {
  const { terminal } = invocation;
  const [file = ""] = invocation.arguments;
  const text = file === "-" ? await terminal.readStdin() : readText(file);
  const warn = (where: string, message: string) =>
    void terminal.stderr.write(`Warning: ${where}: ${message}\n`);
  const servers = isIpvsadm(text)
    ? readIpvsadm(text, warn)
    : readKeepalived(text, file === "-" ? "" : file, readIncluded, warn);
  const objects = makePools(servers, textOption(invocation, "namespace"), warn);
  if (objects.length === 0)
    throw new ParasausError(
      "NotFound",
      `Cannot adopt "${file}": it has no virtual service that a pool can be`,
    );
  for (const [index, object] of objects.entries()) {
    if (index > 0) terminal.stdout.write("---\n");
    await writeStructured(terminal.stdout, "yaml", object);
  }
  return EXIT.ok;
}

/** Each of its lines is options; a keepalived.conf begins with a word. */
function isIpvsadm(text: string): boolean {
  return /^\s*(?:#.*\s+)*(?:ipvsadm\s+)?-/.test(text);
}

/** keepalived looks beside the file that includes; the last part may have `*`. */
function readIncluded(
  pattern: string,
  from: string,
): readonly { readonly name: string; readonly text: string }[] {
  if (from === "" && !path.isAbsolute(pattern)) {
    throw new ParasausError(
      "BadRequest",
      `Cannot include "${pattern}": what comes over standard input has no folder; name the file instead`,
    );
  }
  const full = path.resolve(path.dirname(from), pattern);
  return namesOf(full).map((name) => ({ name, text: readText(name) }));
}

function namesOf(full: string): readonly string[] {
  const last = path.basename(full);
  if (!last.includes("*")) return [full];
  const parts = last.split("*").map((part) => part.replace(/[\\^$.|?+()[\]{}]/g, "\\$&"));
  const names = readdirSync(path.dirname(full)).filter((name) =>
    new RegExp(`^${parts.join(".*")}$`).test(name),
  );
  return names.sort().map((name) => path.join(path.dirname(full), name));
}
