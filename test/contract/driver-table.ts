import type { DriverCapabilities } from "../../src/dataplane/index.ts";

/** The page that shows what each driver can do and what the suite found. */
export const DRIVERS_PAGE = "docs/reference/drivers.md";
const BEGIN = "<!-- contract: begin, written by the contract suite with PARASAUS_REWRITE=1 -->";
const END = "<!-- contract: end -->";

const CAPABILITY_WORDS: Readonly<Record<keyof DriverCapabilities, string>> = {
  forwarding: "forwarding",
  schedulers: "schedulers",
  protocols: "protocols",
  families: "address families",
  affinityByPrefix: "keeps clients of one network together (`prefixLength`)",
  onePacket: "schedules datagrams one by one (`onePacketScheduling`)",
  portRanges: "has ranges of ports (`lastPort`)",
  forwards: "sends real packets",
  changesSchedulerWithoutGap: "takes connections also while the scheduler changes",
  countsRefusals: "counts refused connections by reason",
  tellsAffinity: "tells flows of session affinity from scheduled ones",
  counterDelayMs: "counters of members lag by up to, ms",
};

/** One driver's column: what it says of itself, then the outcome of each test. */
export type Column = ReadonlyMap<string, string>;

/** @param outcomes State of each test of the suite by its name, in order. */
export function columnOf(capabilities: DriverCapabilities, outcomes: ReadonlyMap<string, string>): Column {
  const flags = Object.entries(CAPABILITY_WORDS).map(([name, words]): [string, string] => {
    const value = capabilities[name as keyof DriverCapabilities];
    return [
      words,
      Array.isArray(value) ? value.join(" ") : String(value).replace("true", "yes").replace("false", "no"),
    ];
  });
  return new Map([...flags, ...[...outcomes].map(([test, state]): [string, string] => [test, state])]);
}

/** The page with this driver's column as it is now; the other columns stay. */
export function withColumn(page: string, driver: string, column: Column): string {
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`${DRIVERS_PAGE} has no place for the table: "${BEGIN}"`);
  const table = parseTable(page.slice(begin + BEGIN.length, end));
  const drivers = table.drivers.includes(driver) ? table.drivers : [...table.drivers, driver];
  const rows = [...new Set([...column.keys(), ...table.rows.keys()])].map((row) => [
    row,
    ...drivers.map((each) => (each === driver ? column.get(row) : table.rows.get(row)?.get(each)) ?? ""),
  ]);
  // A test that is no more is in no column.
  const lines = [["", ...drivers], ["---", ...drivers.map(() => "---")], ...rows].filter(([, ...cells]) =>
    cells.some((cell) => cell !== ""),
  );
  const text = lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
  return `${page.slice(0, begin + BEGIN.length)}\n\n${text}\n\n${page.slice(end)}`;
}

function parseTable(text: string) {
  const lines = text.split("\n").filter((line) => line.startsWith("|"));
  const [[, ...drivers] = [], , ...rows] = lines.map((line) =>
    line
      .slice(1, -1)
      .split("|")
      .map((cell) => cell.trim()),
  );
  return {
    drivers,
    rows: new Map(
      rows.map(([name = "", ...cells]) => [
        name,
        new Map(drivers.map((driver, index) => [driver, cells[index] ?? ""])),
      ]),
    ),
  };
}
