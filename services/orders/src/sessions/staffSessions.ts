import type { Database } from "@store/kit";
import type { StaffSession } from "./schemas.ts";

interface StaffSessionsOptions {
  readonly database: Database;
  /** Hours after which a session ends. */
  readonly maxHours: number;
  /** Minutes without a request after which a session ends. */
  readonly idleMinutes: number;
}

interface NewSession {
  readonly id: string;
  readonly staff: string;
  readonly sealed: string;
}

/**
 * The sessions of staff. A front end keeps the staff token in the sealed content: it is the front end's key, in the browser's cookie,
 * that opens it. So neither this database alone nor the cookie of an ended session gives anybody a token.
 */
export class StaffSessions {
  readonly #options: StaffSessionsOptions;

  constructor(options: StaffSessionsOptions) {
    this.#options = options;
  }

  /** Stores a session, once. Returns undefined if the ID has another session. */
  async start({ id, staff, sealed }: NewSession): Promise<StaffSession | undefined> {
    const { database, maxHours, idleMinutes } = this.#options;
    await database.query(deleteEnded, [idleMinutes]);
    const [row] = await database.query<SessionRow>(insertSession, [id, staff, sealed, maxHours]);
    return row && toSession(row);
  }

  /** Returns a session that hasn't ended, and notes that it is in use. */
  async use(id: string): Promise<StaffSession | undefined> {
    const { database, idleMinutes } = this.#options;
    const [row] = await database.query<SessionRow & { stale: boolean }>(selectSession, [
      id,
      idleMinutes,
    ]);
    if (row?.stale === true)
      await database.query("UPDATE staff_sessions SET used_at = now() WHERE id = $1", [id]);
    return row && toSession(row);
  }

  /** Ends a session, for every browser that has its cookie. */
  async end(id: string): Promise<void> {
    await this.#options.database.query("DELETE FROM staff_sessions WHERE id = $1", [id]);
  }
}

interface SessionRow {
  readonly staff: string;
  readonly sealed: string;
  readonly expires_at: Date;
}

function toSession({ staff, sealed, expires_at }: SessionRow): StaffSession {
  return { staff, sealed, expiresAt: expires_at.toISOString() };
}

const insertSession = `
  INSERT INTO staff_sessions (id, staff, sealed, expires_at)
  VALUES ($1, $2, $3, now() + $4 * interval '1 hour')
  ON CONFLICT (id) DO UPDATE SET used_at = now()
    WHERE staff_sessions.staff = excluded.staff AND staff_sessions.sealed = excluded.sealed
  RETURNING staff, sealed, expires_at`;

// At most one write per minute and session.
const selectSession = `
  SELECT staff, sealed, expires_at, used_at < now() - interval '1 minute' AS stale FROM staff_sessions
  WHERE id = $1 AND expires_at > now() AND used_at > now() - $2 * interval '1 minute'`;

const deleteEnded =
  "DELETE FROM staff_sessions WHERE expires_at < now() OR used_at < now() - $1 * interval '1 minute'";
