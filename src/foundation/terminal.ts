/** One output stream of a program. */
export interface Output {
  write(text: string): void;
  /** Whether a person looks at it. */
  readonly isTerminal: boolean;
  /** Width in characters; absent where it is no terminal. */
  readonly columns?: number;
}

/** What a program may touch of the process it runs in; made in `bin/`, by tests otherwise. */
export interface Terminal {
  /** Arguments after the program's name. */
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly stdout: Output;
  readonly stderr: Output;
  /** Everything on standard input. */
  readStdin(): Promise<string>;
  /** One line that a person types without seeing it; the first line of standard input where nobody types. */
  readSecret(prompt: string): Promise<string>;
  /** Aborts at the first SIGINT or SIGTERM: end gracefully. */
  readonly signal: AbortSignal;
  /** Executable and leading arguments that start this very program again. */
  readonly self: readonly [string, ...string[]];
  readonly isRoot: boolean;
  readonly homeDirectory: string;
  readonly hostname: string;
}
