/** The library that makes certificates, loaded only where some are made: reading them needs none of it. */
export async function loadX509(): Promise<typeof import("@peculiar/x509")> {
  // A library inside of it refuses to load without the polyfill (PeculiarVentures/x509#116).
  await import("reflect-metadata");
  return await import("@peculiar/x509");
}
