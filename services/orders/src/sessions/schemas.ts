import { Type, type Static } from "@store/kit";

const Staff = Type.String({ description: "Name of the token with which the session was started." });
const ExpiresAt = Type.String({
  format: "date-time",
  description: "End of the session, unless it isn't used for a while before.",
});

export const SessionContent = Type.Object(
  {
    sealed: Type.String({
      minLength: 1,
      maxLength: 4_000,
      pattern: "^[A-Za-z0-9_-]+$",
      "x-message": "must be base64url",
      description: "Content for the front end, encrypted with a key that isn't sent.",
    }),
  },
  { additionalProperties: false },
);
export type SessionContent = Static<typeof SessionContent>;

export const StaffSession = Type.Object(
  { staff: Staff, sealed: SessionContent.properties.sealed, expiresAt: ExpiresAt },
  { description: "A session of staff in a front end." },
);
export type StaffSession = Static<typeof StaffSession>;
