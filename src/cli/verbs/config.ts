import { type Program, showConfiguration } from "../../configuration/index.ts";
import { writeStructured } from "../output/structured.ts";
import { renderTable } from "../output/table.ts";
import { type Invocation, isSet, textOption, type Verb } from "../verb.ts";

/** `parasaus config`. */
export const config: Verb = {
  arguments: [],
  options: [
    { flags: "-o, --output <format>", description: "output format", choices: ["table", "json", "yaml"] },
    {
      flags: "--for <program>",
      description: "whose settings (default: up)",
      choices: ["up", "server", "agent"],
    },
    { flags: "--changed", description: "only what is no default" },
  ],
  programs: ["up", "server", "agent"],
  examples: [
    ["Every setting of `parasaus up` and where it comes from", "parasaus config"],
    ["What a file changes", "parasaus config --config ./parasaus.yaml --changed"],
    ["For scripts", "parasaus config --for agent -o json"],
  ],
  run: showSettings,
};

async function showSettings(invocation: Invocation): Promise<number> {
  const { configuration, terminal } = invocation;
  const program = (textOption(invocation, "for") ?? "up") as Program;
  const shown = showConfiguration(configuration, program).filter(
    (setting) => !isSet(invocation, "changed") || setting.source.kind !== "default",
  );
  const format = textOption(invocation, "output") ?? "table";
  if (format !== "table") {
    const settings = shown.map(({ name, value, source }) => [
      name,
      { value, source: source.kind, where: source.where },
    ]);
    await writeStructured(terminal.stdout, format, {
      file: configuration.file ?? null,
      settings: Object.fromEntries(settings),
    });
    return 0;
  }
  const rows = shown.map(({ name, value, source }) => [
    name,
    value === "" ? "-" : value,
    source.where === "" ? source.kind : source.where,
  ]);
  terminal.stdout.write(renderTable(["SETTING", "VALUE", "SOURCE"], rows));
  return 0;
}
