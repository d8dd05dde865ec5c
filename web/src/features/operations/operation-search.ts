/** What the address of the page says is looked for. */
export interface OperationSearch {
  readonly search?: string;
}

/** Reads it. */
export function readOperationSearch({ search }: Readonly<Record<string, unknown>>): OperationSearch {
  return search === undefined || search === "" ? {} : { search: String(search) };
}
