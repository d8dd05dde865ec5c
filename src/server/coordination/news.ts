/** Something that changes now and then, for those who look at it anew each time. */
export class News {
  #version = 0;
  readonly #waiting = new Set<() => void>();

  /** Rises with every change, a count. To be read before looking. */
  get version(): number {
    return this.#version;
  }

  /** Notes a change. */
  tell(): void {
    this.#version += 1;
    for (const wake of [...this.#waiting]) wake();
  }

  /** Resolves when something has changed since `version`, or when the signal aborts. */
  since(version: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted || this.#version !== version) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        signal.removeEventListener("abort", wake);
        this.#waiting.delete(wake);
        resolve();
      };
      this.#waiting.add(wake);
      signal.addEventListener("abort", wake, { once: true });
    });
  }
}
