/** Runs tasks one after another, in the order they were given; a failed one does not stop the next. */
export type Exclusive = <T>(task: () => Promise<T>) => Promise<T>;

/** Makes a queue of its own: the driver is asked for one thing at a time. */
export function createExclusive(): Exclusive {
  let last: Promise<unknown> = Promise.resolve();
  return <T>(task: () => Promise<T>) => {
    const result = last.then(task, task);
    last = result.catch(() => undefined);
    return result;
  };
}
