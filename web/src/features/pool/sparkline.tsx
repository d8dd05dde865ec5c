const WIDTH = 300;
const HEIGHT = 56;

/** A small line chart from 0 to its peak. The words under it are for everybody. */
export function Sparkline({ values, label }: { readonly values: readonly number[]; readonly label: string }) {
  const peak = Math.max(1, ...values);
  const step = WIDTH / Math.max(1, values.length - 1);
  const points = values.map((value, index) => {
    const y = HEIGHT - 2 - (Math.max(0, value) / peak) * (HEIGHT - 6);
    return `${(index * step).toFixed(1)},${y.toFixed(1)}`;
  });
  return (
    <>
      <svg
        className="sparkline"
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        aria-hidden="true"
        focusable="false"
      >
        <polygon points={`0,${HEIGHT} ${points.join(" ")} ${WIDTH},${HEIGHT}`} />
        <polyline points={points.join(" ")} />
      </svg>
      <span className="dimmed">{label}</span>
    </>
  );
}
