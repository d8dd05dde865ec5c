import { ParasausError, VERSION } from "../../foundation/index.ts";
import { connect } from "../client/connection.ts";
import { EXIT } from "../output/errors.ts";
import { writeStructured } from "../output/structured.ts";
import { type Invocation, isSet, textOption, type Verb } from "../verb.ts";

/** `parasaus version`. */
export const version: Verb = {
  arguments: [],
  options: [
    { flags: "-o, --output <format>", description: "output format", choices: ["text", "json", "yaml"] },
    { flags: "--client", description: "this program's only" },
  ],
  programs: ["client"],
  examples: [
    ["Both", "parasaus version"],
    ["For scripts", "parasaus version --client -o json"],
  ],
  run: showVersions,
};

async function showVersions(invocation: Invocation): Promise<number> {
  const { stdout } = invocation.terminal;
  const asked = isSet(invocation, "client") ? undefined : await serverVersion(invocation);
  const format = textOption(invocation, "output") ?? "text";
  if (format !== "text") {
    await writeStructured(stdout, format, {
      client: VERSION,
      ...(asked === undefined ? {} : { server: asked }),
    });
    return EXIT.ok;
  }
  stdout.write(`Client: ${VERSION}\n`);
  if (asked !== undefined) stdout.write(`Server: ${asked ?? "not reached"}\n`);
  return EXIT.ok;
}

/** The server's version, or null when no server answers. */
async function serverVersion(invocation: Invocation): Promise<string | null> {
  try {
    const connection = connect(invocation);
    return await connection.serverVersion();
  } catch (failure) {
    if (failure instanceof ParasausError && failure.code === "Unavailable") return null;
    throw failure;
  }
}
