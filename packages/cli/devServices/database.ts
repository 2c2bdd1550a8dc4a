/** Where a service finds its database. */
export interface ServiceDatabase {
  readonly host: string;
  readonly port: number;
  readonly name: string;
  readonly user: string;
  /** @default none: it lets the user in without one */
  readonly password?: string;
  /** Its connections share one session, in which a prepared statement of one is in the way of the others'. @default false */
  readonly oneSession?: boolean;
}
