/** What is stored of a password. */
export interface StoredPassword {
  /** Of the account that it belongs to: one that is made anew under the same name has none. */
  readonly uid: string;
  /** argon2id, with its parameters and its salt. */
  readonly hash: string;
  /** Another one with each password; sessions name the one that they began with. */
  readonly version: string;
}

/** What is stored of a session. */
export interface StoredSession {
  readonly account: string;
  /** Of the account. */
  readonly uid: string;
  /** Of the account when it logged in: a session ends with the account's next change. */
  readonly generation: number;
  /** Absent: the account logged in without a password. */
  readonly passwordVersion?: string;
  /** ISO 8601. */
  readonly expires: string;
  /** A browser's, which must show that a page of ours asks. */
  readonly isCookie: boolean;
}

/** What is stored of an API token. */
export interface StoredToken {
  /** Name of the ApiToken. */
  readonly name: string;
  /** Of the ApiToken. */
  readonly uid: string;
}
