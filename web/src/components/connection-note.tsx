import { Alert } from "@mantine/core";
import { useTexts } from "../i18n/use-texts.ts";
import type { ViewState } from "../lib/use-view.ts";

/** Says that a page is live, and loudly when it is not. */
export function ConnectionNote({ view }: { readonly view: ViewState<unknown> }) {
  const say = useTexts();
  if (view.failure === undefined) return null;
  return (
    <Alert
      color="red"
      role="alert"
      title={view.failure.code === 0 || view.value !== undefined ? say("app.offline") : say("failure.title")}
    >
      {view.failure.code === 0 ? say("failure.unreachable") : view.failure.message}
    </Alert>
  );
}

/** A dot that says whether changes arrive. */
export function LiveMark({ isLive }: { readonly isLive: boolean }) {
  const say = useTexts();
  return (
    <span className={isLive ? "live live-on" : "live"} role="status">
      {say(isLive ? "app.live" : "app.loading")}
    </span>
  );
}
