import type { LoadedConfiguration, Program } from "../configuration/index.ts";
import type { Terminal } from "../foundation/index.ts";
import type { Backup } from "../resources/backup/index.ts";

/** The long-running programs. */
export interface Programs {
  readonly runUp: RunProgram;
  readonly runServer: RunProgram;
  readonly runAgent: RunProgram;
  /** Ends at once. */
  readonly uninstallNode: RunProgram;
  /** Ends at once. */
  readonly adoptRunning: RunProgram;
  /** Reads the store itself, while no server runs. @returns the backup, in pieces */
  readonly backUpStore: (configuration: LoadedConfiguration, terminal: Terminal) => AsyncIterable<string>;
  /** Writes the store itself, while no server runs. */
  readonly restoreStore: (
    configuration: LoadedConfiguration,
    terminal: Terminal,
    backup: Backup,
    request: { readonly replace: boolean; readonly leastEpoch?: number },
  ) => Promise<RestoreOutcome>;
}

/** What a restore did. */
export interface RestoreOutcome {
  /** Number of the store's new epoch. */
  readonly epoch: number;
  readonly writtenCount: number;
  readonly deletedCount: number;
  /** Whether an earlier, interrupted restore of the same backup was brought to its end. */
  readonly isResumed: boolean;
}

/** Loads the programs, only when one of them is asked for. */
export type LoadPrograms = () => Promise<Programs>;

/** Runs until the terminal's signal aborts. Resolves to the exit code. */
export type RunProgram = (configuration: LoadedConfiguration, terminal: Terminal) => Promise<number>;

/** What the command line says, as a verb sees it. */
export interface Invocation {
  /** Positional arguments; a variadic one is flattened. */
  readonly arguments: readonly string[];
  /** By long name: `allNamespaces`. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly configuration: LoadedConfiguration;
  readonly terminal: Terminal;
  readonly loadPrograms: LoadPrograms;
}

/** One flag of one verb, in commander's notation: `-o, --output <format>`. */
export interface VerbOption {
  readonly flags: string;
  readonly description: string;
  readonly choices?: readonly string[];
  /** May be given several times. */
  readonly repeatable?: true;
}

/** One verb of `parasaus`. */
export interface Verb {
  /** In commander's notation: `<kind>`, `[name...]`. */
  readonly arguments: readonly { readonly syntax: string; readonly description: string }[];
  readonly options: readonly VerbOption[];
  /** Whose settings are flags of this verb; the first is whose defaults count. */
  readonly programs: readonly [Program, ...Program[]];
  /** Shown by `--help`: what it does, and the command. */
  readonly examples: readonly (readonly [text: string, command: string])[];
  /** @returns the exit code. */
  readonly run: (invocation: Invocation) => Promise<number>;
}

/** A text option, or undefined when it was not given. */
export function textOption(invocation: Invocation, name: string): string | undefined {
  const value = invocation.options[name];
  return typeof value === "string" ? value : undefined;
}

/** A repeatable option. */
export function listOption(invocation: Invocation, name: string): readonly string[] {
  const value = invocation.options[name];
  return Array.isArray(value) ? value.map(String) : [];
}

/** A switch. */
export function isSet(invocation: Invocation, name: string): boolean {
  return invocation.options[name] === true;
}
