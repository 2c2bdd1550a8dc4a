/** Connection parameters of a service's database. */
export interface ServiceDatabase {
  readonly host: string;
  readonly port: number;
  readonly name: string;
  readonly user: string;
  /** Defaults to none: the server accepts the user without a password. */
  readonly password?: string;
  /**
   * All connections share one session, so prepared statements of different connections conflict. Defaults to false.
   */
  readonly sharedSession?: boolean;
}
