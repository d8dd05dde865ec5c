/** Names the file that the guest's reporter writes to. */
export const RESULTS_VARIABLE = "PARASAUS_GUEST_RESULTS";

/** What the guest's reporter writes, a line each. */
export type GuestLine =
  | {
      readonly kind: "result";
      readonly name: string;
      readonly state: string;
      /** The guest's own words when it failed. */
      readonly message: string;
    }
  /** Every file was run; errors are those outside of tests. */
  | { readonly kind: "end"; readonly errors: readonly string[] };
