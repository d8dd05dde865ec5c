import type { KubeObject, ResourceDefinition } from "../../model/index.ts";
import type { ControllerEnvironment } from "./environment.ts";
import type { ControllerName } from "./metrics.ts";
import { openObjectView, type ViewChange } from "./object-view.ts";

/** How a controller hears of changes: watch events that enter its queue, each logged and counted. */
export interface Hooks {
  /** Follows a kind; `onChange` decides which changes are hooks. */
  follow<Kind extends KubeObject>(
    definition: ResourceDefinition,
    onChange: (change: ViewChange<Kind>) => void,
  ): ReturnType<typeof openObjectView<Kind>>;
  /** Notes that a change of the object `key` entered the queue. */
  fire(hook: string, key: string): void;
}

/** Makes the hooks of one controller. */
export function openHooks(controller: ControllerName, environment: ControllerEnvironment): Hooks {
  const { resources, clock, logger, signal, metrics } = environment;
  return {
    follow: (definition, onChange) =>
      openObjectView({ resources, definition, clock, logger, signal, onChange }),
    fire: (hook, key) => {
      metrics.hookFired(controller, hook);
      logger.debug("hook fired", { hook, key });
    },
  };
}
