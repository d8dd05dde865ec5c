import { Argument, Command, Option } from "commander";
import { VERSION } from "../foundation/index.ts";
import { addSettingOptions } from "./setting-options.ts";
import type { Verb } from "./verb.ts";
import { VERBS } from "./verbs/index.ts";

/** The command of one verb, with its arguments, flags and examples. */
export function declareVerb(name: string, summary: string, verb: Verb): Command {
  const command = new Command(name).description(summary).helpOption("-h, --help", "show this");
  for (const { syntax, description } of verb.arguments)
    command.addArgument(new Argument(syntax, description));
  for (const { flags, description, choices, repeatable } of verb.options) {
    const option = new Option(flags, description);
    if (choices) option.choices(choices);
    if (repeatable) option.argParser((value, before: string[] = []) => [...before, value]);
    command.addOption(option);
  }
  addSettingOptions(command, verb.programs);
  if (verb.programs[0] === "client")
    command.option("--kubeconfig <FILE>", "take the server from this kubeconfig");
  command.option("--config <FILE>", "configuration file");
  command.addHelpText("after", () => examplesText(verb));
  return command;
}

/** The whole command line; only the verb that is called for is declared fully. */
export async function declareCommandLine(called: string | undefined): Promise<Command> {
  const root = new Command("parasaus")
    .description("Distributed Layer-4 load balancer that forwards in the Linux kernel")
    .usage("VERB [flags]")
    .helpOption("-h, --help", "show this")
    .version(VERSION, "-V, --version", "show this program's version")
    .helpCommand(false);
  for (const [name, { summary, load }] of Object.entries(VERBS)) {
    root.addCommand(
      name === called ? declareVerb(name, summary, await load()) : new Command(name).summary(summary),
    );
  }
  root.addHelpText(
    "after",
    "\nSettings: every flag of up, server and agent is also PARASAUS_FLAG_NAME and a line of",
  );
  root.addHelpText(
    "after",
    "the configuration file (see `parasaus config`). `parasaus VERB --help` shows examples.",
  );
  return root;
}

function examplesText({ examples }: Verb): string {
  const shown = examples.map(([text, command]) => `  # ${text}\n  ${command}\n`);
  return `\nExamples:\n${shown.join("\n")}`.trimEnd();
}
