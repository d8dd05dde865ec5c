// Makes pools over HTTP, many at once. Words: URL, first number, last number.
const AT_ONCE = 64;
const [url = "", first = "1", last = "1"] = process.argv.slice(2);
let next = Number(first);

async function makeSome(): Promise<void> {
  while (next <= Number(last)) {
    const number = next;
    next += 1;
    await makePool(number);
  }
}

async function makePool(number: number): Promise<void> {
  const pool = {
    ...{ apiVersion: "parasaus.io/v1", kind: "Pool" },
    metadata: {
      ...{ namespace: "bench", name: `pool-${String(number).padStart(5, "0")}` },
      labels: { team: `team-${number % 50}` },
    },
    spec: {
      healthCheck: { type: "none" },
      members: [{ ip: `10.96.${number >> 8}.${number & 255}`, port: 8_080 }],
    },
  };
  const request = {
    method: "POST",
    // Not kept open: the server closes what idles, perhaps just when the next request is sent on it.
    headers: { "content-type": "application/json", connection: "close" },
    body: JSON.stringify(pool),
  };
  const answer = await fetch(`${url}/apis/parasaus.io/v1/namespaces/bench/pools`, request);
  if (answer.status !== 201) throw new Error(`${answer.status} ${await answer.text()}`);
  await answer.arrayBuffer();
}

await Promise.all(Array.from({ length: AT_ONCE }, makeSome));
