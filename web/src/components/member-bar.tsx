import { useTexts } from "../i18n/use-texts.ts";

/** How many members are up, as a bar and in numbers. */
export function MemberBar(props: { readonly up: number; readonly down: number; readonly count: number }) {
  const say = useTexts();
  const { up, down, count } = props;
  const part = (members: number) => (count === 0 ? 0 : (members / count) * 100);
  return (
    <span className="member-bar">
      <svg width="64" height="8" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
        <rect className="bar-rest" x="0" y="0" width="100" height="8" />
        <rect className="bar-up" x="0" y="0" width={part(up)} height="8" />
        <rect className="bar-down" x={100 - part(down)} y="0" width={part(down)} height="8" />
      </svg>
      <span aria-hidden="true">
        {up}/{count}
      </span>
      <span className="only-spoken">{say("members.up", { up, count })}</span>
    </span>
  );
}
