import { type Command, CommanderError } from "commander";
import { loadConfiguration } from "../configuration/index.ts";
import { ParasausError, type Terminal } from "../foundation/index.ts";
import { declareCommandLine } from "./command-line.ts";
import { EXIT, reportFailure } from "./output/errors.ts";
import { givenSettings } from "./setting-options.ts";
import type { LoadPrograms, Verb } from "./verb.ts";
import { VERBS } from "./verbs/index.ts";

/**
 * Runs one command line to its end.
 *
 * @returns The exit code: 0 done, 1 failed, 2 wrong usage, 130 interrupted.
 */
export async function runCli(terminal: Terminal, loadPrograms: LoadPrograms): Promise<number> {
  try {
    return await dispatch(terminal, loadPrograms);
  } catch (failure) {
    if (failure instanceof CommanderError) return reportUsage(failure, terminal);
    if (terminal.signal.aborted) return EXIT.interrupted;
    return reportFailure(failure, terminal);
  }
}

async function dispatch(terminal: Terminal, loadPrograms: LoadPrograms): Promise<number> {
  const called = terminal.arguments.find((word) => !word.startsWith("-"));
  if (called === "complete") return complete(terminal);
  if (called !== undefined && !Object.hasOwn(VERBS, called)) {
    throw new ParasausError(
      "Usage",
      `Cannot run "${called}": there is no such verb; there are ${Object.keys(VERBS).join(", ")}`,
    );
  }
  const root = await declareCommandLine(called);
  let exitCode: number = EXIT.ok;
  for (const command of [root, ...root.commands]) {
    command.exitOverride().configureOutput({
      writeOut: (text) => terminal.stdout.write(text),
      writeErr: () => undefined,
      getOutHelpWidth: () => terminal.stdout.columns ?? 100,
      getOutHasColors: () => false,
    });
  }
  const command = root.commands.find((each) => each.name() === called);
  const verb = called === undefined ? undefined : await VERBS[called]?.load();
  if (command && verb) {
    command.action(async () => {
      exitCode = await invoke(command, verb, terminal, loadPrograms);
    });
  } else if (terminal.arguments.length === 0) {
    terminal.stdout.write(root.helpInformation());
    return EXIT.ok;
  }
  await root.parseAsync([...terminal.arguments], { from: "user" });
  return terminal.signal.aborted && verb?.programs.includes("client") ? EXIT.interrupted : exitCode;
}

async function invoke(
  command: Command,
  verb: Verb,
  terminal: Terminal,
  loadPrograms: LoadPrograms,
): Promise<number> {
  const options = command.opts();
  const asked: unknown = options["for"];
  const program = verb.programs.find((each) => each === asked) ?? verb.programs[0];
  const file: unknown = options["config"];
  const configuration = loadConfiguration({
    flags: givenSettings(command, verb.programs),
    environment: terminal.environment,
    ...(typeof file === "string" ? { file } : {}),
    around: {
      program,
      isRoot: terminal.isRoot,
      homeDirectory: terminal.homeDirectory,
      hostname: terminal.hostname,
    },
  });
  const words = command.processedArgs.flat().filter((word): word is string => typeof word === "string");
  return verb.run({ arguments: words, options, configuration, terminal, loadPrograms });
}

async function complete(terminal: Terminal): Promise<number> {
  const { completeWords } = await import("./complete.ts");
  return completeWords(terminal);
}

function reportUsage(failure: CommanderError, terminal: Terminal): number {
  if (failure.exitCode === 0) return EXIT.ok;
  const called = terminal.arguments.find((word) => !word.startsWith("-"));
  const message = failure.message.replace(/^error: /, "");
  terminal.stderr.write(`Error: Cannot read the command line: ${message}\n`);
  terminal.stderr.write(`See \`parasaus ${called ?? ""}${called ? " " : ""}--help\`\n`);
  return EXIT.usage;
}
