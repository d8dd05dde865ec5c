import { type LoggedOperation, OperationLog, summarizeOperation } from "../../api/index.ts";
import { type Operation, operationDefinition } from "../../model/index.ts";
import { followObjects, type Resources } from "../../resources/index.ts";
import type { PoolViewSurroundings } from "../pool-view.ts";

/** The operations as they are now. */
export interface OperationView {
  readonly log: OperationLog;
  /** Calls back after every change; returns what ends that. */
  readonly onChange: (listener: () => void) => () => void;
  /** Settles when the signal has aborted. */
  readonly ended: Promise<void>;
}

/** Follows the operations, without what the objects were before and after, until the signal aborts. */
export function followOperations(resources: Resources, surroundings: PoolViewSurroundings): OperationView {
  const log = new OperationLog();
  const listeners = new Set<() => void>();
  const tell = () => {
    for (const listener of listeners) listener();
  };
  const ended = followObjects<LoggedOperation>(resources, operationDefinition, {
    ...surroundings,
    project: (object) => summarizeOperation(object as Operation),
    onSnapshot: (operations) => {
      log.replace(operations);
      tell();
    },
    onChange: ({ type, object }) => {
      if (type === "DELETED") log.forget(object.metadata.name);
      else log.add(summarizeOperation(object as Operation));
      tell();
    },
  });
  return {
    log,
    ended,
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
