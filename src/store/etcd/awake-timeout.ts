const SLICES = 10;

/**
 * Calls `late` after `ms`, counting only time in which this process could have heard an answer: a stretch in which the
 * event loop stood still counts as a tenth at most. Timers are served before sockets, so that an answer which has
 * arrived long ago would be given up otherwise.
 *
 * @returns Takes it back.
 */
export function startAwakeTimeout(ms: number, late: () => void): () => void {
  let slice = 0;
  const next = (): NodeJS.Timeout =>
    setTimeout(() => {
      slice += 1;
      if (slice < SLICES) timer = next();
      else late();
    }, ms / SLICES);
  let timer = next();
  return () => clearTimeout(timer);
}
