import { formatAgo, formatTime } from "../lib/format.ts";
import { useNow } from "../lib/use-now.ts";

/** How long ago something was, with the exact time as a hint. */
export function TimeAgo({ time }: { readonly time: string }) {
  const nowMs = useNow();
  return (
    <time dateTime={time} title={formatTime(time)}>
      {formatAgo(time, nowMs)}
    </time>
  );
}
