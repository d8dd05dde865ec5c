import { RootCommand } from "@bomb.sh/tab";
import type { Command, Option } from "commander";
import { loadConfiguration } from "../configuration/index.ts";
import type { Terminal } from "../foundation/index.ts";
import { findServers } from "./client/find-servers.ts";
import type { Servers } from "./client/kubeconfig.ts";
import { suggestNames } from "./client/suggestions.ts";
import { declareVerb } from "./command-line.ts";
import { VERBS } from "./verbs/index.ts";

/** Answers a shell that asks how `parasaus complete -- WORDS` goes on. Never fails: no answer is an answer. */
export async function completeWords(terminal: Terminal): Promise<number> {
  const words = terminal.arguments.slice(terminal.arguments.indexOf("--") + 1);
  const root = new RootCommand();
  const kinds = await suggestNames(words, serverOf(terminal), terminal.signal);
  for (const [name, { summary, load }] of Object.entries(VERBS)) {
    const command = root.command(name, summary);
    const declared = declareVerb(name, summary, await load());
    for (const option of declared.options) addOption(command, option);
    addArguments(command, declared, kinds);
  }
  root.parse([...words]);
  return 0;
}

type TabCommand = ReturnType<RootCommand["command"]>;

function addOption(command: TabCommand, option: Option): void {
  const name = option.long?.slice(2);
  if (name === undefined) return;
  const alias = option.short?.slice(1);
  const isSwitch = !option.required && !option.optional;
  if (isSwitch) command.option(name, option.description, alias);
  else command.option(name, option.description, addAll(option.argChoices ?? []), alias);
}

function addAll(words: readonly string[]): (add: (word: string, description: string) => void) => void {
  return (add) => {
    for (const word of words) add(word, "");
  };
}

function addArguments(command: TabCommand, declared: Command, suggestions: readonly string[]): void {
  for (const argument of declared.registeredArguments) {
    const isShell = argument.name() === "shell";
    const words = isShell ? ["bash", "zsh", "fish"] : suggestions;
    command.argument(argument.name(), addAll(words), argument.variadic);
  }
}

/** The server of the environment or the file; the flags of a half-typed line do not count. */
function serverOf(terminal: Terminal): Servers {
  const { environment, isRoot, homeDirectory, hostname } = terminal;
  try {
    const around = { program: "client" as const, isRoot, homeDirectory, hostname };
    return findServers({ configuration: loadConfiguration({ flags: {}, environment, around }), terminal });
  } catch {
    return { servers: [] };
  }
}
