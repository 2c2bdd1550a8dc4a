/** Where a service finds its database. */
export interface ServiceDatabase {
  readonly host: string;
  readonly port: number;
  readonly name: string;
  readonly user: string;
  /** @default none: it lets the user in without one */
  readonly password?: string;
}
