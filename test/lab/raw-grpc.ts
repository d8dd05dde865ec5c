/** Bytes as they are: for what passes gRPC on and does not read it. */
export const raw = (bytes: Buffer) => bytes;

/** A method whose messages stay bytes. */
export const rawMethod = (path: string, isStream: boolean) => ({
  path,
  requestStream: isStream,
  responseStream: isStream,
  requestSerialize: raw,
  requestDeserialize: raw,
  responseSerialize: raw,
  responseDeserialize: raw,
});
